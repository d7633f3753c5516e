"""Which figures leave their binomial band: coverage beside its level, false positives beside theirs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from clipaudit.validation.results import AuditValidation, Curve, Level

COVERAGE, ALPHA = 0.95, 0.05
JOINT = 0.99  # all proportions of an audit whose intervals and tests are exact stay in their bands this often

Kind = Literal["coverage", "false positives"]


class Standing(StrEnum):
    """Where a proportion lies."""

    INSIDE = "inside the band"
    CAUTIOUS = "cautious"  # intervals too wide, tests too rarely rejecting: nothing is claimed that is not there
    OUTSIDE = "outside the band"  # intervals too narrow, or tests rejecting too often


@dataclass(frozen=True)
class Proportion:
    """`hits` of `n` runs, what they should be, and the band in which chance alone leaves them.

    level: index of the curve's level; None: over all of them (`overall`, as is the only one of a curve).
    low, high: 95 % Clopper-Pearson interval. band: the proportions that are inside, ends included.
    """

    kind: Kind
    curve: Curve
    level: int | None
    hits: int
    n: int
    nominal: float
    low: float
    high: float
    band: tuple[float, float]

    @property
    def share(self) -> float:
        return self.hits / self.n

    @property
    def overall(self) -> bool:
        return self.level is None or sum(level.judged_intervals > 0 for level in self.curve.levels) == 1

    @property
    def standing(self) -> Standing:
        if self.band[0] <= self.share <= self.band[1]:
            return Standing.INSIDE
        too_few = self.share < self.band[0]
        return Standing.OUTSIDE if too_few == (self.kind == "coverage") else Standing.CAUTIOUS


def proportions(audit: AuditValidation) -> list[Proportion]:
    """All that can be judged: coverage of each level and of all levels of a curve, false positives of its null.

    A band holds the central 1 - (1 - JOINT) / m of Binomial(n, nominal), m proportions (Bonferroni).
    """
    counted = [(curve, *each) for curve in audit.curves for each in _counts(curve)]
    return [
        Proportion(kind, curve, level, hits, n, nominal, *clopper_pearson(hits, n), band(n, nominal, len(counted)))
        for curve, kind, level, hits, n, nominal in counted
    ]


def _counts(curve: Curve) -> Iterator[tuple[Kind, int | None, int, int, float]]:
    judged = [(i, level) for i, level in enumerate(curve.levels) if level.judged_intervals]
    for i, level in judged:
        yield "coverage", i, level.covered, level.judged_intervals, COVERAGE
    if len(judged) > 1:
        hits, n = (sum(getattr(level, name) for _, level in judged) for name in ("covered", "judged_intervals"))
        yield "coverage", None, hits, n, COVERAGE
    first = curve.levels[0]
    if curve.null and first.judged_tests:
        yield "false positives", 0, first.rejected, first.judged_tests, ALPHA


def clopper_pearson(hits: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Exact interval of a proportion.

    >>> [round(end, 3) for end in clopper_pearson(0, 10)]
    [0.0, 0.308]
    """
    from scipy.stats import binomtest

    found = binomtest(hits, n).proportion_ci(level, method="exact")
    return float(found.low), float(found.high)


def band(n: int, nominal: float, m: int = 1, level: float = JOINT) -> tuple[float, float]:
    """Proportions in the central 1 - (1 - level) / m of Binomial(n, nominal), ends included.

    >>> band(100, 0.05)
    (0.0, 0.11)
    """
    from scipy.stats import binom

    tail = (1 - level) / (2 * m)
    return float(binom.ppf(tail, n, nominal)) / n, float(binom.isf(tail, n, nominal)) / n


def bias(level: Level) -> tuple[float, float, float] | None:
    """Mean of the estimate minus truth, with the 95 % interval of the simulation; None where it cannot be told."""
    if level.truth is None or level.truth_is_mean or level.mean is None or level.sd is None or level.runs < 2:
        return None
    from scipy.stats import t

    half = float(t.ppf(0.975, level.runs - 1)) * level.sd / level.runs**0.5
    away = level.mean - level.truth
    return away, away - half, away + half
