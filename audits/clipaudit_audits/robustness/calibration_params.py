"""Parameters of the calibration audit."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator

from clipaudit.contract import TemplateParams

Coverage = Annotated[float, Field(gt=0, lt=1)]


class CalibrationParams(TemplateParams):
    """Which images, classes and groups, and how confidence is binned."""

    target: str = Field(default="label", min_length=1, description="Column of the data set that holds the class.")
    images: int = Field(default=1000, ge=20, le=1_000_000, description="Most images shown to the model per cell.")
    classes: int = Field(default=1000, ge=2, le=100_000, description="Most classes: those with most images.")
    groups: tuple[str, ...] = Field(
        default=(), max_length=12, description="Columns of annotated groups; none given: those that the card names."
    )
    bins: int = Field(
        default=15, ge=1, le=200, description="Most bins of equally many images; twenty images each at least."
    )
    coverages: tuple[Coverage, ...] = Field(
        default=(0.5, 0.8, 0.9), max_length=12, description="Shares of the images answered in selective accuracy."
    )

    @field_validator("coverages")
    @classmethod
    def _ascending(cls, coverages: tuple[float, ...]) -> tuple[float, ...]:
        return tuple(sorted(set(coverages)))
