"""Parameters of the cue-conflict audit."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from clipaudit.contract import TemplateParams
from clipaudit.stimuli.cue_conflict import Method

Protocol = Literal["direct", "imagenet1k", "caption-steered"]
Strength = Annotated[float, Field(gt=0, le=1)]

# Steered prompts: what they ask for, by name.
STEERED = {"shape": "a photo of the shape of a {}.", "texture": "a photo of the texture of a {}."}


class CueConflictParams(TemplateParams):
    """How the model's decision is read, and, on cut-outs, how conflicts are made."""

    protocol: Protocol = Field(
        default="direct",
        description="direct: one prompt per class. imagenet1k: 1,000-way probabilities averaged within each of "
        "the 16 published classes. caption-steered: direct, and again with prompts that ask for the shape and "
        "for the texture.",
    )
    method: Method = Field(
        default="fill-quilt",
        description="How the conflict is made on cut-outs. fill-quilt, fill-tile: one outline is filled with patches "
        "of the other's surface, sewn or side by side; phase: the phases of one with the spectrum of the other.",
    )
    strengths: tuple[Strength, ...] = Field(
        default=(0.25, 0.5, 0.75, 1.0),
        min_length=1,
        max_length=20,
        description="Strengths of conflicts of cut-outs.",
    )
    classes: int = Field(default=16, ge=2, le=200, description="Most classes used of a set of cut-outs.")
    per_class: int = Field(default=2, ge=1, le=100, description="Most images used of each class of cut-outs.")
    pairs: int = Field(default=80, ge=10, le=100_000, description="Pairs of outline and texture made of cut-outs.")
