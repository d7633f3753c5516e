"""Everything that the page of a comparison says, in words and in order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from clipaudit.compare.results import Outcome
from clipaudit_reports.view import Picture, PlotView, Strip

HEADINGS: Mapping[Outcome, tuple[str, str]] = {
    Outcome.WORSE: (
        "Worse",
        "The test rejects “no change” after correction, and the change goes to the side that the audit calls worse.",
    ),
    Outcome.BETTER: (
        "Better",
        "The test rejects “no change” after correction, and the change goes to the side that the audit calls better.",
    ),
    Outcome.CHANGED: (
        "Changed",
        "The test rejects “no change” after correction; these measures do not say which way is worse.",
    ),
    Outcome.UNTOLD: (
        "Cannot be told",
        "Not the same as no change: the smallest change that this sample would have shown stands with each.",
    ),
}


def mark(outcome: Outcome | None) -> str:
    """Name of the mark and of the colour."""
    return "" if outcome is None else "untold" if outcome is Outcome.UNTOLD else outcome.value


@dataclass(frozen=True)
class RunView:
    """One of the runs. counts: what can be said of it against the base; "" for the base."""

    anchor: str
    label: str
    model: str
    suite: str
    date: str
    fingerprint: str
    path: str
    counts: str


@dataclass(frozen=True)
class ChangeView:
    """One finding in two runs."""

    anchor: str
    name: str
    outcome: Outcome
    values: str
    change: str
    interval: str
    n: str
    paired: bool
    p: str
    detectable: str
    flipped: str
    flips_anchor: str  # where the items stand; "" where they do not
    strip: Strip

    @property
    def mark(self) -> str:
        return mark(self.outcome)


@dataclass(frozen=True)
class ChangeBlock:
    """Changes of one cell: primary findings, then the others."""

    cell_name: str
    title: str
    question: str
    primary: tuple[ChangeView, ...]
    details: tuple[ChangeView, ...]
    left_out: int = 0


@dataclass(frozen=True)
class ChangeGroup:
    """All changes with one outcome."""

    outcome: Outcome
    anchor: str
    count: int
    main: int  # those that the audits ask for; the others are details
    blocks: tuple[ChangeBlock, ...]

    @property
    def heading(self) -> str:
        return HEADINGS[self.outcome][0]

    @property
    def meaning(self) -> str:
        return HEADINGS[self.outcome][1]

    @property
    def mark(self) -> str:
        return mark(self.outcome)


@dataclass(frozen=True)
class FlipWay:
    """Items that count more, or less, in the new run. more: those that are not named here."""

    heading: str
    count: str
    pictures: tuple[tuple[Picture, str], ...]  # with the item's id
    ids: tuple[str, ...]
    more: int


@dataclass(frozen=True)
class FlipView:
    """The items behind one change."""

    anchor: str
    name: str
    cell_title: str
    data_title: str
    change_anchor: str
    withheld: str
    ways: tuple[FlipWay, ...]


@dataclass(frozen=True)
class PairView:
    """One run against the base."""

    anchor: str
    base: str
    label: str
    counts: str
    total: str
    plots: tuple[PlotView, ...]
    groups: tuple[ChangeGroup, ...]
    flips: tuple[FlipView, ...]
    unpaired: tuple[str, ...]
    unmatched: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class StandingView:
    """One run's value of a finding."""

    value: str
    interval: str
    n: str
    mark: str
    word: str
    best: bool
    why: str


@dataclass(frozen=True)
class BoardRowView:
    """One finding in all runs."""

    name: str
    standings: tuple[StandingView, ...]


@dataclass(frozen=True)
class BoardBlock:
    """Findings of one cell in all runs."""

    cell_name: str
    title: str
    question: str
    rows: tuple[BoardRowView, ...]
    left_out: int = 0


@dataclass(frozen=True)
class ComparisonView:
    """A whole page."""

    title: str
    version: str
    runs: tuple[RunView, ...]  # the base first
    pairs: tuple[PairView, ...]
    board: tuple[BoardBlock, ...]
    glossary: tuple[tuple[str, str], ...]
    complete: bool
