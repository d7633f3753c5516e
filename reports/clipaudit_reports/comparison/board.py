"""All runs by finding, cell by cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

from clipaudit import numbers
from clipaudit.compare import words
from clipaudit.compare.results import BoardRow, ComparedCell
from clipaudit_reports.comparison.view import BoardBlock, BoardRowView, StandingView, mark


def board(rows: Sequence[BoardRow], cells: Mapping[str, ComparedCell], most: int) -> tuple[BoardBlock, ...]:
    """At most `most` findings of a cell."""
    blocks = []
    for name, members in groupby(rows, key=lambda row: row.cell_name):
        known = list(members)
        kept = tuple(map(_row, known[:most]))
        blocks.append(BoardBlock(name, cells[name].title, cells[name].question, kept, len(known) - len(kept)))
    return tuple(blocks)


def _row(row: BoardRow) -> BoardRowView:
    return BoardRowView(words.named(row), tuple(_standing(row, number) for number in range(len(row.standings))))


def _standing(row: BoardRow, number: int) -> StandingView:
    one = row.standings[number]
    value, interval = words.standing_value(row, number)
    return StandingView(
        value=value,
        interval=interval,
        n="" if one.n is None else numbers.count_text(one.n),
        mark=mark(one.outcome),
        word="" if one.outcome is None else one.outcome.value,
        best=not one.why and words.stars(row, number),
        why=one.why,
    )
