"""Many runs by finding. There is no total: a better accuracy does not make up for a harm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from clipaudit.compare import hindrance
from clipaudit.compare.results import BoardRow, Outcome, Pair, Standing
from clipaudit.compare.roster import Roster, counterpart
from clipaudit.gate.select import identity
from clipaudit.gate.trust import Run
from clipaudit.results import CellResult, CellStatus, Direction, Estimate

Identity = tuple[str, str, tuple[tuple[str, str], ...]]


def board(runs: Sequence[Run], pairs: Sequence[Pair], roster: Roster) -> list[BoardRow]:
    """One row for each primary finding that any run has a value of; runs[0] is the base, pairs are the others'."""
    outcomes: list[Mapping[tuple[str, Identity], Outcome]] = [{}, *map(_outcomes, pairs)]
    rows: list[BoardRow] = []
    for cell, name in zip(roster.cells, roster.names, strict=True):
        cells = [counterpart(run, cell) for run in runs]
        found = [_primary(each) for each in cells]
        for key in dict.fromkeys(key for each in found for key in each):
            said = [each.get((name, key)) for each in outcomes]
            rows.append(_row(name, cells, [each.get(key) for each in found], said))
    return [row for row in rows if any(standing.value is not None for standing in row.standings)]


def _row(
    name: str,
    cells: Sequence[CellResult | None],
    estimates: Sequence[Estimate | None],
    outcomes: Sequence[Outcome | None],
) -> BoardRow:
    """All sequences are by run; name is the cell's."""
    first = next(each for each in estimates if each is not None)
    cell = next(each for each in cells if each is not None)
    standings = tuple(_standing(cells, estimates, number, outcomes[number]) for number in range(len(cells)))
    return BoardRow(
        cell=cell.slug, cell_name=name, metric=first.metric, title=first.title, unit=first.unit,
        subgroup=first.subgroup, standings=standings, best=_best(first, standings),
    )  # fmt: skip


def _outcomes(pair: Pair) -> dict[tuple[str, Identity], Outcome]:
    return {(d.cell_name, (d.metric, d.role, tuple(sorted(d.subgroup.items())))): d.outcome for d in pair.differences}


def _primary(cell: CellResult | None) -> dict[Identity, Estimate]:
    return {} if cell is None else {identity(e): e for e in cell.estimates if e.role == "primary"}


def _standing(
    cells: Sequence[CellResult | None], estimates: Sequence[Estimate | None], number: int, outcome: Outcome | None
) -> Standing:
    """Of the run with this number."""
    cell, estimate = cells[number], estimates[number]
    why = _own(cell, estimate) if number == 0 else _why(cell, cells[0], estimate, estimates[0])
    if estimate is None:
        return Standing(value=None, why=why)
    if number > 0 and not why and outcome is None:
        why = "its change is not defined"
    return Standing(
        value=estimate.value, interval=estimate.interval, n=estimate.n, outcome=None if why else outcome, why=why
    )


def _own(cell: CellResult | None, estimate: Estimate | None) -> str:
    """What is wrong with a measurement by itself."""
    if cell is None:
        return "not part of this run"
    if cell.status is not CellStatus.DONE:
        return f"{cell.status.value}: {cell.reason}"
    return hindrance.of_estimates(estimate, estimate)


def _why(cell: CellResult | None, base: CellResult | None, estimate: Estimate | None, before: Estimate | None) -> str:
    return (
        _own(cell, estimate)
        or (hindrance.of_cells(cell, base) if cell is not None else "")
        or hindrance.of_estimates(estimate, before)
    )


def _best(found: Estimate, standings: Sequence[Standing]) -> tuple[int, ...]:
    """Numbers of the runs with the best value; none of a metric that does not say which way is worse."""
    null = found.null_value or 0.0
    badness = {
        Direction.HIGHER_IS_WORSE: lambda value: value,
        Direction.LOWER_IS_WORSE: lambda value: -value,
        Direction.AWAY_FROM_NULL_IS_WORSE: lambda value: abs(value - null),
    }.get(found.direction)
    if badness is None:
        return ()
    known = {i: badness(one.value) for i, one in enumerate(standings) if one.value is not None and not one.why}
    return tuple(i for i, value in known.items() if value == min(known.values()))
