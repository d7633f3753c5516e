"""The items behind a change, with their pictures where the data card allows them and they are at hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from clipaudit import numbers
from clipaudit.compare import words
from clipaudit.compare.results import ComparedCell, Difference, Outcome, Pair
from clipaudit_reports.comparison.changes import anchor_of
from clipaudit_reports.comparison.view import FlipView, FlipWay
from clipaudit_reports.galleries import picture
from clipaudit_reports.view import Picture

WITHHELD = "The data card does not allow pictures in a report."
OUT_OF_REACH = "No image files were in reach, so ids stand for them."


@dataclass
class Shelf:
    """Pictures by "<cell name>/<item>", and how many bytes of them may still be used."""

    pictures: Mapping[str, bytes]
    left: int

    def take(self, cell: ComparedCell, item: str) -> Picture | None:
        """None where there is none, or where the page has no room for it."""
        if not cell.thumbnails or f"{cell.name}/{item}" not in self.pictures:
            return None
        found = picture(self.pictures[f"{cell.name}/{item}"], item, self.left)
        self.left -= len(found.uri)
        return found if found.uri else None


def shown(pair: Pair) -> list[Difference]:
    """Changes whose items are listed: primary ones that can be told."""
    return [
        each for each in words.ordered(pair)
        if each.role == "primary" and each.outcome is not Outcome.UNTOLD and each.flips is not None
        and (each.flips.up or each.flips.down)
    ]  # fmt: skip


def anchor(run: str, found: Difference) -> str:
    """Where the items of a change stand."""
    return f"flips--{anchor_of(run, found)}"


def flips(pair: Pair, cells: Mapping[str, ComparedCell], run: str, most: int, shelf: Shelf) -> tuple[FlipView, ...]:
    """The items of every change in `shown`; at most `most` of one way are named."""
    return tuple(_view(each, cells[each.cell_name], run, pair.run.label, most, shelf) for each in shown(pair))


def _view(found: Difference, cell: ComparedCell, run: str, label: str, most: int, shelf: Shelf) -> FlipView:
    assert found.flips is not None, "by `shown`"
    ways = tuple(
        _way(f"{word} in {label}", items, cell, most, shelf)
        for word, items in (("Lower", found.flips.down), ("Higher", found.flips.up))
        if items
    )
    pictured = any(way.pictures for way in ways)
    withheld = "" if pictured else OUT_OF_REACH if cell.thumbnails else WITHHELD
    return FlipView(
        anchor(run, found), words.named(found), cell.title, cell.data_title, anchor_of(run, found), withheld, ways
    )


def _way(heading: str, items: Sequence[str], cell: ComparedCell, most: int, shelf: Shelf) -> FlipWay:
    pictures, ids = [], []
    for item in items[:most]:
        found = shelf.take(cell, item)
        if found is None:
            ids.append(item)
        else:
            pictures.append((found, item))
    return FlipWay(heading, numbers.counted(len(items), "item"), tuple(pictures), tuple(ids), max(0, len(items) - most))
