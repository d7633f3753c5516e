"""The largest difference between groups, with what can honestly be said of it.

max - min is biased upwards: it is above 0 where all groups are alike, and the more so the more and the smaller the
groups are. So it comes with its mean and distribution under permuted groups, a simultaneous lower bound of the true
gap, and the variance between groups corrected for noise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clipaudit.results import Interval, Null, Test
from clipaudit.stats import gap_bounds
from clipaudit.stats.gap_permutation import Permuted, permuted_rates, spreads
from clipaudit.stats.gap_rates import Floats, Ints, Rates, group_rates
from clipaudit.stats.gap_variance import Between, between_variance
from clipaudit.stats.null import null_from_draws
from clipaudit.stats.permutation import p_value


@dataclass(frozen=True)
class Gap:
    """All in the units of the values, 0 to 1. observed: gap, ratio and shortfall; draws: (m,) the same under
    permutation. bound: of the true gap. between: variance between the true rates."""

    rates: Rates
    observed: dict[str, float]
    draws: dict[str, Floats]
    method: str
    bound: Interval
    shortfall_bound: Interval
    worst: Interval
    between: Between

    def null(self, name: str, scale: float = 1.0) -> Null:
        """Distribution of one of `observed` under permutation, times `scale`."""
        return null_from_draws(scale * self.draws[name], self.method)

    @property
    def test(self) -> Test:
        """Permutation test of the gap: that groups are exchangeable."""
        return gap_test(self.draws["gap"], self.observed["gap"], self.method)


def gap_test(draws: Floats, observed: float, method: str) -> Test:
    """One-sided: as large a gap or a larger one, among draws (m,) and the observed one itself."""
    p = p_value(draws, observed, False, "greater")
    return Test(p=p, alternative="greater", method=f"permutation ({method})", smallest_p=1 / (draws.size + 1))


def measure_gap(values: NDArray[np.bool_], groups: Ints, clusters: Ints, k: int, seed: int, stream: int = 0) -> Gap:
    """Gap of the rates of `values` (n,) between k groups (n,), numbers 0 to k - 1; clusters: (n,) natural units.
    Gaps of one seed are drawn independently where they have a `stream` of their own.

    Raises ValueError for fewer than two groups, or one without items.
    """
    if k < 2 or (np.bincount(groups, minlength=k) == 0).any():
        raise ValueError(f"a gap needs at least two groups with items, got {np.bincount(groups, minlength=k).tolist()}")
    rates = group_rates(values, groups, clusters, k)
    rngs = [np.random.default_rng([seed, stream, part]) for part in range(5)]
    permuted: Permuted = permuted_rates(values, groups, clusters, k, rngs[0])
    return Gap(
        rates=rates,
        observed={name: float(value) for name, value in spreads(rates.p).items()},
        draws=spreads(permuted.rates),
        method=permuted.method,
        bound=gap_bounds.gap_bound(rates, rngs[1]),
        shortfall_bound=gap_bounds.shortfall_bound(rates, rngs[2]),
        worst=gap_bounds.worst_interval(rates, rngs[3]),
        between=between_variance(rates, rngs[4]),
    )


@dataclass(frozen=True)
class LargerGap:
    """The larger of two gaps, as equalised odds compares true and false positive rates."""

    value: float
    draws: Floats
    method: str
    bound: Interval


def larger_gap(first: Gap, second: Gap, seed: int) -> LargerGap:
    """The larger of two gaps of disjoint items. Chance: each permuted by itself; drawn with streams of their own.

    Bound: of either, at half the error.
    """
    count = min(first.draws["gap"].size, second.draws["gap"].size)
    draws = np.maximum(first.draws["gap"][:count], second.draws["gap"][:count])
    bounds = [
        gap_bounds.gap_bound(gap.rates, np.random.default_rng([seed, 5 + part]), level=0.975)
        for part, gap in enumerate((first, second))
    ]
    bound = max(bounds, key=lambda one: one.low or 0.0).model_copy(
        update={"level": 0.95, "method": "simultaneous max-|t| over the pairs of both rates, lower bound"}
    )
    return LargerGap(max(first.observed["gap"], second.observed["gap"]), draws, first.method, bound)
