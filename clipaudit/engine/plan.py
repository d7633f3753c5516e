"""From a suite to cells: what will be run, what will not and why, and what it will ask of the model."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from clipaudit import plugins
from clipaudit.contract import Audit, Cell, PlanContext, Workload
from clipaudit.engine.suite import Suite, SuiteEntry, first_problem
from clipaudit.errors import ClipAuditError, DataUnavailable, UsageError
from clipaudit.results import AuditInfo, CellResult, CellStatus, Untested

if TYPE_CHECKING:
    from clipaudit.data.dataset import Dataset
    from clipaudit.data.registry import DataRegistry
    from clipaudit.images import ImageRef


@dataclass(frozen=True)
class PlannedCell:
    """One cell that can be run, with its audit and what it will show the model."""

    audit: Audit
    cell: Cell
    workload: Workload


@dataclass(frozen=True)
class Plan:
    """Cells in order. `unrun` are the results of entries that cannot be run, with the reason."""

    suite: Suite
    seed: int
    cells: tuple[PlannedCell, ...]
    unrun: tuple[CellResult, ...] = ()
    untested: tuple[Untested, ...] = ()

    def images(self) -> dict[str, ImageRef]:
        """Distinct images by id within their data set, in order of first use."""
        found: dict[str, ImageRef] = {}
        for planned in self.cells:
            scope = planned.cell.data.id if planned.cell.data else planned.cell.slug
            for image in planned.workload.images:
                found.setdefault(f"{scope}/{image.id}", image)
        return found

    def texts(self) -> list[str]:
        """Distinct prompts, in order of first use."""
        return list(dict.fromkeys(text for planned in self.cells for text in planned.workload.texts))


@dataclass
class _Planner:
    registry: DataRegistry
    seed: int
    limit: int | None
    opened: dict[str, Dataset] = field(default_factory=dict)

    def dataset(self, data_id: str) -> Dataset:
        if data_id not in self.opened:
            self.opened[data_id] = limited(self.registry.open(data_id), self.limit, self.seed)
        return self.opened[data_id]

    def entry(self, entry: SuiteEntry, audit: Audit) -> list[PlannedCell]:
        params = validate_params(audit, entry.params)
        dataset = None if entry.data is None else self.dataset(entry.data)
        seed = derive_seed(self.seed, entry.id, entry.data or "")
        cells = audit.plan(PlanContext(params, seed, dataset))
        return [PlannedCell(audit, cell, audit.workload(cell)) for cell in cells]


def make_plan(
    suite: Suite,
    registry: DataRegistry,
    *,
    seed: int = 0,
    limit: int | None = None,
    on_entry: Callable[[SuiteEntry], None] | None = None,
) -> Plan:
    """Plan every entry. Data out of reach or a broken plug-in is recorded as not run; a wrong name or
    parameter is the user's mistake and raises UsageError before anything is computed."""
    planner = _Planner(registry, seed, limit)
    cells: list[PlannedCell] = []
    unrun: list[CellResult] = []
    for entry in suite.audits:
        if on_entry:
            on_entry(entry)
        try:
            audit = plugins.load_audit(entry.id)
        except plugins.PluginUnavailable as error:
            unrun.append(_unrun(entry, None, CellStatus.NOT_RUN, error))
            continue
        try:
            cells += planner.entry(entry, audit)
        except DataUnavailable as error:
            unrun.append(_unrun(entry, audit, CellStatus.NOT_RUN, error))
        except UsageError:
            raise
        except ClipAuditError as error:
            unrun.append(_unrun(entry, audit, CellStatus.ERRORED, error))
    asked = {entry.id for entry in suite.audits}
    untested = tuple(_untested(each) for each in plugins.list_audits() if each.id not in asked)
    return Plan(suite, seed, tuple(cells), tuple(unrun), untested)


def _untested(listing: plugins.AuditListing) -> Untested:
    if listing.audit is None:
        return Untested(id=listing.id)
    spec = listing.audit.spec
    return Untested(id=spec.id, title=spec.title, question=spec.question, kind_of_harm=spec.kind_of_harm)


def validate_params(audit: Audit, params: Mapping[str, Any]) -> Any:
    """`params` as an instance of the audit's parameter class; UsageError naming key, value and allowed names."""
    model = audit.spec.params
    try:
        return model.model_validate(dict(params))
    except ValidationError as error:
        said = first_problem(error, model)
        unknown = said.startswith("unknown key")
        said = said.replace("key", "parameter", 1) if unknown else f"parameter {said.removeprefix('key ')}"
        raise UsageError(f"audit {audit.spec.id!r}: {said}") from error


def derive_seed(seed: int, *parts: str) -> int:
    """A cell's seed from the run's: the same for the same audit and data, whatever else the suite holds."""
    return int.from_bytes(hashlib.sha256("\0".join([str(seed), *parts]).encode()).digest()[:4], "big")


def limited(dataset: Dataset, limit: int | None, seed: int) -> Dataset:
    """At most `limit` items; the digest then says which, so that a limited run is never mistaken for a full one."""
    if limit is None or limit >= len(dataset):
        return dataset
    digest = hashlib.sha256(f"{dataset.info.digest}|head {limit} seed {seed}".encode()).hexdigest()
    info = dataset.info.model_copy(update={"digest": digest, "items": limit})
    return replace(dataset.head(limit, seed), info=info)


def _unrun(entry: SuiteEntry, audit: Audit | None, status: CellStatus, error: ClipAuditError) -> CellResult:
    slug = entry.id if entry.data is None else f"{entry.id}.{entry.data}"
    info = (
        audit.spec.info()
        if audit
        else AuditInfo(id=entry.id, version="", family="", title=entry.id, question="", harm="")
    )
    key = hashlib.sha256(f"{slug}|{sorted(entry.params.items())!r}".encode()).hexdigest()[:16]
    title = info.title if entry.data is None else f"{info.title}: {entry.data}"
    return CellResult(
        key=key, slug=slug, title=title, audit=info, params=dict(entry.params), status=status, reason=str(error)
    )
