"""Parameters of the prompt audit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from clipaudit.contract import TemplateParams

AS_GIVEN = "as given"
Crop = Annotated[float, Field(ge=0.05, le=1.0)]
Top = Annotated[int, Field(ge=1, le=1000)]

# Different words for the same thing; none of them says what kind of picture it is.
TEMPLATES = (
    "a photo of a {}.", "a photo of the {}.", "a picture of a {}.", "an image of a {}.", "this is a {}.", "a {}.", "{}",
    "there is a {} here.",
)  # fmt: skip


class LabelSet(BaseModel):
    """Other words for labels, and wrong labels beside them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    words: Mapping[str, str] = Field(default_factory=dict, description="Label to other words for it; others stay.")
    extra: tuple[str, ...] = Field(default=(), description="Further labels that are right for no image.")


class PromptParams(TemplateParams):
    """Over which wordings and choices the results are compared."""

    templates: tuple[str, ...] = Field(
        default=TEMPLATES, min_length=2, max_length=500, description="Prompt templates to compare; {} is the label."
    )
    label_sets: Mapping[str, LabelSet] = Field(
        default_factory=dict,
        description="Label sets to compare with the labels as given: NAME = { words = { LABEL = other words for it }, "
        "extra = [further labels that are right for no image] }.",
    )
    crops: tuple[Crop, ...] = Field(
        default=(1.0,), min_length=1, max_length=10, description="Shares of each side of the image kept; 1 is all."
    )
    top: tuple[Top, ...] = Field(
        default=(1, 5), min_length=1, max_length=10, description="The right label counts among so many first ones."
    )
    target: str = Field(default="label", min_length=1, description="Column of the data set that holds the class.")
    groups: tuple[str, ...] = Field(
        default=(), max_length=12, description="Columns of annotated groups; none given: those that the card names."
    )
    images: int = Field(default=500, ge=20, le=1_000_000, description="Most images shown to the model per cell.")
    classes: int = Field(default=1000, ge=2, le=100_000, description="Most classes: those with most images.")

    @field_validator("templates")
    @classmethod
    def _distinct(cls, templates: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(templates)) < len(templates):
            raise ValueError("a template occurs twice")
        return templates

    @field_validator("crops", "top")
    @classmethod
    def _ordered(cls, values: tuple[float, ...]) -> tuple[float, ...]:
        return tuple(sorted(set(values)))

    @model_validator(mode="after")
    def _named(self) -> PromptParams:
        if AS_GIVEN in self.label_sets:
            raise ValueError(f"the name {AS_GIVEN!r} is that of the labels of the data set")
        if 1.0 not in self.crops or 1 not in self.top:
            raise ValueError("crops needs 1.0 (the whole image) and top needs 1 (the first choice) to compare with")
        return self
