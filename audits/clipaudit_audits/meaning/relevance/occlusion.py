"""Occlusion: what a score loses when a patch is covered. Needs nothing of a model but its scores, and is exact.

Zeiler, Fergus 2014, Visualizing and understanding convolutional networks, section 4.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def occlusion(whole: Floats, covered: Floats) -> Floats:
    """Drop of each score by each patch.

    Args:
        whole: (P,) scores of the whole image for P texts.
        covered: (G * G, P) scores with one patch covered, patches row by row.

    Returns (P, G, G), signed: negative where a patch hides what the text names.
    """
    side = round(len(covered) ** 0.5)
    if side * side != len(covered):
        raise ValueError(f"{len(covered)} patches are no square grid")
    return np.asarray((whole - covered).T.reshape(-1, side, side))


def cell_edges(side: int, grid: int) -> NDArray[np.int64]:
    """(grid + 1,) pixel at which each cell of a row begins, and the end; cells differ by one pixel at most.

    >>> cell_edges(10, 4).tolist()
    [0, 2, 5, 8, 10]
    """
    return np.round(np.linspace(0, side, grid + 1)).astype(np.int64)


def spread_cells(cells: Bools | Floats, side: int) -> NDArray[np.generic]:
    """Values of (G, G) cells at each of (side, side) pixels."""
    counts = np.diff(cell_edges(side, len(cells)))
    return np.repeat(np.repeat(cells, counts, axis=0), counts, axis=1)


def cell_means(values: Floats | Bools, grid: int) -> Floats:
    """Mean of (side, side) pixels over each of (grid, grid) cells."""
    edges = cell_edges(len(values), grid)
    sums = np.add.reduceat(np.add.reduceat(values.astype(np.float64), edges[:-1], axis=0), edges[:-1], axis=1)
    return np.asarray(sums / np.outer(np.diff(edges), np.diff(edges)))
