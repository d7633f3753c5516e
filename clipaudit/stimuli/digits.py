"""Handwritten digits that come with scikit-learn: 8 x 8 pixels, enlarged; nothing is downloaded.

Alpaydin & Kaynak 1998, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository, CC BY 4.0: the 1,797
digits of its test part.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from clipaudit.stimuli.recipe import recipe_digest

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

VERSION = 1
NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
SIDE = 64  # px; models resize further
_LEVELS = 16  # of ink in a pixel


@dataclass(frozen=True)
class Digit:
    """One digit, black on white. An `ImageRef`."""

    number: int
    label: str

    @property
    def id(self) -> str:
        return f"digit/{self.number:04d}"

    @property
    def attributes(self) -> Mapping[str, str]:
        return {"label": self.label}

    @property
    def digest(self) -> str:
        return recipe_digest("digits", VERSION, [], {"number": self.number, "side": SIDE})

    def load(self) -> Image.Image:
        """RGB, 64 px, enlarged bicubically."""
        import numpy as np
        from PIL import Image as pil

        ink = _images()[self.number]
        grey = pil.fromarray(np.rint(255 * (1 - ink / _LEVELS)).astype(np.uint8))
        return grey.resize((SIDE, SIDE), pil.Resampling.BICUBIC).convert("RGB")


def items() -> Sequence[Digit]:
    """All digits, in the order of the package."""
    from sklearn.datasets import load_digits

    return [Digit(i, NAMES[int(value)]) for i, value in enumerate(load_digits().target)]


@cache
def _images() -> NDArray[np.float64]:
    """(1797, 8, 8) ink, 0 to 16."""
    from sklearn.datasets import load_digits

    found: NDArray[np.float64] = load_digits().images
    return found
