"""The change between two runs of one cell: of the same items where the audit says what each contributes.

Yes-or-no outcomes of independent items: score interval and test (Tango 1998). Everything else, such as a success rate
among the items that were right to begin with: BCa bootstrap of the difference, whole clusters drawn, both runs on the
same draw. Without outcomes: the two runs' own intervals, which is said.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from clipaudit.contract import Audit, Cell, Outcomes
from clipaudit.errors import ClipAuditError
from clipaudit.gate.measured import Measured, difference, measured, mirrored
from clipaudit.results import Estimate, Interval
from clipaudit.stats.bootstrap import bca
from clipaudit.stats.clusters import codes
from clipaudit.stats.paired_score import change_interval

if TYPE_CHECKING:
    import pyarrow as pa

Floats = NDArray[np.float64]
_ROUNDING = 1e-6
UNKNOWN = "the audit does not say what each item contributes"


@dataclass(frozen=True)
class Side:
    """One run of a cell: what is needed to ask its audit for outcomes. `read` gives the rows.

    why: without an audit, why it cannot be asked.
    """

    audit: Audit | None
    cell: Cell | None
    read: Callable[[], pa.Table] = field(repr=False)
    why: str = ""

    @cached_property
    def rows(self) -> pa.Table:
        return self.read()

    def outcomes(self, estimate: Estimate) -> Outcomes | str:
        """What each item contributes; else why that is not known: no audit, no rows, an estimate that is no mean over
        items, or outcomes that do not give its value."""
        if self.audit is None or self.cell is None:
            return self.why
        try:
            found = self.audit.outcomes(self.cell, self.rows, estimate)
        except ClipAuditError as error:  # of a baseline often only result.json and manifest.json are kept
            return str(error)
        except Exception as error:  # an audit is a plug-in
            return f"{self.audit.spec.id} failed to say what each item contributes: {type(error).__name__}"
        if found is None:
            return UNKNOWN
        return found if _agrees(found, estimate) else "the outcomes stored do not give the value reported"


@dataclass(frozen=True)
class Pairs:
    """n items that both runs have. above, below: (2, n), the run in row 1, its baseline in row 0. clusters: (n,)."""

    items: tuple[str, ...]
    above: Floats
    below: Floats
    clusters: NDArray[np.int64]
    scale: float

    @property
    def yes_or_no(self) -> bool:
        """Whether each item is one unit and counts 0 or 1 in both runs."""
        whole = bool((self.below == 1).all() and np.isin(self.above, (0.0, 1.0)).all())
        return whole and len(np.unique(self.clusters)) == len(self.items)

    @property
    def flipped(self) -> tuple[list[str], list[str]]:
        """Items that contribute more in the run than in its baseline, and those that contribute less."""
        step = self.above[1] - self.above[0]
        more, less = ([self.items[i] for i in np.flatnonzero(which)] for which in (step > 0, step < 0))
        return more, less


def change(after: Estimate, before: Estimate, run: Side, baseline: Side, seed: int, level: float) -> Measured:
    """The change of an estimate from the baseline to the run, with an interval of level `level`."""
    pairs = pairs_of(after, before, run, baseline)
    if isinstance(pairs, str):
        return replace(difference(measured(after), measured(before)), note=pairs)
    return paired_change(pairs, 1.0, 1.0, seed, level)


def drift(after: Estimate, before: Estimate, run: Side, baseline: Side, seed: int, level: float) -> Measured:
    """The change of the distance to the estimate's null value (0 where it has none), each on its own side of it."""
    null = after.null_value or 0.0
    signs = [-1.0 if each.value is not None and each.value < null else 1.0 for each in (after, before)]
    pairs = pairs_of(after, before, run, baseline)
    if isinstance(pairs, str):
        found = difference(mirrored(measured(after), signs[0], null), mirrored(measured(before), signs[1], null))
        return replace(found, note=pairs)
    found = paired_change(pairs, signs[0], signs[1], seed, level)
    return mirrored(found, 1.0, (signs[0] - signs[1]) * null)


def pairs_of(after: Estimate, before: Estimate, run: Side, baseline: Side) -> Pairs | str:
    """The items of an estimate in both runs; else why they cannot be paired."""
    here = run.outcomes(after)
    if isinstance(here, str):
        return here
    there = baseline.outcomes(before)
    if isinstance(there, str):
        return f"baseline: {there}"
    return paired(here, there) or "the two runs have no items in common"


def paired(after: Outcomes, before: Outcomes) -> Pairs | None:
    """The items that both have; None where they share none, an item comes twice, or they are scaled differently."""
    if after.scale != before.scale:
        return None
    number = {item: i for i, item in enumerate(before.items)}
    here = [i for i, item in enumerate(after.items) if item in number]
    if not here or len(number) < len(before.items) or len(set(after.items)) < len(after.items):
        return None
    there = [number[after.items[i]] for i in here]
    return Pairs(
        items=tuple(after.items[i] for i in here),
        above=np.stack([before.above[there], after.above[here]]).astype(np.float64),
        below=np.stack([before.below[there], after.below[here]]).astype(np.float64),
        clusters=codes([after.clusters[i] for i in here]),
        scale=after.scale,
    )


def paired_change(pairs: Pairs, sign_after: float, sign_before: float, seed: int, level: float) -> Measured:
    """sign_after * (ratio in the run) - sign_before * (ratio in the baseline)."""
    if pairs.yes_or_no and sign_after == sign_before:
        return _of_flags(pairs, sign_after, level)
    units = int(pairs.clusters.max()) + 1
    sums = np.stack([_totals(pairs, row, units) for row in (pairs.above, pairs.below)])  # (2, 2, units)
    signs = pairs.scale * np.array([-sign_before, sign_after])

    def statistic(counts: Floats) -> Floats:
        above, below = counts @ sums[0].T, counts @ sums[1].T
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray((above / below) @ signs)

    value = float(statistic(np.ones((1, units)))[0])
    interval = bca(statistic, units, seed, level=level, unit="units, both runs on the same draw")
    if interval.low is None and np.array_equal(sums[:, 0], sums[:, 1]) and sign_after == sign_before:
        interval = _unchanged(pairs.scale, int((sums[1, 0] > 0).sum()), level)
    return Measured(
        value if np.isfinite(value) else None, interval, int((pairs.below > 0).any(axis=0).sum()), units, paired=True
    )


def _of_flags(pairs: Pairs, sign: float, level: float) -> Measured:
    n = len(pairs.items)
    up, down = (len(items) for items in (pairs.flipped if sign > 0 else reversed(pairs.flipped)))
    low, high = change_interval(up, down, n, level)
    scale = pairs.scale
    method = f"score interval of {n:,} paired items, {up + down:,} of them changed (Tango 1998)"
    return Measured(
        scale * (up - down) / n,
        Interval(low=scale * float(low), high=scale * float(high), level=level, method=method),
        n,
        n,
        paired=True,
        gained=up,
        lost=down,
        scale=scale,
    )


def _unchanged(scale: float, units: int, level: float) -> Interval:
    """Where none of the units that count differs, there is nothing to resample; how rare one may be is still known."""
    low, high = change_interval(0, 0, units, level)
    return Interval(
        low=scale * float(low),
        high=scale * float(high),
        level=level,
        method=f"no unit of {units:,} differs: score interval (Tango 1998)",
    )


def _totals(pairs: Pairs, part: Floats, units: int) -> Floats:
    """(2, units)."""
    return np.stack([np.bincount(pairs.clusters, weights=row, minlength=units) for row in part])


def _agrees(found: Outcomes, estimate: Estimate) -> bool:
    """Outcomes that do not give the published value would compare something else than was reported."""
    below = float(found.below.sum())
    if estimate.value is None or below == 0:
        return False
    value = found.scale * float(found.above.sum()) / below
    return bool(abs(value - estimate.value) <= _ROUNDING * max(1.0, abs(estimate.value)))
