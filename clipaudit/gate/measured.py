"""A value with its ends, and how far it is from a bound. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from clipaudit.results import Estimate, Interval
from clipaudit.stats.paired_score import change_score


@dataclass(frozen=True)
class Measured:
    """What a rule judges: the value of an estimate, or the change of one from a baseline.

    gained, lost: of n yes-or-no items, those that moved the value up and down; then distances are the score test's,
        and `scale` * (gained - lost) / n is the value. Else they are read off the interval, each side by its width.
    note: why it was measured as it was.
    """

    value: float | None
    interval: Interval | None
    n: int
    clusters: int | None = None
    paired: bool | None = None
    gained: int | None = None
    lost: int | None = None
    scale: float = 1.0
    note: str = ""

    def distance(self, bound: float) -> float | None:
        """Standard errors from `bound` up to the value; None where the interval is open on that side."""
        if self.value is None or self.interval is None:
            return None
        if self.gained is not None and self.lost is not None:
            share = min(1.0, max(-1.0, bound / self.scale))
            return float(change_score(self.gained, self.lost, self.n, share))
        return _distance(self.value, self.interval, bound)

    def error(self, bound: float) -> float | None:
        """Standard error on the side of `bound`; None where it is not known."""
        if self.value is None or self.interval is None:
            return None
        end = self.interval.low if bound < self.value else self.interval.high
        return None if end is None else abs(self.value - end) / _quantile(self.interval.level)


def measured(estimate: Estimate) -> Measured:
    """An estimate as it stands."""
    return Measured(estimate.value, estimate.interval, estimate.n, estimate.clusters)


def difference(after: Measured, before: Measured) -> Measured:
    """after - before of two runs whose items are not paired, by the two intervals (MOVER: Zou and Donner 2008).

    Each end's distance is the root of the squared distances of the two ends that bring it about; conservative where
    the items are the same, as what they share is not taken out.
    """
    n, clusters = min(after.n, before.n), _least(after.clusters, before.clusters)
    if after.value is None or before.value is None:
        return Measured(None, None, n, clusters, paired=False)
    value = after.value - before.value
    low = _side(after.value, _end(after, "low"), before.value, _end(before, "high"))
    high = _side(after.value, _end(after, "high"), before.value, _end(before, "low"))
    level = after.interval.level if after.interval else 0.95
    interval = Interval(
        low=None if low is None else value - low,
        high=None if high is None else value + high,
        level=level,
        method="the two runs' own intervals combined (MOVER)",
    )
    return Measured(value, interval, n, clusters, paired=False)


def mirrored(found: Measured, sign: float, about: float) -> Measured:
    """sign * (value - about), sign +1 or -1: the distance to a null, on the side where the value lies."""
    if found.value is None or found.interval is None:
        return replace(found, value=None if found.value is None else sign * (found.value - about))
    low, high = (None if end is None else sign * (end - about) for end in (found.interval.low, found.interval.high))
    ends = (low, high) if sign > 0 else (high, low)
    return replace(
        found,
        value=sign * (found.value - about),
        interval=found.interval.model_copy(update={"low": ends[0], "high": ends[1]}),
    )


def _distance(value: float, interval: Interval, bound: float) -> float | None:
    """By the width of the side on which `bound` lies. A BCa interval need not hold the value: then by its middle."""
    low, high = interval.low, interval.high
    if low is not None and high is not None and not low <= value <= high:
        value = (low + high) / 2
    if value == bound:
        return 0.0
    end = low if bound < value else high
    if end is None:
        return None
    half = abs(value - end)
    sign = 1.0 if value > bound else -1.0
    return sign * (abs(value - bound) / half * _quantile(interval.level) if half else math.inf)


def _end(found: Measured, side: str) -> float | None:
    end: float | None = None if found.interval is None else getattr(found.interval, side)
    return end


def _side(a: float, a_end: float | None, b: float, b_end: float | None) -> float | None:
    return None if a_end is None or b_end is None else math.hypot(a - a_end, b - b_end)


def _least(a: int | None, b: int | None) -> int | None:
    known = [count for count in (a, b) if count is not None]
    return min(known, default=None)


def _quantile(level: float) -> float:
    from scipy.special import ndtri

    return float(ndtri((1 + level) / 2))
