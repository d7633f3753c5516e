"""Rates of groups with the uncertainty that natural units (clusters) leave them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clipaudit.results import Interval

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_Z_SUM = 2.8016  # normal quantiles at 97.5 % and 80 %: two-sided alpha .05, power .8


@dataclass(frozen=True)
class Rates:
    """Rates of k groups.

    n: (k,) items. units: (k,) natural units that the items come from. p: (k,) rates. covariance: (k, k) of p as
    estimates; off the diagonal not zero where a unit has items in several groups.
    """

    n: Ints
    units: Ints
    p: Floats
    covariance: Floats

    @property
    def effective(self) -> Floats:
        """(k,) number of independent items that would leave the same uncertainty; at most n (Kish 1965).

        n where each item is its own unit; the number of units where a unit's items all agree, or all items do.
        """
        spread, variance = self.p * (1 - self.p), np.diag(self.covariance)
        with np.errstate(divide="ignore", invalid="ignore"):
            found = np.where((spread > 0) & (variance > 0), 1 + spread / variance, self.units)
        return np.minimum(found, self.n)

    @property
    def pooled(self) -> float:
        """The rate over all items."""
        return float((self.n * self.p).sum() / self.n.sum())


def group_rates(values: NDArray[np.bool_], groups: Ints, clusters: Ints, k: int) -> Rates:
    """Rates of `values` (n,) in `groups` (n,), numbers below k; each group has an item. clusters: (n,) natural units.

    Covariance: linearised, with sums of residuals per cluster (Binder 1983), times m / (m - 1) for m units: of single
    items that is p (1 - p) / (n - 1).

    >>> group_rates(np.array([True, False, True, True]), np.array([0, 0, 1, 1]), np.arange(4), 2).p.tolist()
    [0.5, 1.0]
    """
    n = np.bincount(groups, minlength=k)
    p = np.bincount(groups, weights=values, minlength=k) / n
    number = np.unique(clusters, return_inverse=True)[1]
    size = int(number.max(initial=-1)) + 1
    place = number * k + groups
    units = (np.bincount(place, minlength=size * k).reshape(size, k) > 0).sum(axis=0)
    sums = np.bincount(place, weights=values - p[groups], minlength=size * k).reshape(size, k)
    scaled = sums / n * np.sqrt(units / np.maximum(units - 1, 1))
    return Rates(n, units, p, scaled.T @ scaled)


def wilson_rate(p: float, effective: float, plain: bool, level: float = 0.95) -> Interval:
    """Wilson interval at an effective sample size (Franco et al. 2019); `plain`: it is the number of items."""
    from statsmodels.stats.proportion import proportion_confint

    low, high = proportion_confint(p * effective, effective, alpha=1 - level, method="wilson")
    ends = (0.0 if p == 0 else float(low), 1.0 if p == 1 else float(high))  # rounding leaves 1e-18 for 0
    method = "Wilson" if plain else f"Wilson at the effective size of {effective:,.1f}"
    return Interval(low=min(ends[0], p), high=max(ends[1], p), level=level, method=method)


def exact_limits(rates: Rates, critical: float) -> tuple[Floats, Floats]:
    """(k,) lower and upper limits of the rates, each with the error of a normal quantile: Clopper and Pearson 1934, at
    the effective sizes (Korn and Graubard 1998)."""
    from scipy.special import betaincinv, ndtr

    tail, hits, misses = ndtr(-critical), rates.p * rates.effective, (1 - rates.p) * rates.effective
    low = np.where(hits > 0, betaincinv(np.maximum(hits, 1e-9), misses + 1, tail), 0.0)
    high = np.where(misses > 0, betaincinv(hits + 1, np.maximum(misses, 1e-9), 1 - tail), 1.0)
    return np.clip(low, 0.0, rates.p), np.clip(high, rates.p, 1.0)


def steadied(rates: Rates) -> Floats:
    """(k, k) covariance with variances of at least those of rates with two more units of either kind.

    A rate of 0 or 1 is not known exactly (Agresti and Coull 1998).
    """
    units = rates.units + 4
    drawn = (rates.units * rates.p + 2) / units
    least = drawn * (1 - drawn) / units
    return np.asarray(rates.covariance + np.diag(np.maximum(least - np.diag(rates.covariance), 0.0)))


def detectable(rates: Rates) -> list[float | None]:
    """For each group the smallest difference from all others together that a two-sided test would show with 80 % power.

    Normal approximation with both rates near the pooled one. None where no item, or every item, is a success: how much
    rates vary is then not known.
    """
    pooled, sizes = rates.pooled, rates.effective
    rest = sizes.sum() - sizes
    if not 0 < pooled < 1 or len(sizes) < 2:
        return [None] * len(sizes)
    found = _Z_SUM * np.sqrt(pooled * (1 - pooled) * (1 / sizes + 1 / rest))
    return [float(value) if value <= max(pooled, 1 - pooled) else None for value in found]
