"""What the terminal says when a run has ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from clipaudit.naming import names_by_key
from clipaudit.numbers import count_text, half_width, interval_text, p_text, value_text
from clipaudit.results import CellResult, CellStatus, Estimate, Status
from clipaudit.text import printable
from clipaudit.verdict import summarise

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from clipaudit.api import Outcome

PER_CELL = 3  # findings of one cell that the terminal shows; the report has all
_COLUMNS = ("audit", "finding", "value", "95 % interval", "n", "corrected p", "")
_RIGHT = {"value", "n", "corrected p"}


def console() -> Console:
    """Standard output; wide enough for a table when it is a file or a pipe."""
    import sys

    from rich.console import Console

    return Console(highlight=False, width=None if sys.stdout.isatty() else 140)


def show_outcome(outcome: Outcome) -> None:
    """The first findings of each cell, what was not run, the verdict line, where the report is."""
    out = console()
    verdict = summarise(outcome.result)
    names = names_by_key(outcome.result.cells)
    rows = [row for cell in outcome.result.cells for row in cell_rows(cell, names[cell.key])]
    if rows:
        out.print(_table(rows, out.width))
    for cell in outcome.result.cells:
        if cell.status is not CellStatus.DONE:
            said = f"{cell.status.value}: {printable(names[cell.key])}: {printable(cell.reason, limit=400)}"
            out.print(said, markup=False)
    for warning in outcome.result.model.warnings:
        out.print(f"note: {printable(warning, limit=400)}", markup=False)
    out.print(printable(f"{verdict.state}: {verdict.headline}", limit=None), markup=False, style="bold")
    out.print(f"report: {printable(outcome.shown, limit=None)}", markup=False, soft_wrap=True)


def cell_rows(cell: CellResult, name: str) -> list[tuple[str, ...]]:
    """The cell's primary estimates, effects first, then the smallest p; at most `PER_CELL`, and how many more.

    name: by which it is told from the other cells.
    """
    primary = sorted((estimate for estimate in cell.estimates if estimate.role == "primary"), key=_weight)
    rows = [_row(name, estimate) for estimate in primary[:PER_CELL]]
    more = primary[PER_CELL:]
    if more:
        effects = sum(estimate.status is Status.EFFECT for estimate in more)
        rows.append(("", f"... and {len(more)} more, {effects} with an effect", "", "", "", "", ""))
    return rows


def _weight(estimate: Estimate) -> tuple[int, float]:
    order = [Status.EFFECT, Status.NO_EFFECT, Status.INCONCLUSIVE, Status.DESCRIBED, Status.TOO_SMALL]
    return order.index(estimate.status), 1.0 if estimate.test is None else estimate.test.p


def _table(rows: list[tuple[str, ...]], width: int) -> Table:
    """Figures are never cut off: where the terminal is narrow the finding's title gives way."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    widths = [max(len(text) for text in column) for column in zip(_COLUMNS, *rows, strict=True)]
    widths[1] = max(20, min(widths[1], width - sum(widths) + widths[1] - 2 * len(widths)))
    for name, space in zip(_COLUMNS, widths, strict=True):
        side: Literal["left", "right"] = "right" if name in _RIGHT else "left"
        table.add_column(name, overflow="ellipsis", no_wrap=True, width=space, justify=side)
    for row in rows:
        table.add_row(*(Text(text) for text in row))
    return table


def _row(name: str, estimate: Estimate) -> tuple[str, ...]:
    where = ", ".join(value for value in estimate.subgroup.values() if value not in estimate.title)
    title = f"{estimate.title} ({where})" if where else estimate.title
    interval = estimate.interval
    spread = None if interval is None else half_width(interval.low, interval.high)
    test = estimate.test
    p = None if test is None else test.p if test.p_adjusted is None else test.p_adjusted
    return (
        printable(name),
        printable(title, limit=70),
        printable(value_text(estimate.value, estimate.unit, spread=spread), limit=30),
        "" if interval is None else printable(interval_text(interval.low, interval.high, estimate.unit), limit=40),
        count_text(estimate.n),
        "" if p is None else p_text(p).removeprefix("p ").removeprefix("= "),
        "" if estimate.status is Status.DESCRIBED else estimate.status.value,
    )
