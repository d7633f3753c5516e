"""Intervals in closed form."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from clipaudit.results import Interval
from clipaudit.stats.clusters import finite


def wilson(successes: int, n: int, level: float = 0.95) -> Interval:
    """Wilson score interval of a proportion of n independent items (Wilson 1927).

    Without an interval for n = 0. Raises ValueError unless 0 <= successes <= n.

    >>> interval = wilson(8, 10)
    >>> round(interval.low, 3), round(interval.high, 3)
    (0.49, 0.943)
    """
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} successes of {n}: need 0 <= successes <= n")
    if n == 0:
        return Interval(low=None, high=None, level=level, method="Wilson: no items")
    from statsmodels.stats.proportion import proportion_confint

    low, high = proportion_confint(successes, n, alpha=1 - level, method="wilson")
    low = 0.0 if successes == 0 else float(low)  # rounding leaves 1e-18 where the closed form is 0
    high = 1.0 if successes == n else float(high)
    return Interval(low=low, high=high, level=level, method="Wilson")


def t_mean(values: ArrayLike, level: float = 0.95, unit: str = "units") -> Interval:
    """Student's interval of the mean of independent values (n,): where these are so few that a bootstrap is too short.

    Without an interval for fewer than two values, or where all are the same.

    >>> interval = t_mean([1.0, 2.0, 3.0])
    >>> round(interval.low, 3), round(interval.high, 3)
    (-0.484, 4.484)
    """
    array = finite(values)
    if array.size < 2:
        return Interval(low=None, high=None, level=level, method=f"no interval: {array.size} {unit}")
    mean, error = float(array.mean()), float(array.std(ddof=1)) / array.size**0.5
    if np.ptp(array) <= 1e-14 * max(1.0, abs(mean)):
        return Interval(low=None, high=None, level=level, method=f"no interval: all {unit} give the same value")
    from scipy.stats import t

    half = float(t.ppf((1 + level) / 2, array.size - 1)) * error
    return Interval(low=mean - half, high=mean + half, level=level, method=f"t over {array.size:,} {unit}")
