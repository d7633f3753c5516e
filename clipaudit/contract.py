"""The audit contract, version 1: one question asked of a model.

An audit declares itself (`spec`), splits its work into cells (`plan`), measures (`run`, the only part
that touches the model), and turns what it measured into estimates (`score`) and plots' data (`figures`).
`score` and `figures` are pure functions of the rows: a run can be re-scored years later without the model.
"""

from __future__ import annotations

import hashlib
import json
import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from clipaudit.images import ImageRef
from clipaudit.results import AuditInfo, DataInfo, Direction, Estimate, Figure, GroupsAre, Harm

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from clipaudit.data.dataset import Dataset
    from clipaudit.models.protocol import Model
    from clipaudit.validation.plan import Validation

CONTRACT_VERSION = 1


class Need(StrEnum):
    """What an audit needs of a model, and what a model offers."""

    SCORES = "scores"
    EMBEDDINGS = "embeddings"
    GRADIENTS = "gradients"
    ATTENTION = "attention"


class Params(BaseModel):
    """Base of every audit's parameters. Each field carries a description; unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class MetricSpec(BaseModel):
    """What a number means before it is measured."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    title: str
    unit: str = ""
    direction: Direction = Direction.DESCRIPTIVE
    range: tuple[float | None, float | None] = (None, None)
    null_value: float | None = None
    cluster_key: str | None = None
    min_n: int = 2
    formula: str = ""


class AuditSpec(BaseModel):
    """An audit's identity. `data` lists the ids of data sets it is made for; `columns` what it needs of any other.
    `uses`: what it uses of a model beyond `needs` where the model offers it, and does without where it does not.
    `part`: the parameter that tells cells without data apart in lists ("preset").

    `version` changes whenever the same rows would give other estimates, or the same input other rows.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    version: str
    family: str  # "social bias", "robustness", "meaning"
    title: str
    question: str
    harm: str
    kind_of_harm: Harm = Harm.OTHER
    citations: tuple[str, ...] = ()
    needs: frozenset[Need] = frozenset({Need.SCORES})
    uses: frozenset[Need] = frozenset()
    data: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    params: type[Params] = Params
    part: str = ""
    metrics: tuple[MetricSpec, ...] = ()
    limits: tuple[str, ...] = ()
    methods: str = ""

    def metric(self, name: str) -> MetricSpec:
        """The metric called `name`; KeyError if the audit does not declare it."""
        for metric in self.metrics:
            if metric.name == name:
                return metric
        raise KeyError(name)

    def info(self) -> AuditInfo:
        """The part that goes into results."""
        return AuditInfo(
            id=self.id, version=self.version, family=self.family, title=self.title, question=self.question,
            harm=self.harm, kind_of_harm=self.kind_of_harm, citations=self.citations, limits=self.limits,
            methods=self.methods,
        )  # fmt: skip


@dataclass(frozen=True)
class Cell:
    """One audit x one data set x one parameter setting: the unit of work, of caching and of resuming.

    `dataset` is attached while a model is being run and is None when re-scoring: `score` and `figures`
    may read everything but it. `scratch` is a folder for what a long cell has done so far: what `run` leaves there is
    still there when a killed run is resumed, and is thrown away once the cell is complete. None: nothing is kept.
    """

    spec: AuditSpec
    params: Any  # an instance of spec.params
    seed: int
    data: DataInfo | None = None
    title: str = ""
    dataset: Dataset | None = field(default=None, compare=False, repr=False)
    scratch: Path | None = field(default=None, compare=False, repr=False)

    @property
    def slug(self) -> str:
        """Readable name: "typographic.rta100", "association.weat"."""
        if self.data is not None:
            return f"{self.spec.id}.{self.data.id}"
        part = Path(str(getattr(self.params, self.spec.part))).stem if self.spec.part else ""
        plain = re.sub(r"[^a-z0-9_-]+", "-", part.lower()).strip("-")
        return f"{self.spec.id}.{plain}" if plain else self.spec.id

    def key(self, model_fingerprint: str) -> str:
        """sha256 (16 hex digits) over everything that the rows depend on."""
        identity = {
            "contract": CONTRACT_VERSION,
            "audit": [self.spec.id, self.spec.version],
            "data": None if self.data is None else [self.data.id, self.data.digest],
            "params": self.params.model_dump(mode="json"),
            "seed": self.seed,
            "model": model_fingerprint,
        }
        return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:16]

    @property
    def groups_are(self) -> GroupsAre:
        """What the groups of the cell's data set are: annotated by others, or drawn."""
        return "annotated" if self.data is None else self.data.groups_are

    def require_dataset(self) -> Dataset:
        """The attached data set; RuntimeError when called while re-scoring."""
        if self.dataset is None:
            raise RuntimeError(f"{self.slug}: no data set is attached; score() and figures() must read rows only")
        return self.dataset


@dataclass(frozen=True)
class PlanContext:
    """What an audit may look at while planning. A limit on the items (--limit) is already applied to `dataset`."""

    params: Any
    seed: int
    dataset: Dataset | None = None


@dataclass(frozen=True)
class Workload:
    """What a cell will ask of the model, known before it runs: for `plan`, `embed` and thumbnails."""

    images: Sequence[ImageRef] = ()
    texts: Sequence[str] = ()


@dataclass(frozen=True)
class Outcomes:
    """What each of n items contributes to an estimate: its value is scale * sum(above) / sum(below).

    items: (n,) ids, the same in every run on the same data. above, below: (n,); a plain mean has below = 1 throughout.
    clusters: (n,) natural unit of each item. With these two runs are compared item by item.
    """

    items: tuple[str, ...]
    above: NDArray[np.float64]
    below: NDArray[np.float64]
    clusters: tuple[str, ...]
    scale: float = 1.0


class Audit(ABC):
    """A plug-in that asks one question of a model. Subclass it and register the class under the
    entry-point group `clipaudit.audits`; the entry point's name must equal `spec.id`."""

    spec: ClassVar[AuditSpec]

    def plan(self, ctx: PlanContext) -> list[Cell]:
        """Cells to run; one by default. Raises DataError if the data lacks what the audit needs."""
        data = None if ctx.dataset is None else ctx.dataset.info
        title = self.spec.title if data is None else f"{self.spec.title}: {data.title}"
        return [Cell(self.spec, ctx.params, ctx.seed, data, title, ctx.dataset)]

    @abstractmethod
    def workload(self, cell: Cell) -> Workload:
        """Every image and text that `run` will show the model. Builds references only: no pixels are read."""

    @abstractmethod
    def run(self, cell: Cell, model: Model) -> pa.Table:
        """Measure: one row per item. A column `error` (null or one line) marks items that could not be read."""

    @abstractmethod
    def score(self, cell: Cell, rows: pa.Table) -> list[Estimate]:
        """Pure: the estimates that follow from the rows. Deterministic in (rows, cell.params, cell.seed)."""

    def figures(self, cell: Cell, rows: pa.Table, estimates: Sequence[Estimate]) -> list[Figure]:
        """Pure: data for plots, and galleries of the worst items (image ids only)."""
        return []

    def pictures(self, cell: Cell, rows: pa.Table) -> Sequence[ImageRef]:
        """Pure: images that `run` made and that galleries show beside those of the workload, under ids of their own."""
        return ()

    def outcomes(self, cell: Cell, rows: pa.Table, estimate: Estimate) -> Outcomes | None:
        """Pure: what each item contributes to one of the estimates that `score` makes of these rows.

        None where the estimate is no mean or ratio over items: two runs are then compared by their intervals.
        """
        return None

    def seconds(self, cell: Cell, model: Model) -> float:
        """What `run` will take beyond embedding its workload, as far as a short trial on a few items can tell."""
        return 0.0

    def validation(self) -> Sequence[Validation]:
        """Effects of known size that the audit should find, for `clipaudit validate`. Costs nothing to call."""
        return ()


class TemplateParams(Params):
    """Parameters shared by all audits that classify by prompts."""

    templates: tuple[str, ...] = Field(
        default=("a photo of a {}.",), min_length=1, description="Prompt templates; {} is the label."
    )
