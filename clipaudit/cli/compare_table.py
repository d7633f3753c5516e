"""What the terminal says of a comparison."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from clipaudit.cli.outcome import console
from clipaudit.compare import words
from clipaudit.compare.results import Comparison, Difference, Outcome, Pair
from clipaudit.text import printable

if TYPE_CHECKING:
    from rich.console import Console

SHOWN = 3  # flipped items that the terminal names
_STYLES = {Outcome.WORSE: "red", Outcome.BETTER: "green", Outcome.CHANGED: "magenta", Outcome.UNTOLD: "dim"}
_COLUMNS = ("", "finding", "base → new", "change", "95 % interval", "n", "corrected p")
_RIGHT = {"change", "n", "corrected p"}


def show_comparison(found: Comparison, everything: bool) -> None:
    """Each run against the base; with three runs or more the board as well."""
    out = console()
    for pair in found.pairs:
        _pair(out, found, pair, everything)
    if len(found.pairs) > 1:
        _board(out, found)


def _pair(out: Console, found: Comparison, pair: Pair, everything: bool) -> None:
    from rich.table import Table
    from rich.text import Text

    out.print(f"{printable(found.base.label)} → {printable(pair.run.label)}", style="bold", markup=False)
    listed = [each for each in words.ordered(pair) if everything or each.outcome is not Outcome.UNTOLD]
    if listed:
        table = Table(box=None, pad_edge=False, header_style="bold")
        for name in _COLUMNS:
            side: Literal["left", "right"] = "right" if name in _RIGHT else "left"
            table.add_column(name, justify=side, no_wrap=name != "finding", overflow="fold")
        for each in listed:
            title = Text.assemble(printable(words.named(each), limit=80), (f"\n{printable(each.cell_name)}", "dim"))
            mark = Text(f"{words.MARKS[each.outcome]} {each.outcome.value}", _STYLES[each.outcome])
            table.add_row(mark, title, *(Text(printable(figure)) for figure in _figures(each)))
        out.print(table)
    for each in listed:
        if each.flips is not None and each.role == "primary":
            said = f"items that flipped in {words.named(each)}, {each.cell_name}: {words.flips(each, SHOWN)}"
            out.print(printable(said, limit=400), markup=False)
    for note in words.unpaired(pair):
        out.print(f"not paired: {printable(note, limit=300)}", markup=False)
    for note in pair.notes:
        out.print(f"note: {printable(note, limit=300)}", markup=False)
    for line in pair.unmatched:
        out.print(f"not compared: {printable(line, limit=300)}", markup=False)
    hint = "" if everything or len(listed) == len(pair.differences) else " (--all lists all)"
    out.print(printable(f"{words.counts(pair)}{hint}", limit=None), markup=False, style="bold")


def _figures(found: Difference) -> tuple[str, ...]:
    n = f"{found.n:,}" + ("" if found.paired else " (not paired)")
    return words.values(found), *words.change(found), n, words.p_of(found)


def _board(out: Console, found: Comparison) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("audit", "finding", found.base.label, *(pair.run.label for pair in found.pairs)):
        table.add_column(Text(printable(name, limit=40)), overflow="fold")
    for row in found.board:
        values = (printable(words.standing(row, i), limit=120) for i in range(len(row.standings)))
        named = printable(row.cell_name), printable(words.named(row), limit=60)
        table.add_row(*(Text(text) for text in (*named, *values)))
    out.print(table)
    out.print("* the best value; ▲ better, ▼ worse than the first, ◆ changed, = cannot be told", markup=False)
