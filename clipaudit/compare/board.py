"""Many runs by finding. There is no total: a better accuracy does not make up for a harm."""

from __future__ import annotations

from collections.abc import Sequence

from clipaudit.compare.results import BoardRow, Outcome, Pair, Standing
from clipaudit.gate.select import identity, same_cell
from clipaudit.gate.trust import Run
from clipaudit.results import CellResult, Direction, Estimate


def board(runs: Sequence[Run], pairs: Sequence[Pair]) -> list[BoardRow]:
    """One row for each primary finding of the base that all runs have; runs[0] is the base, pairs are the others'."""
    rows = []
    for cell in runs[0].result.cells:
        cells = [next((c for c in run.result.cells if same_cell(c, cell)), None) for run in runs]
        whole = [each for each in cells if each is not None]
        if len(whole) == len(runs):
            rows += [_row(whole, e, pairs) for e in cell.estimates if e.role == "primary" and e.value is not None]
    return [row for row in rows if row is not None]


def _row(cells: Sequence[CellResult], estimate: Estimate, pairs: Sequence[Pair]) -> BoardRow | None:
    """cells: one a run. None where a run lacks the finding."""
    found = [next((e for e in cell.estimates if identity(e) == identity(estimate)), None) for cell in cells]
    known = [each for each in found if each is not None]
    if len(known) < len(cells):
        return None
    outcomes = [None, *(_outcome(pair, cell, estimate) for pair, cell in zip(pairs, cells[1:], strict=True))]
    return BoardRow(
        cell=cells[0].slug, metric=estimate.metric, title=estimate.title, unit=estimate.unit,
        subgroup=estimate.subgroup, best=_best(known),
        standings=tuple(
            Standing(value=one.value, interval=one.interval, outcome=outcome)
            for one, outcome in zip(known, outcomes, strict=True)
        ),
    )  # fmt: skip


def _outcome(pair: Pair, cell: CellResult, estimate: Estimate) -> Outcome | None:
    for each in pair.differences:
        named = each.metric, each.role, tuple(sorted(each.subgroup.items()))
        if each.cell_key == cell.key and named == identity(estimate):
            return each.outcome
    return None


def _best(found: Sequence[Estimate]) -> tuple[int, ...]:
    """Numbers of the runs with the best value; none of a metric that does not say which way is worse."""
    null = found[0].null_value or 0.0
    badness = {
        Direction.HIGHER_IS_WORSE: lambda value: value,
        Direction.LOWER_IS_WORSE: lambda value: -value,
        Direction.AWAY_FROM_NULL_IS_WORSE: lambda value: abs(value - null),
    }.get(found[0].direction)
    values = [None if one.value is None or badness is None else badness(one.value) for one in found]
    known = [value for value in values if value is not None]
    return tuple(i for i, value in enumerate(values) if value is not None and value == min(known))
