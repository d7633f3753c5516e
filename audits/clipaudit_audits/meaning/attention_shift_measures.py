"""Arithmetic of relevance maps. A map is (G, G), signed; its share is what is positive, made to sum to one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

LEVELS = (0.2, 0.4)  # shares of the patches that are covered in the deletion curve, and their complements


def share(relevance: Floats) -> Floats | None:
    """Positive relevance of each patch as a share of all; None where none is positive."""
    positive = np.clip(relevance, 0, None)
    total = positive.sum()
    return np.asarray(positive / total) if total > 0 else None


def divergence(a: Floats, b: Floats) -> float:
    """Jensen-Shannon divergence of two shares in bits: 0 for the same, 1 for shares that nowhere overlap (Lin 1991).

    >>> divergence(np.array([1.0, 0.0]), np.array([0.0, 1.0]))
    1.0
    """
    from scipy.special import rel_entr

    middle = (a + b) / 2
    bits = (rel_entr(a, middle).sum() + rel_entr(b, middle).sum()) / (2 * np.log(2))
    return float(np.clip(bits, 0, 1))


def correlation(a: Floats, b: Floats) -> float | None:
    """Pearson's, over patches; None where a map is the same everywhere."""
    rows = np.stack([a.ravel(), b.ravel()])
    if not np.ptp(rows, axis=1).all():
        return None
    rows = rows - rows.mean(axis=1, keepdims=True)
    return float(np.clip(rows[0] @ rows[1] / np.linalg.norm(rows, axis=1).prod(), -1, 1))


def rank_correlation(a: Floats, b: Floats) -> float | None:
    """Spearman's, over patches; None where a map is the same everywhere."""
    from scipy.stats import rankdata

    return correlation(rankdata(a), rankdata(b))


def centre(of: Floats) -> Floats:
    """(2,) centre of mass, down and right, in sides of the picture.

    >>> centre(np.array([[0.0, 1.0], [0.0, 0.0]])).tolist()
    [0.25, 0.75]
    """
    places = (np.arange(len(of)) + 0.5) / len(of)
    return np.array([of.sum(axis=1) @ places, of.sum(axis=0) @ places])


def distance(a: Floats, b: Floats) -> float:
    """Between the centres of mass of two shares, in sides of the picture."""
    return float(np.linalg.norm(centre(a) - centre(b)))


def mass(of: Floats, mask: Floats) -> float:
    """Share of the relevance that lies on the object; mask (G, G) is how much of each patch does."""
    return float(np.clip((of * mask).sum(), 0, 1))


def hit(relevance: Floats, mask: Floats) -> bool:
    """Pointing game (Zhang et al. 2016): whether the patch of most relevance lies mostly on the object."""
    return bool(mask.ravel()[int(relevance.argmax())] >= 0.5)


def order(relevance: Floats, rng: np.random.Generator) -> NDArray[np.intp]:
    """(G * G,) patches from most to least relevant; equal ones in random order."""
    values = relevance.ravel()
    return np.lexsort((rng.random(values.size), -values))


def counts(patches: int) -> list[int]:
    """How many patches are covered at each step of a curve; symmetric, so that a curve can be read backwards.

    >>> counts(49)
    [10, 20, 29, 39]
    """
    few = [round(level * patches) for level in LEVELS]
    return [*few, *(patches - count for count in reversed(few))]


def first_cells(ranked: NDArray[np.intp], count: int, grid: int) -> Bools:
    """(G, G) True for the first `count` patches of an order."""
    cells = np.zeros(grid * grid, np.bool_)
    cells[ranked[:count]] = True
    return cells.reshape(grid, grid)


def area(start: float, steps: Floats, end: float, patches: int) -> float:
    """Mean height of a curve of scores from no patch to all of them, by trapezoids (Petsiuk et al. 2018)."""
    at = np.array([0, *counts(patches), patches]) / patches
    return float(np.trapezoid([start, *steps, end], at))
