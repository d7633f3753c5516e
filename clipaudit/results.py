"""What an audit finds: typed, serialisable, free of any model. Reports read this and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

SCHEMA_VERSION = "1"


class Record(BaseModel):
    """Base of all result types: frozen, no unknown keys, non-finite numbers written as null."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="null")


class Direction(StrEnum):
    """Which way is worse for whom the audit protects."""

    HIGHER_IS_WORSE = "higher is worse"
    LOWER_IS_WORSE = "lower is worse"
    AWAY_FROM_NULL_IS_WORSE = "away from null is worse"
    DESCRIPTIVE = "descriptive"


class Harm(StrEnum):
    """Kinds of harm, by what happens to whom; reports gather findings by them. After Crawford 2017 and Shelby et al.
    2023 for harms to people, and one kind each for being deceived, failing, and being right for wrong reasons."""

    DENIGRATION = "denigration"
    STEREOTYPING = "stereotyping"
    REPRESENTATION = "unequal representation"
    ERASURE = "erasure"
    SERVICE = "unequal service"
    DECEPTION = "deception"
    FAILURE = "unreliable service"
    REASONS = "wrong reasons"
    OTHER = "other"


class Status(StrEnum):
    """What can be said about one estimate."""

    EFFECT = "effect"  # its test rejects the null after correction
    NO_EFFECT = "no effect shown"  # a null result; `mde` says what it could have seen
    DESCRIBED = "described"  # an estimate with an interval and no test
    TOO_SMALL = "too small"  # below the metric's minimum n: shown, never judged
    INCONCLUSIVE = "inconclusive"  # a check of the measurement itself failed; `notes` says which


class Reference(Record):
    """A published or human value to set beside an estimate: context, not a target."""

    label: str
    value: float
    source: str


class Interval(Record):
    """A confidence interval and how it was made."""

    low: float | None
    high: float | None
    level: float = 0.95
    method: str  # "BCa bootstrap", "Wilson", ...


class Test(Record):
    """A significance test; both the raw and the corrected p are kept. p is never 0."""

    __test__ = False  # not a pytest class

    p: float
    p_adjusted: float | None = None
    correction: str | None = None  # "Holm over 39 tests", "Benjamini-Hochberg over 120 words"
    alternative: Literal["two-sided", "greater", "less"] = "two-sided"
    method: str  # "exact permutation (924 partitions)", "McNemar exact", ...
    smallest_p: float | None = None  # attainable with this n


class Null(Record):
    """What chance alone gives for the same n: mean and central 95 %."""

    mean: float
    low: float
    high: float
    sd: float | None = None
    method: str


class Estimate(Record):
    """A metric's value with everything needed to believe it or not.

    `role` is "primary" (what the audit asks), "secondary" (detail), "control" (a check that the
    measurement works) or "preset" (the number as a published protocol computes it).
    `subgroup` names the slice: {"test": "Insect-Flower"}, {"race (annotated)": "Indian"}; {} is everything.
    `minimum_detectable` is the smallest effect that this n would have shown with 80 % power at alpha .05.
    `sentence` is the plain-language finding: effect, interval, n, and what it does not show.
    """

    metric: str
    title: str
    value: float | None
    unit: str = ""
    direction: Direction = Direction.DESCRIPTIVE
    role: Literal["primary", "secondary", "control", "preset"] = "primary"
    subgroup: Mapping[str, str] = Field(default_factory=dict)
    interval: Interval | None = None
    n: int
    clusters: int | None = None
    cluster_key: str | None = None
    null_value: float | None = None
    null: Null | None = None
    test: Test | None = None
    other_tests: tuple[Test, ...] = ()
    minimum_detectable: float | None = None
    status: Status = Status.DESCRIBED
    references: tuple[Reference, ...] = ()
    notes: tuple[str, ...] = ()
    sentence: str = ""


# --- figures: data for plots, drawn by the reports package -------------------------------------------------


class Point(Record):
    """One mark with its interval. `group` gives colour *and* marker shape."""

    label: str
    value: float | None
    low: float | None = None
    high: float | None = None
    n: int | None = None
    group: str = ""
    null_low: float | None = None
    null_high: float | None = None
    p: float | None = None  # corrected
    note: str = ""


class BaseFigure(Record):
    """`alt` states the figure's main number in words; a table of the same data stands behind each plot."""

    id: str  # unique within the cell, kebab-case
    title: str
    caption: str = ""
    alt: str = ""


class ForestFigure(BaseFigure):
    kind: Literal["forest"] = "forest"
    x_label: str
    points: tuple[Point, ...]
    null_value: float | None = None
    references: tuple[Reference, ...] = ()


class BarsFigure(BaseFigure):
    kind: Literal["bars"] = "bars"
    y_label: str
    points: tuple[Point, ...]  # label = category, group = series
    references: tuple[Reference, ...] = ()
    y_range: tuple[float, float] | None = None


class Series(Record):
    name: str
    x: tuple[float, ...]
    y: tuple[float | None, ...]
    low: tuple[float | None, ...] | None = None
    high: tuple[float | None, ...] | None = None
    line_only: bool = False  # a fitted curve: no markers


class CurveFigure(BaseFigure):
    kind: Literal["curve"] = "curve"
    x_label: str
    y_label: str
    series: tuple[Series, ...]
    references: tuple[Reference, ...] = ()  # horizontal lines
    marks: tuple[Reference, ...] = ()  # vertical lines, e.g. the area at which half flip
    x_log: bool = False
    y_range: tuple[float, float] | None = None


class HeatmapFigure(BaseFigure):
    kind: Literal["heatmap"] = "heatmap"
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    values: tuple[tuple[float | None, ...], ...]
    marked: tuple[tuple[bool, ...], ...] | None = None  # significant after correction
    value_label: str
    diverging: bool = False  # colour scale centred on zero


class RankFigure(BaseFigure):
    """A measure along a ranking: one small plot per series, all on one scale, each before its band of chance."""

    kind: Literal["rank"] = "rank"
    x_label: str
    y_label: str
    series: tuple[Series, ...]  # `low` and `high` are the central 95 % of what chance gives, not an interval
    null_value: float | None = None


class Panel(Record):
    """One of several small forests."""

    title: str
    points: tuple[Point, ...]


class PanelsFigure(BaseFigure):
    """Small multiples: forests of the same rows on one scale, e.g. an intersection, one panel per group of the first
    annotation and one row per group of the second. A point's `group` is its status."""

    kind: Literal["panels"] = "panels"
    x_label: str
    panels: tuple[Panel, ...]
    null_value: float | None = None


class ShapeTextureFigure(BaseFigure):
    """The field's chart: classes on the vertical axis, shape fraction on the horizontal."""

    kind: Literal["shape-texture"] = "shape-texture"
    points: tuple[Point, ...]  # label = class, group = "this model" | "humans" ...
    overall: tuple[Reference, ...] = ()


class Cloud(Record):
    """Points of one kind in a plane: a thinned sample of at most some hundred, and their mean over all."""

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    centre: tuple[float, float] | None = None


class ScatterFigure(BaseFigure):
    """Clouds of points in a plane. With `gap`, a line joins the centres of the first two and carries its words."""

    kind: Literal["scatter"] = "scatter"
    x_label: str
    y_label: str
    clouds: tuple[Cloud, ...]
    gap: str = ""


class ReliabilityBin(Record):
    """Items of like confidence: their mean confidence and how many of them were right, with its interval."""

    confidence: float
    accuracy: float
    low: float
    high: float
    n: int


class ReliabilityCurve(Record):
    name: str
    bins: tuple[ReliabilityBin, ...]


class ReliabilityFigure(BaseFigure):
    """Reliability diagram: accuracy against confidence, the diagonal being perfect calibration. One panel per curve."""

    kind: Literal["reliability"] = "reliability"
    curves: tuple[ReliabilityCurve, ...]


class ColourScale(Record):
    """What the colours of a gallery's pictures mean: stops (hex) at equal steps from `low` to `high`."""

    label: str
    low: str
    high: str
    stops: tuple[str, ...]


class GalleryItem(Record):
    """Ids of one to three images shown in a row, with their score. `thumbnails` are files of the cell
    directory, filled in by the engine and only where every card involved allows it."""

    items: tuple[str, ...]
    caption: str
    score: float | None = None
    thumbnails: tuple[str, ...] = ()


class GalleryFigure(BaseFigure):
    kind: Literal["gallery"] = "gallery"
    entries: tuple[GalleryItem, ...]
    columns: tuple[str, ...] = ()  # what the pictures of each row are, in order: "image", "accurate", "misleading"
    scale: ColourScale | None = None
    withheld: str = ""  # why no thumbnails are shown, where they are not


Figure = Annotated[
    ForestFigure
    | BarsFigure
    | CurveFigure
    | RankFigure
    | PanelsFigure
    | HeatmapFigure
    | ShapeTextureFigure
    | ScatterFigure
    | ReliabilityFigure
    | GalleryFigure,
    Field(discriminator="kind"),
]


# --- cells and runs ----------------------------------------------------------------------------------------


class CellStatus(StrEnum):
    DONE = "done"
    NOT_RUN = "not run"  # needs not met or data out of reach; `reason` says which
    ERRORED = "errored"  # `reason` says what went wrong


class AuditInfo(Record):
    """The part of an AuditSpec that a reader of results needs."""

    id: str
    version: str
    family: str
    title: str
    question: str
    harm: str
    kind_of_harm: Harm = Harm.OTHER
    citations: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    methods: str = ""


GroupsAre = Literal["annotated", "drawn"]  # by others who looked at photographs; or by whoever made the pictures


class DataInfo(Record):
    """The part of a data card that a reader of results needs."""

    id: str
    title: str
    digest: str
    items: int
    licence: str
    consent: str
    source: str = ""
    citation: str = ""
    groups: tuple[str, ...] = ()
    groups_are: GroupsAre = "annotated"
    thumbnails: bool = False
    limits: tuple[str, ...] = ()


class ModelInfo(Record):
    """Who was audited. `fingerprint` is sha256 over weights + config + preprocessing + precision."""

    spec: str
    name: str
    fingerprint: str
    kind: str  # "open_clip", "transformers", "recorded", "control", "python"
    capabilities: tuple[str, ...]
    precision: str = ""
    precision_reason: str = ""
    embedding_dim: int | None = None
    image_size: int | None = None
    context_length: int | None = None
    logit_scale: float | None = None
    logit_bias: float | None = None
    parameters: int | None = None
    warnings: tuple[str, ...] = ()  # what every report made with this model must say


class CellResult(Record):
    """One cell: what was asked, of what, and what came out."""

    key: str  # hash of audit, data, parameters, seed and model; names the cell's folder
    slug: str  # readable: "typographic.rta100"
    title: str
    audit: AuditInfo
    data: DataInfo | None = None
    params: Mapping[str, Any] = Field(default_factory=dict)
    seed: int = 0
    status: CellStatus
    reason: str = ""
    rows: int = 0
    error_rows: int = 0
    errors: tuple[str, ...] = ()  # the first few, for the report
    estimates: tuple[Estimate, ...] = ()
    figures: tuple[Figure, ...] = ()
    notes: tuple[str, ...] = ()


class Untested(Record):
    """An audit of the catalogue that a suite leaves out. No title where it could not be loaded."""

    id: str
    title: str = ""
    question: str = ""
    kind_of_harm: Harm = Harm.OTHER


class RunResult(Record):
    """`result.json`: identical byte for byte for the same command. No times, no paths."""

    schema_version: str = SCHEMA_VERSION
    clipaudit_version: str
    suite: str
    suite_title: str = ""
    seed: int
    model: ModelInfo
    cells: tuple[CellResult, ...]
    not_tested: tuple[str, ...] = ()  # ids of the audits of the catalogue outside this suite
    untested: tuple[Untested, ...] = ()  # what these audits ask


class ShardInfo(Record):
    """Which share of a run a directory holds. cells: "<slug>-<key>" of the whole run, in order."""

    index: int
    of: int
    cells: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.index}/{self.of}"


class Manifest(Record):
    """`manifest.json`: how and where the run was made. Times and machine facts live here."""

    command: tuple[str, ...] = ()
    started: str
    finished: str | None = None
    seconds: float | None = None
    python: str
    platform: str
    packages: Mapping[str, str]
    hardware: Mapping[str, str]
    suite_digest: str
    model_fingerprint: str
    seed: int
    data: Mapping[str, str] = Field(default_factory=dict)  # id -> digest
    forward_passes: Mapping[str, int] = Field(default_factory=dict)  # images, texts, from_cache_*
    cell_seconds: Mapping[str, float] = Field(default_factory=dict)
    result_digest: str | None = None
    rows_digests: Mapping[str, str] = Field(default_factory=dict)  # "<slug>-<key>" of a cell -> sha256 of its rows
    # Cells measured before an upgrade, in a run that was resumed after it -> the versions then, where they differ.
    cell_versions: Mapping[str, Mapping[str, str]] = Field(default_factory=dict)
    shard: ShardInfo | None = None  # None: the whole run
