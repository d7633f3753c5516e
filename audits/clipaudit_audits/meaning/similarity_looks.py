"""What an image looks like, whatever it shows: its colours and its fine texture, as unit vectors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from clipaudit.images import to_rgb

if TYPE_CHECKING:
    from PIL import Image

Cue = Literal["colour", "texture"]
CUES: tuple[Cue, ...] = ("colour", "texture")
Floats = NDArray[np.float64]

SIDE = 128  # longest side of what is looked at, in pixels
LEVELS = 4  # of each channel: 64 colours
SCALES = (1, 2)  # of texture, in pixels of what is looked at
_RING = ((-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1))
_OPAQUE = 128


def looks(image: Image.Image) -> Mapping[Cue, Floats]:
    """Colours (64,) and textures (20,): roots of histograms, so that a dot product is the Bhattacharyya coefficient
    (1: the same histogram, 0: nothing shared). Of a cut-out the object alone is looked at."""
    small = image.copy()
    small.thumbnail((SIDE, SIDE))
    seen = _opaque(small)
    pixels = np.asarray(to_rgb(small), dtype=np.int64)
    return {cue: _LOOKS[cue](pixels, seen) for cue in CUES}


def _opaque(image: Image.Image) -> NDArray[np.bool_]:
    if "A" in image.getbands():
        mask = np.asarray(image.getchannel("A")) >= _OPAQUE
        if mask.any():
            return mask
    return np.ones((image.height, image.width), np.bool_)


def colours(pixels: NDArray[np.int64], seen: NDArray[np.bool_]) -> Floats:
    """(64,) root of the histogram of colours (Swain and Ballard 1991) of the pixels (h, w, 3) that are `seen`."""
    bins = (pixels * LEVELS // 256) @ np.array([LEVELS**2, LEVELS, 1])
    return _roots(np.bincount(bins[seen], minlength=LEVELS**3))


def textures(pixels: NDArray[np.int64], seen: NDArray[np.bool_]) -> Floats:
    """(20,) root of the histograms of local binary patterns at both scales, rotation-invariant and uniform (Ojala,
    Pietikainen and Maenpaa 2002, equation 9), of grey values; patterns that reach past what is `seen` are left out."""
    grey = pixels @ np.array([299, 587, 114]) // 1000
    return _roots(np.concatenate([_patterns(grey, seen, scale) for scale in SCALES]))


def _patterns(grey: NDArray[np.int64], seen: NDArray[np.bool_], reach: int) -> NDArray[np.int64]:
    """(10,) counts: how many of 8 neighbours at distance `reach` are as bright, or 9 where they alternate."""
    height, width = grey.shape
    if min(height, width) <= 2 * reach:
        return np.zeros(10, np.int64)

    def moved(values: NDArray[Any], dy: int, dx: int) -> NDArray[Any]:
        return values[reach + dy * reach : height - reach + dy * reach, reach + dx * reach : width - reach + dx * reach]

    bright = np.stack([moved(grey, dy, dx) >= moved(grey, 0, 0) for dy, dx in _RING])
    inside = np.logical_and.reduce([moved(seen, dy, dx) for dy, dx in (*_RING, (0, 0))])
    changes = (bright != np.roll(bright, 1, axis=0)).sum(axis=0)
    codes = np.where(changes <= 2, bright.sum(axis=0), 9)
    return np.bincount(codes[inside], minlength=10)


def _roots(counts: NDArray[np.int64]) -> Floats:
    """Zeros where nothing was counted: alike to nothing."""
    return np.asarray(np.sqrt(counts / max(int(counts.sum()), 1)))


_LOOKS: Mapping[Cue, Callable[[NDArray[np.int64], NDArray[np.bool_]], Floats]] = {
    "colour": colours, "texture": textures
}  # fmt: skip
