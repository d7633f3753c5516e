"""Pictures cut into a grid of square patches, which change places or are turned."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.float64]  # (side, side, 3)


def shuffled(pixels: Pixels, grid: int, rng: np.random.Generator) -> Pixels:
    """The patches of a grid x grid change places at random, and none stays where it was (one cycle over all: Sattolo
    1986). Grid 1 is the picture as it is. Where the side is no multiple of the grid, a rim of less than grid px stays.
    """
    patches, inner = _cut(pixels, grid)
    order = np.arange(len(patches))
    for i in range(len(order) - 1, 0, -1):
        j = int(rng.integers(i))
        order[[i, j]] = order[[j, i]]
    return _laid(pixels, patches[order], grid, inner)


def turned(pixels: Pixels, grid: int, rng: np.random.Generator) -> Pixels:
    """Each patch of a grid x grid is turned in its place by a quarter, a half or three quarters, each as likely.

    Grid 1 is the picture as it is: there is one patch, and a turned picture is another question.
    """
    if grid == 1:
        return pixels.copy()
    patches, inner = _cut(pixels, grid)
    turns = rng.integers(1, 4, size=len(patches))
    made = [np.rot90(patch, int(turn)) for patch, turn in zip(patches, turns, strict=True)]
    return _laid(pixels, np.stack(made), grid, inner)


def _cut(pixels: Pixels, grid: int) -> tuple[Pixels, slice]:
    """(grid ** 2, side, side, 3) patches in scan order, and where they lie along each axis."""
    side = len(pixels) // grid
    start = (len(pixels) - grid * side) // 2
    inner = slice(start, start + grid * side)
    blocks = pixels[inner, inner].reshape(grid, side, grid, side, 3)
    return blocks.swapaxes(1, 2).reshape(grid * grid, side, side, 3), inner


def _laid(pixels: Pixels, patches: Pixels, grid: int, inner: slice) -> Pixels:
    side = patches.shape[1]
    made = pixels.copy()
    made[inner, inner] = patches.reshape(grid, grid, side, side, 3).swapaxes(1, 2).reshape(grid * side, grid * side, 3)
    return made
