"""Who is at the top of a ranking: skew, NDKL, bias, entropy. Pure functions, vectorised over any leading axes.

Geyik, Ambler and Kenthapadi 2019, "Fairness-aware ranking in search and recommendation systems", section 4.1; a count
of zero is taken as one (a share of 1/k), as in Berg et al. 2022. Groups are the last axis of every array of counts.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def skew(counts: ArrayLike, target: ArrayLike) -> Floats:
    """Skew_g@k = ln(share of group g in the top k / target share): (..., G) counts to (..., G).

    k is the sum of the counts, `target` (..., G) is broadcast. Zero counts are taken as one.

    >>> skew([4, 1, 0], [1 / 3, 1 / 3, 1 / 3]).round(3).tolist()
    [0.875, -0.511, -0.511]
    """
    top = np.asarray(counts, np.float64)
    k = top.sum(axis=-1, keepdims=True)
    return np.asarray(np.log(np.maximum(top, 1.0)) - np.log(k) - np.log(np.asarray(target, np.float64)))


def bias(first: ArrayLike, second: ArrayLike) -> Floats:
    """Bias@K = (first - second) / (first + second), counts in the top K (Wang, Liu and Wang 2021); 0 without either.

    >>> bias([3, 0], [1, 0]).tolist()
    [0.5, 0.0]
    """
    one, two = np.asarray(first, np.float64), np.asarray(second, np.float64)
    return np.asarray((one - two) / np.maximum(one + two, 1e-300))


def divergence(counts: ArrayLike, target: ArrayLike) -> Floats:
    """KL(shares || target) in nats, (..., G) to (...); 0 where there are no counts at all.

    >>> divergence([1, 0], [0.5, 0.5]).round(4).item()
    0.6931
    """
    top = np.asarray(counts, np.float64)
    total = np.maximum(top.sum(axis=-1), 1e-300)
    logs = np.log(np.maximum(top, 1e-300)) - np.log(np.asarray(target, np.float64))
    return np.asarray((top * logs).sum(axis=-1) / total - np.log(total) * (top.sum(axis=-1) > 0))


def discounts(n: int) -> Floats:
    """(n + 1,) cumulated weights of ranks: entry m is the sum over i = 1..m of 1 / log2(i + 1)."""
    return np.concatenate([[0.0], np.cumsum(1 / np.log2(np.arange(n) + 2))])


def ndkl(ranked: ArrayLike, target: ArrayLike) -> Floats:
    """Normalised discounted KL (Geyik 2019, equation 3): ranked groups (q, n) to (q,).

    Args:
        ranked: number of the group at each rank; -1 beyond the end of a shorter ranking.
        target: (G,) or (q, G) shares to be compared with.

    >>> ndkl([[0, 1]], [0.5, 0.5]).round(4).tolist()
    [0.425]
    """
    groups = np.atleast_2d(np.asarray(ranked))
    shares = np.broadcast_to(np.asarray(target, np.float64), (len(groups), np.shape(target)[-1]))
    steps = np.diff(discounts(groups.shape[1]))
    result = np.empty(len(groups))
    for start in range(0, len(groups), 16):  # pieces that stay in the processor's cache
        part = groups[start : start + 16]
        counts = np.cumsum(part[..., None] == np.arange(shares.shape[1]), axis=1, dtype=np.int32)
        at = divergence(counts, shares[start : start + 16, None])
        weights = steps * (part >= 0)
        result[start : start + 16] = (at * weights).sum(axis=1) / np.maximum(weights.sum(axis=1), 1e-300)
    return result


def normalised_entropy(counts: ArrayLike, target: ArrayLike | None = None) -> Floats:
    """Entropy of the shares over ln G, in 0..1: 1 = every group as often; (..., G) to (...).

    With a `target` (..., G), 1 means that the shares are the target's: the counts are divided by it first, so that a
    group that is rare in the pool is not taken for one that is kept from the top.

    >>> normalised_entropy([[5, 5], [5, 0]]).tolist(), normalised_entropy([9, 1], [0.9, 0.1]).item()
    ([1.0, 0.0], 1.0)
    """
    top = np.asarray(counts, np.float64)
    if target is not None:
        top = top / np.asarray(target, np.float64)
    shares = top / np.maximum(top.sum(axis=-1, keepdims=True), 1e-300)
    entropy = -(shares * np.log(np.maximum(shares, 1e-300))).sum(axis=-1)
    return np.asarray(np.clip(entropy / np.log(top.shape[-1]), 0.0, 1.0) + 0.0)  # no minus zero
