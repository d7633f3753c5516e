"""Parameters of the attention-shift audit."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from clipaudit.contract import Params


class AttentionShiftParams(Params):
    """What is shown, which prompts are compared, and how maps are made and checked."""

    template: str = Field(
        default="a photo of a {}.", description="Accurate and misleading prompt; {} is the label, or another one."
    )
    paraphrases: tuple[str, ...] = Field(
        default=("a picture of a {}.", "an image of a {}."),
        min_length=1,
        max_length=8,
        description="Other words for the accurate prompt: what they move is no more than wording does.",
    )
    neutral: str = Field(default="a photo.", min_length=1, description="Prompt that names nothing.")
    images: int = Field(default=200, ge=2, description="Most images, drawn evenly over the classes.")
    checked: int = Field(
        default=40, ge=2, description="Images on which maps are checked; each costs about 80 forward passes."
    )
    grid: int = Field(default=7, ge=3, le=28, description="Patches on a side, in which all maps are compared.")
    method: Literal["auto", "occlusion"] = Field(
        default="auto", description="auto: attention or Grad-CAM where the image tower allows it, else occlusion."
    )
    first_layer: int = Field(
        default=-1, description="Transformers: first block whose attention is used, negative from the end; 0 takes all."
    )
    ground: Literal["white", "clouds"] = Field(
        default="white", description="Behind cut-outs: white, or random clouds with the spectrum of photographs."
    )
    object_size: float = Field(default=0.6, ge=0.2, le=1.0, description="Side of a cut-out, in sides of the picture.")
    fill: Literal["blur", "mean"] = Field(
        default="blur", description="What covers a patch: the picture blurred, or its mean colour."
    )
    need_masks: bool = Field(default=False, description="Refuse images without a transparent ground.")

    @field_validator("template", "paraphrases")
    @classmethod
    def _with_place(cls, value: str | tuple[str, ...]) -> str | tuple[str, ...]:
        for template in (value,) if isinstance(value, str) else value:
            if "{}" not in template:
                raise ValueError(f"{template!r} has no {{}} for the label; write for example 'a photo of a {{}}.'")
        return value

    @field_validator("paraphrases")
    @classmethod
    def _different(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(value)) < len(value):
            raise ValueError("a paraphrase is given twice")
        return value
