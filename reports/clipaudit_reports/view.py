"""The view model: everything a report says, in words and in order, before any template sees it.

Plain frozen dataclasses of text and small numbers. HTML and Markdown are two renderings of one `ReportView`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from clipaudit.results import Figure, Harm


class Severity(Enum):
    """How much a finding asks for attention. Each has a word, a mark (shape) and a colour: never colour alone."""

    HARM = "harm"
    EFFECT = "effect"
    NONE = "none"
    DESCRIBED = "described"
    SMALL = "small"
    INCONCLUSIVE = "inconclusive"

    @property
    def word(self) -> str:
        """What stands beside the mark."""
        return _WORDS[self][0]

    @property
    def heading(self) -> str:
        """Title of the group of findings."""
        return _WORDS[self][1]

    @property
    def meaning(self) -> str:
        """One sentence that says how to read the group."""
        return _WORDS[self][2]


_WORDS: Mapping[Severity, tuple[str, str, str]] = {
    Severity.HARM: (
        "effect, adverse",
        "Effects in the adverse direction",
        "The test rejects chance after correction, and the difference lies on the side the audit warns of.",
    ),
    Severity.EFFECT: (
        "effect",
        "Other effects",
        "The test rejects chance after correction; the direction is not the adverse one, or has none.",
    ),
    Severity.NONE: (
        "no effect shown",
        "No effect shown",
        "Not the same as no effect: the smallest effect that this sample would have shown stands with each.",
    ),
    Severity.DESCRIBED: (
        "described",
        "Described, without a test",
        "A value and its interval. No hypothesis was tested.",
    ),
    Severity.SMALL: (
        "too small",
        "Too small to judge",
        "Below the metric's minimum sample. Shown so that nobody mistakes silence for fairness.",
    ),
    Severity.INCONCLUSIVE: (
        "inconclusive",
        "Inconclusive: a check of the measurement failed",
        "The value may say more about the measurement than about the model. The checks stand among the controls.",
    ),
}


TESTED = frozenset({Severity.HARM, Severity.EFFECT, Severity.NONE})  # what a corrected test says, one way or the other


@dataclass(frozen=True)
class Strip:
    """A one-line interval plot; positions in per cent of the width, on a scale shared by its block."""

    value: float | None
    low: float | None
    high: float | None
    null: float | None
    null_low: float | None
    null_high: float | None
    alt: str


@dataclass(frozen=True)
class TestView:
    """One significance test in words."""

    __test__ = False  # not a pytest class

    p: str
    p_adjusted: str
    correction: str
    method: str
    alternative: str
    smallest_p: str


@dataclass(frozen=True)
class ReferenceView:
    """A published or human value beside an estimate."""

    label: str
    value: str
    source: str


@dataclass(frozen=True)
class FindingView:
    """One estimate, ready to print."""

    anchor: str
    title: str
    subgroup: Mapping[str, str]
    severity: Severity
    role: str
    value: str
    interval: str
    interval_method: str
    sentence: str
    direction: str
    n: str
    clusters: str
    cluster_key: str
    test: TestView | None
    other_tests: tuple[TestView, ...]
    null: str
    null_method: str
    detectable: str
    references: tuple[ReferenceView, ...]
    notes: tuple[str, ...]
    strip: Strip

    @property
    def name(self) -> str:
        """The subgroup in words; the title where the finding is about everything."""
        return ", ".join(self.subgroup.values()) or self.title

    @property
    def further(self) -> bool:
        """Whether more is known of its tests than a table row says."""
        return bool(self.other_tests) or (self.test is not None and bool(self.test.smallest_p))


@dataclass(frozen=True)
class Block:
    """Findings of one metric of one cell, alike in severity or role: the unit of a table."""

    title: str
    cell_title: str
    cell_anchor: str
    keys: tuple[str, ...]  # names of the subgroup columns
    unit: str  # shared by all findings, "" where they differ
    methods: tuple[tuple[str, str], ...]  # how these findings were made, said once
    notes: tuple[str, ...]  # those that all of them share
    findings: tuple[FindingView, ...]
    left_out: int = 0  # findings that the page has no room for


@dataclass(frozen=True)
class SeverityGroup:
    """All findings of one severity."""

    severity: Severity
    anchor: str
    count: int
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Glance:
    """One metric of one cell in a line: who is affected, how much, how sure, in which items it is seen."""

    cell_title: str
    cell_anchor: str
    title: str
    who: tuple[tuple[str, str], ...]  # what is compared, and who is at which end; nothing without an adverse effect
    much: str  # "" where no test shows an adverse effect
    sure: str
    seen: tuple[tuple[str, str], ...]  # where items are shown: title and anchor


@dataclass(frozen=True)
class HarmSection:
    """All findings about one kind of harm: who is affected, how much, how sure, and in which items it is seen."""

    harm: Harm
    anchor: str
    adverse: int
    judged: int  # findings that a corrected test speaks about
    glances: tuple[Glance, ...]
    groups: tuple[SeverityGroup, ...]

    @property
    def heading(self) -> str:
        """The harm as a title."""
        return self.harm.value.capitalize()

    @property
    def meaning(self) -> str:
        """One sentence that says what the harm is."""
        return HARMS[self.harm]


HARMS: Mapping[Harm, str] = {
    Harm.DENIGRATION: "People are called something that takes away their dignity.",
    Harm.STEREOTYPING: "Groups of people are tied to traits, deeds or occupations that say nothing about any of them.",
    Harm.REPRESENTATION: "A search that names no group finds people of some groups first, and of others late or never.",
    Harm.ERASURE: "People of one group stand for everybody; those of others need a word of their own to be found.",
    Harm.SERVICE: "The model is right less often for people of some groups.",
    Harm.DECEPTION: "Somebody can make the model see or read what is not there.",
    Harm.FAILURE: "The model fails where its users would not expect it.",
    Harm.REASONS: "The model is right, or wrong, for other reasons than people are.",
    Harm.OTHER: "Findings of audits that name no kind of harm.",
}


@dataclass(frozen=True)
class Table:
    """The numbers behind a figure. Cells are text; `numeric` marks columns set flush right."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: tuple[bool, ...]
    left_out: int = 0  # rows that the page has no room for


@dataclass(frozen=True)
class PlotView:
    """A figure to be drawn, its alt text and the table behind it."""

    anchor: str
    figure: Figure
    alt: str
    table: Table
    partly: str  # what is not drawn, in words
    blank: str  # why it is not drawn; "" where it is


@dataclass(frozen=True)
class Picture:
    """One thumbnail as a data URI, or the reason why it is not shown."""

    uri: str
    alt: str
    missing: str
    head: str = ""  # what it shows, where the rows of a gallery have columns


@dataclass(frozen=True)
class GalleryRow:
    """One to three pictures that belong together."""

    pictures: tuple[Picture, ...]
    caption: str
    score: str
    ids: tuple[str, ...]


@dataclass(frozen=True)
class ScaleView:
    """One colour bar for all pictures of a gallery."""

    label: str
    low: str
    high: str
    stops: tuple[str, ...]  # hex colours, at equal steps


@dataclass(frozen=True)
class GalleryView:
    """Worst items, with thumbnails or the reason why they are withheld."""

    anchor: str
    title: str
    caption: str
    withheld: str
    rows: tuple[GalleryRow, ...]
    scale: ScaleView | None = None  # only where a picture is shown
    left_out: int = 0  # rows that the page has no room for

    @property
    def across(self) -> int:
        """Pictures in the longest row."""
        return max((len(row.pictures) for row in self.rows), default=0)


@dataclass(frozen=True)
class CellView:
    """One cell: what was asked, of what, and what came out."""

    anchor: str
    slug: str
    title: str
    family: str
    question: str
    harm: str
    limits: tuple[str, ...]
    audit_anchor: str
    data_anchor: str
    data_title: str
    state: str  # "done", "not run", "errored"
    reason: str
    rows: str
    error_rows: int
    error_share: str
    errors: tuple[str, ...]
    params: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    tally: tuple[tuple[Severity, int], ...]
    primary: tuple[Block, ...]
    details: tuple[tuple[str, tuple[Block, ...]], ...]  # role in words -> blocks
    details_left_out: int  # estimates that are not primary, where the page has room for none of them
    shared: tuple[tuple[str, str], ...]  # how all of these findings were made
    plots: tuple[PlotView, ...]
    plots_left_out: int  # that the page has no room for
    galleries: tuple[GalleryView, ...]


@dataclass(frozen=True)
class NotTested:
    """An audit outside the suite. title: its id where no more is known."""

    id: str
    title: str
    question: str
    harm: str


@dataclass(frozen=True)
class MethodView:
    """How one audit measures, and what it cannot say."""

    anchor: str
    id: str
    version: str
    family: str
    title: str
    question: str
    harm: str
    methods: tuple[str, ...]
    citations: tuple[str, ...]
    limits: tuple[str, ...]


@dataclass(frozen=True)
class DataView:
    """A data card in short."""

    anchor: str
    id: str
    title: str
    facts: tuple[tuple[str, str], ...]
    limits: tuple[str, ...]


@dataclass(frozen=True)
class StandOut:
    """One thing to know first."""

    severity: Severity
    sentence: str
    value: str
    anchor: str
    cell_title: str


@dataclass(frozen=True)
class Tally:
    """A count on the first screen."""

    count: int
    word: str
    mark: str
    target: str


@dataclass(frozen=True)
class VerdictView:
    """What the first screen says."""

    state: str
    headline: str
    explanation: str
    findings: str  # counts of what was found, where the headline is about rules
    briefs: tuple[Brief, ...]
    tallies: tuple[Tally, ...]
    standouts: tuple[StandOut, ...]
    quiet: str  # what to say when nothing stands out


@dataclass(frozen=True)
class WaiverView:
    """Who let a rule through for a model, why, and until when."""

    rule: str
    anchor: str  # of the rule; "" where the policy has it no more
    model: str
    reason: str
    owner: str
    expires: str
    state: str  # "active", "expired", "not needed", "other model"


@dataclass(frozen=True)
class RuleView:
    """One rule of the policy and what came of it. Measured values are those of the estimate closest to failing."""

    anchor: str
    id: str
    severity: str
    asked: str
    state: str
    mark: str
    blocks: bool
    reason: str
    measured: str
    interval: str
    allowed: str
    n: str
    needed: str  # items that would decide it, where it is not decided
    links: tuple[tuple[str, str], ...]  # names and anchors of the findings that were judged
    more: int  # findings that are not linked
    waiver: WaiverView | None
    strip: Strip | None  # the band is what is allowed


@dataclass(frozen=True)
class GateView:
    """The policy applied to the run: rules, waivers, and what kept it from being applied."""

    rules: tuple[RuleView, ...]
    waivers: tuple[WaiverView, ...]
    problems: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Brief:
    """One kind of harm in a line for readers who know no statistics."""

    harm: Harm
    mark: str
    state: str  # "shown", "not shown", "not shown by the tests", "cannot be told", "described only", "not looked at"
    meaning: str
    counts: str
    anchor: str  # of its section; "" where nothing was measured


@dataclass(frozen=True)
class ModelView:
    """Who was audited."""

    name: str
    spec: str
    kind: str
    fingerprint: str
    precision: str
    precision_reason: str
    facts: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Listing:
    """A titled list of name and value."""

    title: str
    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class ManifestView:
    """How and where the run was made."""

    facts: tuple[tuple[str, str], ...]
    listings: tuple[Listing, ...]


@dataclass(frozen=True)
class ReportView:
    """A whole report."""

    title: str
    suite: str
    version: str
    date: str
    verdict: VerdictView
    gate: GateView | None
    model: ModelView
    harms: tuple[HarmSection, ...]
    groups: tuple[SeverityGroup, ...]  # the same findings by severity, whatever the harm
    cells: tuple[CellView, ...]
    not_tested: tuple[NotTested, ...]
    methods: tuple[MethodView, ...]
    data: tuple[DataView, ...]
    manifest: ManifestView
    glossary: tuple[tuple[str, str], ...]
    complete: bool  # whether every number of the result is on the page

    @property
    def done(self) -> tuple[CellView, ...]:
        """Cells that were measured."""
        return tuple(cell for cell in self.cells if cell.state == "done")

    @property
    def undone(self) -> tuple[CellView, ...]:
        """Cells that were not run or errored."""
        return tuple(cell for cell in self.cells if cell.state != "done")
