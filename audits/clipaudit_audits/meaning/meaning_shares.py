"""Shares of items in clusters: their interval, their test against chance, and what chance gives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from clipaudit.contract import Outcomes
from clipaudit.results import Estimate, Interval, Null, Status, Test
from clipaudit.stats.bootstrap import bca_mean
from clipaudit.stats.clusters import totals
from clipaudit.stats.intervals import wilson
from clipaudit.stats.null import null_from_draws
from clipaudit.stats.paired import sign_flip_test, sign_flips
from clipaudit.stats.power import mde_null

if TYPE_CHECKING:
    from clipaudit.contract import MetricSpec

Floats = NDArray[np.float64]


class Tested(NamedTuple):
    """A mean against a centre: the test, what chance gives, and the smallest distance that would have shown (None:
    no possible one would)."""

    test: Test
    null: Null
    detectable: float | None

    @property
    def notes(self) -> tuple[str, ...]:
        return () if self.detectable else ("Too few items, or items that do not vary: no effect would have shown.",)


def chosen(first: Floats, second: Floats) -> Floats:
    """(n,) 1 where the first score is higher, 0 where the second is; a tie, rounding apart, is half a choice. NaN,
    where a score is missing, stays NaN.

    >>> chosen(np.array([0.3, 0.2, 0.1]), np.array([0.1, 0.2, 0.3])).tolist()
    [1.0, 0.5, 0.0]
    """
    result = np.where(np.isclose(first, second, rtol=1e-6, atol=1e-12), 0.5, (first > second).astype(float))
    result[np.isnan(first) | np.isnan(second)] = np.nan
    return np.asarray(result)


def tested(values: Floats, centre: float, clusters: Sequence[str], seed: int, most: float, units: str) -> Tested:
    """Sign-flip test of the mean of values (n,) against `centre`, whole clusters flipping together.

    most: the largest distance from the centre that there can be. units: what the clusters are ("images").
    """
    sums = totals(values - centre, clusters)
    draws, exact = sign_flips(sums, seed)
    test = sign_flip_test(draws, float(sums.sum()), exact, sums.size)
    how = f"signs of {sums.size:,} {units} flipped ({draws.size:,} patterns)"
    null = null_from_draws(centre + draws / len(values), how).model_copy(update={"mean": centre})
    detectable = mde_null(null.sd) if null.sd else None
    return Tested(test, null, detectable if detectable is not None and detectable <= most else None)


def interval_of(hits: Floats, clusters: Sequence[str], seed: int, units: str) -> Interval:
    """Interval of a mean of hits (n,) in 0..1 over clusters; where all are alike, Wilson with the clusters as items."""
    interval = bca_mean(hits, clusters, seed, unit=units)
    if interval.low is not None:
        return interval
    k = len(set(clusters))
    found = wilson(round(float(hits.mean()) * k), k)
    return found.model_copy(update={"method": f"Wilson, {k:,} {units} as items"})


def mean_of(items: Sequence[str], values: Floats, clusters: Sequence[str], scale: float = 1.0) -> Outcomes:
    """What each item contributes to scale times the mean of `values` (n,)."""
    return Outcomes(tuple(items), values, np.ones(len(values)), tuple(clusters), scale)


def estimate(
    spec: MetricSpec, value: float, clusters: Sequence[str], interval: Interval | None, **more: Any
) -> Estimate:
    """An estimate of `spec` over items in clusters; `more`: other fields, or other values for those of `spec`."""
    status = Status.TOO_SMALL if len(clusters) < spec.min_n else Status.DESCRIBED
    fixed: dict[str, Any] = {
        "title": spec.title, "direction": spec.direction, "role": "secondary", "status": status,
        "null_value": spec.null_value,
    }  # fmt: skip
    return Estimate(
        metric=spec.name, value=value, unit=spec.unit, interval=interval, n=len(clusters),
        clusters=len(set(clusters)), cluster_key=spec.cluster_key, **{**fixed, **more},
    )  # fmt: skip
