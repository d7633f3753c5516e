"""What the attention-shift audit shows: objects on a ground, whole, and with some patches covered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from clipaudit.errors import ImageError
from clipaudit.images import ImageRef
from clipaudit.stimuli.cutout import alpha_mask, fit_cutout, fit_photograph
from clipaudit.stimuli.recipe import recipe_digest, seed_from
from clipaudit_audits.meaning.relevance.occlusion import spread_cells

if TYPE_CHECKING:
    from PIL import Image

VERSION = 1
SIDE = 224
BLUR = SIDE / 8  # standard deviation of the blur that covers a patch, px
DRAWN = 64  # pictures held at once: 15 MB with their blurred twins

Pixels = NDArray[np.uint8]
Bools = NDArray[np.bool_]
Ground = Literal["white", "clouds"]
Fill = Literal["blur", "mean"]


@dataclass(frozen=True, eq=False)
class Shown:
    """`base` as a square picture. A cut-out lies at a random place on the ground; an image without outline is cut to
    its middle, and has no mask. An `ImageRef`."""

    base: ImageRef
    ground: Ground
    size: float  # side of a cut-out, in sides of the picture
    seed: int

    @property
    def id(self) -> str:
        return f"{self.base.id}#{self.ground}"

    @property
    def attributes(self) -> Mapping[str, str]:
        return self.base.attributes

    @property
    def digest(self) -> str:
        params = {"ground": self.ground, "size": self.size, "seed": self.seed, "side": SIDE}
        return recipe_digest("attention_shift.shown", VERSION, [self.base.digest], params)

    def load(self) -> Image.Image:
        from PIL import Image as pil

        return pil.fromarray(drawn(self)[0])

    @property
    def mask(self) -> Bools | None:
        """(SIDE, SIDE) True on the object; None for an image without outline. ImageError if it cannot be read."""
        return drawn(self)[1]


@dataclass(frozen=True, eq=False)
class Covered:
    """`shown` with some of its patches covered. `name` tells it from others of the same picture. An `ImageRef` with the
    attributes of `shown` and `covered`, a digit for each patch, 1 where it is covered."""

    shown: Shown
    cells: Bools = field(repr=False)  # (G, G) True where covered
    fill: Fill
    name: str

    @property
    def id(self) -> str:
        return f"{self.shown.id}#{self.name}"

    @property
    def attributes(self) -> Mapping[str, str]:
        return {**self.shown.attributes, "covered": self._digits}

    @property
    def digest(self) -> str:
        params = {"cells": self._digits, "fill": self.fill}
        return recipe_digest("attention_shift.covered", VERSION, [self.shown.digest], params)

    @property
    def _digits(self) -> str:
        return "".join("01"[cell] for cell in self.cells.ravel().tolist())

    def load(self) -> Image.Image:
        from PIL import Image as pil

        covered = spread_cells(self.cells, SIDE)[..., None]
        return pil.fromarray(np.where(covered, cover(self.shown, self.fill), drawn(self.shown)[0]))


@lru_cache(maxsize=DRAWN)
def drawn(shown: Shown) -> tuple[Pixels, Bools | None]:
    """Picture (SIDE, SIDE, 3) and mask (SIDE, SIDE)."""
    image = shown.base.load()
    if "A" not in image.getbands() or bool((np.asarray(image.getchannel("A")) == 255).all()):
        return np.asarray(fit_photograph(image, SIDE).convert("RGB")), None
    alpha_mask(image, shown.base.id)
    rng = np.random.default_rng(shown.seed)
    side = round(shown.size * SIDE)
    left, top = (int(place) for place in rng.integers(0, SIDE - side + 1, size=2))
    return _on_ground(fit_cutout(image, side, shown.base.id), left, top, _ground(shown.ground, rng))


@lru_cache(maxsize=DRAWN)
def cover(shown: Shown, fill: Fill) -> Pixels:
    """(SIDE, SIDE, 3): what is seen where a patch is covered."""
    from scipy.ndimage import gaussian_filter

    pixels = drawn(shown)[0].astype(np.float32)
    if fill == "mean":
        pixels[:] = pixels.mean(axis=(0, 1))
    else:
        pixels = gaussian_filter(pixels, (BLUR, BLUR, 0), mode="nearest")
    return pixels.round().astype(np.uint8)


def shown_of(base: ImageRef, ground: Ground, size: float, seed: int) -> Shown:
    """The picture of an item, its place drawn from the cell's seed and the item."""
    return Shown(base, ground, size, seed_from(seed, base.id))


def _on_ground(cutout: Image.Image, left: int, top: int, ground: Image.Image) -> tuple[Pixels, Bools]:
    from PIL import Image as pil

    layer = pil.new("RGBA", ground.size, (0, 0, 0, 0))
    layer.paste(cutout, (left, top))
    mask = np.asarray(layer.getchannel("A")) >= 128
    if not mask.any():
        raise ImageError("nothing of the object is left at this size")
    return np.asarray(pil.alpha_composite(ground, layer).convert("RGB")), mask


def _ground(kind: Ground, rng: np.random.Generator) -> Image.Image:
    """White, or noise whose amplitude falls as one over frequency, as in photographs (Field 1987)."""
    from PIL import Image as pil

    if kind == "white":
        return pil.new("RGBA", (SIDE, SIDE), (255, 255, 255, 255))
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(SIDE), np.fft.rfftfreq(SIDE), indexing="ij"))
    frequency[0, 0] = np.inf
    noise = np.fft.rfft2(rng.standard_normal((3, SIDE, SIDE))) / frequency
    clouds = np.fft.irfft2(noise, s=(SIDE, SIDE)).transpose(1, 2, 0)
    return pil.fromarray((128 + 40 * clouds / clouds.std()).clip(0, 255).astype(np.uint8)).convert("RGBA")
