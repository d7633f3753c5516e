"""Cohen's kappa between the trial-by-trial correctness of two deciders. Pure.

kappa = (c_obs - c_exp) / (1 - c_exp), c_exp = p1 p2 + (1 - p1)(1 - p2) (Geirhos, Meding, Wichmann 2020, section 2).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Statistic = Callable[[Floats], Floats]


def kappa(first: Floats, second: Floats) -> float | None:
    """Error consistency of two deciders.

    Args:
        first, second: (n,) 1 right, 0 wrong, NaN without an answer; trials that both answered count.

    None where no trial is shared, or agreement by chance is certain (both always right, or both always wrong).

    >>> kappa(np.array([1.0, 1, 0, 0]), np.array([1.0, 1, 0, 1]))
    0.5
    """
    value = float(kappas(np.stack([first, second]), [(0, 1)])(np.ones((1, len(first))))[0, 0])
    return value if np.isfinite(value) else None


def kappas(correct: Floats, pairs: list[tuple[int, int]]) -> Statistic:
    """A function from multiplicities of trials (R, n) to the kappa of each pair (R, P); NaN where not defined.

    correct: (k, n) as in `kappa`, one row per decider.
    """
    answered = np.isfinite(correct)
    right = np.where(answered, correct, 0.0)
    one, two = (np.array([pair[side] for pair in pairs]) for side in (0, 1))
    shared = (answered[one] & answered[two]).astype(np.float64)
    parts = [shared, shared * right[one], shared * right[two], shared * (right[one] == right[two])]

    def of(counts: Floats) -> Floats:
        n, first, second, same = (counts @ part.T for part in parts)
        with np.errstate(divide="ignore", invalid="ignore"):
            p1, p2 = first / n, second / n
            expected = p1 * p2 + (1 - p1) * (1 - p2)
            return np.asarray(np.where(1 - expected > 1e-12, (same / n - expected) / (1 - expected), np.nan))

    return of


def mean_of(statistic: Statistic) -> Statistic:
    """(R, n) to the mean kappa (R,) over the pairs for which it is defined; NaN where it is for none."""

    def of(counts: Floats) -> Floats:
        values = statistic(counts)
        defined = np.isfinite(values)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(np.where(defined, values, 0.0).sum(axis=1) / defined.sum(axis=1))

    return of


def attainable(p1: float, p2: float) -> tuple[float, float]:
    """The lowest and the highest kappa that two accuracies allow (Geirhos 2020, appendix).

    >>> attainable(0.5, 0.5)
    (-1.0, 1.0)
    """
    expected = p1 * p2 + (1 - p1) * (1 - p2)
    if 1 - expected < 1e-12:
        return (float("nan"), float("nan"))
    low, high = abs(p1 + p2 - 1), 1 - abs(p1 - p2)
    return ((low - expected) / (1 - expected), (high - expected) / (1 - expected))


def shuffled_means(model: Floats, observers: Floats, seed: int, draws: int) -> Floats:
    """(draws,) mean kappa with the observers (k, n) when the model's (n,) right answers fall on trials by chance.

    Each draw permutes the model's answers over the trials that it answered: its accuracy stays as it is.
    """
    kept = np.isfinite(model)
    own, others = model[kept], observers[:, kept]
    answered = np.isfinite(others).astype(np.float64)
    right = np.where(answered > 0, others, 0.0)
    n, theirs = answered.sum(axis=1), right.sum(axis=1)
    rng = np.random.default_rng(seed)
    found = []
    for start in range(0, draws, 500):
        mixed = rng.permuted(np.tile(own, (min(500, draws - start), 1)), axis=1)
        mine, both = mixed @ answered.T, mixed @ right.T
        p1, p2 = mine / n, theirs / n
        expected = p1 * p2 + (1 - p1) * (1 - p2)
        observed = (2 * both + n - mine - theirs) / n
        with np.errstate(divide="ignore", invalid="ignore"):
            values = np.where(1 - expected > 1e-12, (observed - expected) / (1 - expected), np.nan)
        defined = np.isfinite(values)
        found.append(np.where(defined, values, 0.0).sum(axis=1) / np.maximum(defined.sum(axis=1), 1))
    return np.concatenate(found)
