"""One run against the base, finding by finding."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from clipaudit.compare import hindrance
from clipaudit.compare.results import Difference, Flips, Outcome
from clipaudit.compare.roster import Roster, counterpart
from clipaudit.gate.measured import Measured
from clipaudit.gate.paired import Side, change, drift, pairs_of
from clipaudit.gate.select import identity
from clipaudit.gate.trust import Run
from clipaudit.gate.weighing import side_of
from clipaudit.results import CellResult, Direction, Estimate, Test
from clipaudit.stats.multiple import adjusted
from clipaudit.stats.paired import mcnemar_exact

ALPHA, LEVEL = 0.05, 0.95


@dataclass(frozen=True)
class Found:
    """One finding in both runs, measured."""

    cell: CellResult
    after: Estimate
    before: Estimate
    measured: Measured
    flips: Flips | None


def differences(base: Run, new: Run, cells: Roster) -> tuple[list[Difference], list[str]]:
    """All findings that both runs have, corrected together (Benjamini-Hochberg), and the cells that do not match."""
    found: list[Found] = []
    unmatched: list[str] = []
    for cell in new.result.cells:
        other = counterpart(base, cell)
        why = hindrance.of_cells(cell, other)
        if why or other is None:
            unmatched.append(f"{cells.name(cell)}: {why}")
        else:
            found += _of_cell(cell, other, side_of(new.store, cell), side_of(base.store, other))
    missing = [cell for cell in base.result.cells if counterpart(new, cell) is None]
    unmatched += [f"{cells.name(cell)}: only in the base" for cell in missing]
    return _judged(found, cells), unmatched


def _of_cell(cell: CellResult, other: CellResult, run: Side, base: Side) -> Iterator[Found]:
    befores = {identity(estimate): estimate for estimate in other.estimates}
    for after in cell.estimates:
        before = befores.get(identity(after))
        if before is None or after.role == "control" or hindrance.of_estimates(after, before):
            continue
        away = after.direction is Direction.AWAY_FROM_NULL_IS_WORSE
        measure = drift if away else change
        found = measure(after, before, run, base, cell.seed, LEVEL)
        if found.value is not None:
            yield Found(cell, after, before, found, _flips(after, before, run, base))


def _flips(after: Estimate, before: Estimate, run: Side, base: Side) -> Flips | None:
    pairs = pairs_of(after, before, run, base)
    if isinstance(pairs, str):
        return None
    up, down = pairs.flipped
    return Flips(up=tuple(up), down=tuple(down))


def _judged(found: list[Found], cells: Roster) -> list[Difference]:
    """Tests against no change; one family."""
    tests = [_test(one.measured) for one in found]
    raw = [test.p for test in tests if test is not None]
    corrected = iter(adjusted(raw, "benjamini-hochberg").tolist() if raw else [])
    how = f"Benjamini-Hochberg over {len(raw):,} differences"
    return [
        _difference(
            one,
            cells.name(one.cell),
            test and test.model_copy(update={"p_adjusted": next(corrected), "correction": how}),
        )
        for one, test in zip(found, tests, strict=True)
    ]


def _test(found: Measured) -> Test | None:
    from scipy.special import ndtr

    if found.gained is not None and found.lost is not None:
        return mcnemar_exact(found.gained, found.lost)
    distance = found.distance(0.0)
    if distance is None:
        return None
    return Test(p=max(float(2 * ndtr(-abs(distance))), 1e-300), method="normal, by the interval of the difference")


def _difference(found: Found, name: str, test: Test | None) -> Difference:
    after, measured = found.after, found.measured
    return Difference(
        cell=found.cell.slug, cell_key=found.cell.key, cell_name=name, metric=after.metric, title=after.title,
        unit=after.unit, role=after.role, subgroup=after.subgroup, before=found.before.value, after=after.value,
        change=measured.value, interval=measured.interval, n=measured.n, clusters=measured.clusters,
        paired=bool(measured.paired), test=test, outcome=_outcome(after.direction, measured.value or 0.0, test),
        minimum_detectable=_detectable(measured), flips=found.flips, note=measured.note,
    )  # fmt: skip


def _outcome(direction: Direction, value: float, test: Test | None) -> Outcome:
    if test is None or test.p_adjusted is None or test.p_adjusted > ALPHA:
        return Outcome.UNTOLD
    if direction is Direction.DESCRIPTIVE:
        return Outcome.CHANGED
    worse = value < 0 if direction is Direction.LOWER_IS_WORSE else value > 0
    return Outcome.WORSE if worse else Outcome.BETTER


def _detectable(found: Measured) -> float | None:
    """Smallest true change that this n would have shown with 80 % power at .05, by the standard error seen."""
    from clipaudit.stats.power import mde_null, mde_paired

    if found.gained is not None and found.lost is not None:
        share = mde_paired(found.n, (found.gained + found.lost) / found.n) if found.gained + found.lost else None
        return None if share is None else found.scale * share
    error = found.error(float("inf")) or found.error(float("-inf"))
    return mde_null(error) if error else None
