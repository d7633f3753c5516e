"""The Python API behind the command line; a notebook can use it as well.

from clipaudit.api import audit
outcome = audit("demo", "reference", out="runs/first")
outcome.result.cells[0].estimates
"""

from __future__ import annotations

import hashlib
import json
import platform
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from clipaudit.engine import environment
from clipaudit.engine.executors import Executor
from clipaudit.engine.plan import Plan, PlannedCell, make_plan
from clipaudit.engine.progress import Reporter, Silent
from clipaudit.engine.remote import is_url, mirrored
from clipaudit.engine.run import MAX_ERROR_RATE, Execution, InProcess, carry_out
from clipaudit.engine.shard import Shard, cell_names
from clipaudit.engine.store import RunStore, write_atomic
from clipaudit.engine.suite import Suite, SuiteEntry, load_suite, parse_overrides
from clipaudit.errors import UsageError
from clipaudit.results import CellResult, Manifest, RunResult, ShardInfo

if TYPE_CHECKING:
    from clipaudit.data.registry import DataRegistry
    from clipaudit.engine.ray_executor import RayOptions
    from clipaudit.models.protocol import Model

SAMPLE_IMAGES, SAMPLE_TEXTS = 8, 16  # of the run's own data, for the precision probe


@dataclass(frozen=True)
class Request:
    """Everything that decides what a run computes: the same request gives the same `result.json`."""

    suite: str = "demo"
    model: str = "reference"
    data: tuple[str, ...] = ()  # "id=path", "path" or "id"
    audits: tuple[str, ...] = ()  # globs
    settings: tuple[str, ...] = ()  # "audit.param=value"
    seed: int = 0
    limit: int | None = None
    precision: str = "auto"
    device: str | None = None
    offline: bool = False
    max_error_rate: float = MAX_ERROR_RATE

    @property
    def default_out(self) -> Path:
        """runs/<suite>-<model>-<hash>: the same command finds its own run again and resumes it."""
        identity = json.dumps({name: getattr(self, name) for name in self.__dataclass_fields__}, sort_keys=True)
        digest = hashlib.sha256(identity.encode()).hexdigest()[:6]
        stem = f"{Path(self.suite).stem}-{self.model}"
        safe = "".join(char if char.isalnum() or char in "-_" else "-" for char in stem)[:60].strip("-")
        return Path("runs") / f"{safe}-{digest}"


@dataclass(frozen=True)
class Outcome:
    """A finished run. url: where it lies, if not here; then what is at `path` is gone."""

    path: Path
    result: RunResult
    manifest: Manifest
    report: Path | None
    url: str | None = None

    @property
    def shown(self) -> str:
        """What to open: the report, or the result where none was written."""
        name = "result.json" if self.report is None else self.report.name
        return f"{self.url}/{name}" if self.url else str(self.report or self.path / name)


def prepare(request: Request) -> tuple[Plan, DataRegistry]:
    """The plan of a request: nothing is computed, the model is not loaded."""
    from clipaudit.data.registry import DataRegistry, parse_data_option

    overrides = dict(parse_data_option(option) for option in request.data)
    registry = DataRegistry(overrides, offline=request.offline)
    suite = _with_own_data(load_suite(request.suite, list(overrides)), registry, list(overrides))
    suite = suite.only(request.audits)
    suite = suite.with_params(parse_overrides(request.settings))
    return make_plan(suite, registry, seed=request.seed, limit=request.limit), registry


def _with_own_data(suite: Suite, registry: DataRegistry, data: Sequence[str]) -> Suite:
    """The suite, and each of its audits on every data set given that it does not name and the audit can use.

    UsageError for a data set that none of the audits can use.
    """
    from clipaudit.engine.serves import services

    named = {entry.data for entry in suite.audits}
    audits = dict.fromkeys(entry.id for entry in suite.audits)
    entries = list(suite.audits)
    for data_id in data:
        if data_id in named:
            continue
        served = list(services(registry.open(data_id)))
        able = {service.audit for service in served if service.reason is None}
        if not able.intersection(audits):
            first = next((service for service in served if service.audit in audits), None)
            why = f" ({first.reason})" if first else ""
            raise UsageError(
                f"--data {data_id}: no audit of suite {suite.id!r} can use it{why}; clipaudit describe says which can"
            )
        entries += [SuiteEntry(id=audit, data=data_id) for audit in audits if audit in able]
    return suite.model_copy(update={"audits": tuple(entries)})


def open_for(plan: Plan, request: Request, reporter: Reporter) -> Model:
    """The model of a request, its precision probed on the plan's own images and texts."""
    from clipaudit.models.load import open_model
    from clipaudit.paths import cache_root

    return open_model(
        request.model,
        cache_dir=cache_root(),
        precision=request.precision,
        sample=list(islice(plan.images().values(), SAMPLE_IMAGES)),
        texts=plan.texts()[:SAMPLE_TEXTS],
        device=request.device,
        offline=request.offline,
        on_batch=reporter.batch,
    )


def audit(
    request: Request,
    out: Path | str | None = None,
    *,
    shard: Shard | None = None,
    ray: RayOptions | None = None,
    reporter: Reporter | None = None,
    report: bool = True,
    debug: bool = False,
) -> Outcome:
    """Plan, run (or resume) and report. Raises ClipAuditError; whatever was finished before stays stored.

    `out` is a directory, or a URL that fsspec can write to. With `shard` only its share of the cells is run, and no
    report written: `engine.merge` makes the run of all shares. With `ray`, workers of a Ray cluster run the cells; they
    open data and model by themselves.
    """
    job = _Job(request, shard, ray, reporter or Silent(), report, debug)
    if not isinstance(out, str) or not is_url(out):
        return job.run(Path(out or _default_out(request, shard)), lambda name: None)
    with mirrored(out) as mirror:
        outcome = job.run(mirror.local, mirror.push_cell)
        mirror.push_files()
    return replace(outcome, url=mirror.url)


@dataclass(frozen=True)
class _Job:
    """A run, wherever its directory is."""

    request: Request
    shard: Shard | None
    ray: RayOptions | None
    reporter: Reporter
    report: bool
    debug: bool

    def run(self, out: Path, on_stored: Callable[[str], None]) -> Outcome:
        """Into `out`; `on_stored` is told the name of each cell that has been stored."""
        started, clock, reporter = datetime.now(UTC), time.perf_counter(), self.reporter
        store = RunStore(out)
        whole, _ = prepare(self.request)
        plan = whole if self.shard is None else self.shard.plan(whole)

        def ended(result: CellResult, resumed: bool) -> None:
            reporter.cell_ended(result, resumed)
            on_stored(f"{result.slug}-{result.key}")

        with store.writing():
            executor = self._executor(whole, store)
            try:
                manifest = _manifest(whole, executor, started, self.shard)
                _same_run(store, manifest)
                manifest = _with_past(manifest, store, reporter)
                store.write_manifest(manifest)
                reporter.begin(len(plan.cells), len(plan.images()), len(plan.texts()))
                result, execution = carry_out(
                    plan,
                    executor,
                    store,
                    on_start=lambda planned: reporter.cell_started(planned.cell.title or planned.cell.slug),
                    on_end=ended,
                )
            finally:
                executor.close()
            for unrun in plan.unrun:
                reporter.cell_ended(unrun, False)
            manifest = _finish(manifest, executor, execution, store.write_result(result), time.perf_counter() - clock)
            manifest = store.accounted(manifest, result)
            store.write_manifest(manifest)
        page = write_report(store, result, manifest) if self.report and self.shard is None else None
        return Outcome(store.root, result, manifest, page)

    def _executor(self, whole: Plan, store: RunStore) -> Executor:
        """Who runs the cells. The precision is probed on a sample of the whole plan, so that every share and every
        worker finds the same."""
        request, reporter = self.request, self.reporter
        if self.ray is not None:
            from clipaudit.engine.ray_executor import RayExecutor

            return RayExecutor(
                self.ray, partial(_open_alone, request), store.root, request.max_error_rate, reporter.note
            )

        def crashed(planned: PlannedCell, error: Exception) -> None:
            if self.debug:
                raise error

        return InProcess(open_for(whole, request, reporter), store.scratch, request.max_error_rate, crashed)


def _open_alone(request: Request) -> tuple[Plan, Model]:
    """Plan and model of a request, made on the machine of a worker."""
    plan, _ = prepare(request)
    return plan, open_for(plan, request, Silent())


def write_report(
    store: RunStore, result: RunResult, manifest: Manifest | None, out: Path | None = None, form: str = "html"
) -> Path:
    """Render the report of a run in a registered format ("html", "markdown"), with its gate's rules where it was gated;
    returns the file written."""
    from clipaudit import plugins
    from clipaudit.gate.files import read_gate

    page: str = plugins.load_report(form)(result, manifest, store.thumbnails(result), read_gate(store.root))
    target = out or store.root / f"report.{'md' if form == 'markdown' else form}"
    write_atomic(target, page.encode())
    return target


def close(model: Model) -> None:
    """Let a model that holds a cache write it out."""
    finish = getattr(model, "close", None)
    if finish is not None:
        finish()


def embed(plan: Plan, model: Model, out: Path) -> None:
    """Record everything a plan will ask of `model`, as a `recorded:` directory."""
    from clipaudit.models.recorded_write import write_recorded

    write_recorded(model, list(plan.images().values()), plan.texts(), out)


def _default_out(request: Request, shard: Shard | None) -> Path:
    out = request.default_out
    return out if shard is None else out.with_name(f"{out.name}-shard-{shard.index}-of-{shard.of}")


def _manifest(plan: Plan, executor: Executor, started: datetime, shard: Shard | None) -> Manifest:
    names = () if shard is None else cell_names(plan, executor.info.fingerprint)
    return Manifest(
        command=tuple(sys.argv),
        started=started.isoformat(timespec="seconds"),
        python=platform.python_version(),
        platform=platform.platform(),
        packages=environment.packages(),
        hardware=executor.hardware,
        suite_digest=plan.suite.digest,
        model_fingerprint=executor.info.fingerprint,
        seed=plan.seed,
        data={planned.cell.data.id: planned.cell.data.digest for planned in plan.cells if planned.cell.data},
        shard=None if shard is None else ShardInfo(index=shard.index, of=shard.of, cells=names),
    )


def _finish(manifest: Manifest, executor: Executor, execution: Execution, digest: str, seconds: float) -> Manifest:
    return manifest.model_copy(
        update={
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
            "seconds": round(seconds, 3),
            "forward_passes": dict(executor.counters),
            "cell_seconds": execution.cell_seconds,
            "result_digest": digest,
        }
    )


def _same_run(store: RunStore, new: Manifest) -> None:
    old = store.manifest()
    if old is None:
        return
    held, wanted = (None if one.shard is None else str(one.shard) for one in (old, new))
    if held != wanted:
        what = "a whole run" if held is None else f"shard {held} of a run"
        raise UsageError(f"{store.root} holds {what}; choose another --out (each shard has a directory of its own)")
    for what in ("suite_digest", "model_fingerprint", "seed"):
        if getattr(old, what) != getattr(new, what):
            word = what.removesuffix("_digest").removesuffix("_fingerprint")
            raise UsageError(f"{store.root} holds a run with another {word}; choose another --out or remove it")


def _with_past(new: Manifest, store: RunStore, reporter: Reporter) -> Manifest:
    """The manifest with what is known of the cells that are there already; what has changed since is said."""
    old = store.manifest()
    if old is None:
        return new
    for line in environment.since(old, new):
        reporter.note(line)
    return new.model_copy(update={"rows_digests": old.rows_digests})
