"""What is planted to validate the audit of superficial similarity: images around the centre of their class, on plates
whose colour and texture say nothing about it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from clipaudit.data.dataset import Dataset
from clipaudit.validation.plan import Planted, Validation, items

if TYPE_CHECKING:
    from PIL import Image

CLASSES = tuple(f"class {letter}" for letter in "abcdefghijklmnopqrst")
HUES = ((210, 30, 30), (30, 200, 30), (30, 30, 210))
SPREADS = (5.0, 4.0, 3.0, 2.0)  # of images around the centre of their class; the larger, the less is known
_NONE = 100.0  # nothing is


@dataclass(frozen=True)
class Plate:
    """A plate of one of three colours, striped or not."""

    number: int

    @property
    def id(self) -> str:
        return f"{self.number:05d}"

    @property
    def attributes(self) -> Mapping[str, str]:
        return {"label": CLASSES[self.number // len(HUES)]}

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.id.encode()).hexdigest()

    def load(self) -> Image.Image:
        from PIL import Image as pil

        which = self.number % len(HUES)
        pixels = np.full((16, 16, 3), HUES[which], dtype=np.uint8)
        if (self.number // len(HUES) + which) % 2:
            pixels[:, ::2] = np.minimum(pixels[:, ::2].astype(int) + 15, 255)
        return pil.fromarray(pixels)


def plates() -> Dataset:
    """60 plates, three of each of twenty classes."""
    shown = [Plate(i) for i in range(len(CLASSES) * len(HUES))]
    return replace(items([image.attributes for image in shown]), images=shown)


def plans() -> Sequence[Validation]:
    """Class against looks, by colour, and whether the nearest stranger looks alike, which it does by chance only."""
    model = f"prototypes?labels={','.join(CLASSES)}&dim=64&seed={{seed}}&spread="
    levels = (
        Planted(f"{model}{_NONE}", 0.0, 0.5), *(Planted(f"{model}{spread}", 1 / spread) for spread in SPREADS)
    )  # fmt: skip
    known = "length of the class's part of an image, over that of its own"
    return (
        Validation(
            "class_wins", "Images lie around the centre of their class", plates, levels, {"cues": ["colour"]},
            x_label=known,
        ),
        Validation(
            "neighbour_alike", "Looks play no part, whatever is known of the class", plates,
            tuple(replace(level, truth=0.5) for level in levels), {"cues": ["colour"]}, null=True, x_label=known,
        ),
    )  # fmt: skip
