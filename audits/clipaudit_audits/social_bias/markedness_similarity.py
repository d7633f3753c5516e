"""Self-similarity: how alike a group's images are to the model, as the mean cosine over pairs of different units.

Wolfe and Caliskan 2022 take the mean over pairs of images. A pair of an image with itself, or of two images of one
natural unit, would make small groups look alike: pairs are drawn without replacement, here all of them. The sum over
them follows from sums of vectors, so no matrix of pairs is needed; the interval is the delete-one-unit jackknife of a
U-statistic (Arvesen 1969), which needs only each image's mean cosine to the others.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from clipaudit.results import Interval, Test

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def mean_to_others(vectors: Floats, groups: Ints, clusters: Ints) -> Floats:
    """(n,) mean cosine of each image to the images of other units in its group.

    vectors: (n, d) unit vectors. groups: (n,) numbers, -1 for none. NaN where there is no image of another unit.

    >>> mean_to_others(np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]), np.zeros(3, int), np.arange(3)).tolist()
    [0.5, 0.5, 0.0]
    """
    found = np.full(len(vectors), np.nan)
    for group in np.unique(groups[groups >= 0]):
        inside = np.flatnonzero(groups == group)
        own = np.asarray(vectors[inside], dtype=np.float64)
        number, sizes = np.unique(clusters[inside], return_inverse=True, return_counts=True)[1:]
        sums = np.zeros((len(sizes), own.shape[1]))
        np.add.at(sums, number, own)
        dots = (own * (sums.sum(axis=0) - sums[number])).sum(axis=1)
        others = len(inside) - sizes[number]
        found[inside[others > 0]] = dots[others > 0] / others[others > 0]
    return found


class Similarity(NamedTuple):
    """Of k groups: n (k,) images, units (k,), value (k,), and left_out (units, k): the value without one unit."""

    n: Ints
    units: Ints
    value: Floats
    left_out: Floats


def similarity(means: Floats, groups: Ints, clusters: Ints, k: int) -> Similarity:
    """From `mean_to_others` (n,): the mean over pairs of each of k groups, and without each unit.

    NaN below two units.
    """
    kept = (groups >= 0) & np.isfinite(means)
    means, groups = means[kept], groups[kept]
    number = np.unique(clusters[kept], return_inverse=True)[1]
    size = int(number.max(initial=-1)) + 1
    place = number * k + groups
    items = np.bincount(place, minlength=size * k).reshape(size, k).astype(np.float64)
    n = items.sum(axis=0)
    others = n[groups] - items[number, groups]
    sums = np.bincount(place, weights=means * others, minlength=size * k).reshape(size, k)
    pairs = items * (n - items)
    with np.errstate(invalid="ignore", divide="ignore"):
        value = sums.sum(axis=0) / pairs.sum(axis=0)
        left_out = (sums.sum(axis=0) - 2 * sums) / (pairs.sum(axis=0) - 2 * pairs)
    return Similarity(n.astype(np.int64), (items > 0).sum(axis=0), value, left_out)


def jackknife(left_out: Floats) -> float:
    """Standard error from the values without each of m units (m,) (Efron and Tibshirani 1993, equation 11.5).

    >>> round(jackknife(np.array([1.0, 2.0, 3.0])), 3)  # (m - 1) / m times the sum of squares about the mean
    1.155
    """
    m = len(left_out)
    return float(np.sqrt((m - 1) / m * ((left_out - left_out.mean()) ** 2).sum()))


def with_t(value: float, error: float, units: int, level: float = 0.95) -> tuple[Interval, Test]:
    """Interval and two-sided test against 0, by Student's t with units - 1 degrees of freedom."""
    from scipy.special import stdtr, stdtrit

    half = float(stdtrit(units - 1, (1 + level) / 2)) * error
    p = 2 * float(stdtr(units - 1, -abs(value) / error)) if error > 0 else 1.0
    method = f"jackknife over {units:,} units, t"
    interval = Interval(low=value - half, high=value + half, level=level, method=method)
    return interval, Test(p=max(p, 1e-300), method=f"t of the {method.removesuffix(', t')}")
