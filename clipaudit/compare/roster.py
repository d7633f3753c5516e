"""The cells of several runs, each named once: the same question to other models is one cell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from clipaudit.compare.results import ComparedCell
from clipaudit.gate.select import same_cell
from clipaudit.gate.trust import Run
from clipaudit.naming import cell_names
from clipaudit.results import CellResult


@dataclass(frozen=True)
class Roster:
    """cells: one of each, in the order of the runs. names: of these, unlike each other."""

    cells: tuple[CellResult, ...]
    names: tuple[str, ...]

    def name(self, cell: CellResult) -> str:
        """Of the same cell here."""
        return next(name for each, name in zip(self.cells, self.names, strict=True) if same_cell(each, cell))

    def described(self) -> tuple[ComparedCell, ...]:
        """What a reader of the comparison needs to know of the cells."""
        return tuple(_described(cell, name) for cell, name in zip(self.cells, self.names, strict=True))


def roster(runs: Sequence[Run]) -> Roster:
    """The cells of all runs."""
    cells: list[CellResult] = []
    for run in runs:
        cells += [cell for cell in run.result.cells if not any(same_cell(cell, other) for other in cells)]
    return Roster(tuple(cells), tuple(cell_names([(cell.slug, cell.params) for cell in cells])))


def counterpart(run: Run, cell: CellResult) -> CellResult | None:
    """The same cell in another run."""
    return next((each for each in run.result.cells if same_cell(each, cell)), None)


def _described(cell: CellResult, name: str) -> ComparedCell:
    data = cell.data
    return ComparedCell(
        name=name, slug=cell.slug, title=cell.title or cell.slug, question=cell.audit.question,
        data=None if data is None else data.id, data_title="" if data is None else data.title,
        thumbnails=data is not None and data.thumbnails,
    )  # fmt: skip
