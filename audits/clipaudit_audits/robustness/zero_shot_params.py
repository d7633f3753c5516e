"""Parameters of the zero-shot audit."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator

from clipaudit.contract import TemplateParams

Shots = Annotated[int, Field(ge=1, le=1024)]


class ZeroShotParams(TemplateParams):
    """Which images and classes, and how the probes are trained."""

    target: str = Field(default="label", min_length=1, description="Column of the data set that holds the class.")
    images: int = Field(default=500, ge=20, le=1_000_000, description="Most images shown to the model per cell.")
    classes: int = Field(default=1000, ge=2, le=100_000, description="Most classes: those with most images.")
    probes: bool = Field(default=True, description="Train probes, where the model has embeddings.")
    shots: tuple[Shots, ...] = Field(
        default=(1, 2, 4, 8, 16), max_length=12, description="Training images per class of the few-shot probes."
    )
    folds: int = Field(
        default=3, ge=2, le=20, description="Parts of a split; each is tested once, with the others to train on."
    )
    splits: int = Field(default=5, ge=2, le=100, description="Times the images are split anew.")
    penalty: float = Field(
        default=30.0, gt=0, le=1e6, description="C of scikit-learn's logistic regression; larger fits closer."
    )

    @field_validator("shots")
    @classmethod
    def _ascending(cls, shots: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(sorted(set(shots)))
