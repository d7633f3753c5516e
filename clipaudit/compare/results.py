"""What a comparison of runs is: typed and serialisable. Renderings read this and decide nothing."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from pydantic import Field

from clipaudit.results import Interval, Record, Test

COMPARISON_SCHEMA_VERSION = "1"


class Outcome(StrEnum):
    """What can be said of one difference."""

    WORSE = "worse"
    BETTER = "better"
    CHANGED = "changed"  # of a metric that does not say which way is worse
    UNTOLD = "cannot be told"  # `minimum_detectable` says what could have been


class RunName(Record):
    """One of the runs. label: short and unlike those of the others."""

    label: str
    path: str
    model: str
    fingerprint: str
    suite: str = ""
    started: str = ""  # date


class ComparedCell(Record):
    """One question asked of the models. name: unlike those of the others. thumbnails: whether the data card allows
    pictures."""

    name: str
    slug: str
    title: str
    question: str
    data: str | None = None
    data_title: str = ""
    thumbnails: bool = False


class Flips(Record):
    """Items whose contribution differs: `up` where it is larger in the new run, `down` where it is smaller."""

    up: tuple[str, ...] = ()
    down: tuple[str, ...] = ()


class Difference(Record):
    """One finding in two runs. change: new - base (of the distance to the null, where that is what matters)."""

    cell: str  # slug
    cell_key: str  # in the new run
    cell_name: str = ""  # of Comparison.cells
    metric: str
    title: str
    unit: str = ""
    role: str = "primary"
    subgroup: Mapping[str, str] = Field(default_factory=dict)
    before: float | None
    after: float | None
    change: float | None
    interval: Interval | None = None
    n: int
    clusters: int | None = None
    paired: bool
    test: Test | None = None
    outcome: Outcome
    minimum_detectable: float | None = None
    flips: Flips | None = None
    note: str = ""


class Pair(Record):
    """A run against the base. unmatched: cells that cannot be compared, each with the reason. notes: what a change may
    come from beside the model (another version of a package, another machine)."""

    run: RunName
    differences: tuple[Difference, ...]
    unmatched: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class Standing(Record):
    """One run's value of one finding.

    outcome: against the base; None for the base itself, and where it cannot be compared. why: then the reason.
    """

    value: float | None
    interval: Interval | None = None
    n: int | None = None
    outcome: Outcome | None = None
    why: str = ""


class BoardRow(Record):
    """One primary finding in all runs, in their order. best: numbers of the runs with the best value, among those
    that can be compared."""

    cell: str
    cell_name: str = ""  # of Comparison.cells
    metric: str
    title: str
    unit: str = ""
    subgroup: Mapping[str, str] = Field(default_factory=dict)
    standings: tuple[Standing, ...]
    best: tuple[int, ...] = ()


class Comparison(Record):
    """Runs against the first of them."""

    schema_version: str = COMPARISON_SCHEMA_VERSION
    clipaudit_version: str
    base: RunName
    cells: tuple[ComparedCell, ...] = ()
    pairs: tuple[Pair, ...]
    board: tuple[BoardRow, ...] = ()
