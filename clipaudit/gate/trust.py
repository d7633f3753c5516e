"""Is a run whole, as it was written, and comparable with its baseline? Each doubt is one line."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from clipaudit.engine import environment
from clipaudit.engine.rescore import RUN_AGAIN
from clipaudit.engine.store import RunStore
from clipaudit.errors import ExitCode, UsageError
from clipaudit.gate.select import same_cell
from clipaudit.reading import RESULT_BYTES, read_bytes
from clipaudit.results import SCHEMA_VERSION, CellStatus, Manifest, RunResult


class Interrupted(UsageError):
    """A run that has not finished: the same command resumes it."""

    exit_code = ExitCode.INTERRUPTED


@dataclass(frozen=True)
class Run:
    """A finished run. digest: sha256 of its result.json as it lies there now."""

    store: RunStore
    result: RunResult
    manifest: Manifest
    digest: str

    @property
    def name(self) -> str:
        return str(self.store.root)


def open_run(path: Path) -> Run:
    """A finished run. UsageError where there is none or another version wrote it, Interrupted where it is not done."""
    store = RunStore(path)
    if not path.is_dir():
        raise UsageError(f"{path}: no such directory; give the directory of a run (clipaudit run ... --out DIR)")
    _same_schema(path / "result.json")
    manifest = store.manifest()
    if manifest is None:
        raise UsageError(f"{path}: no manifest.json here; is it the directory of a run?")
    if manifest.finished is None or not (path / "result.json").is_file():
        raise Interrupted(f"{path}: this run was interrupted; give the same clipaudit run command again, it resumes")
    if manifest.shard is not None:
        raise UsageError(
            f"{path}: shard {manifest.shard} of a run; make the whole with clipaudit merge DIR ... --out RUN"
        )
    return Run(store, store.result(), manifest, hashlib.sha256((path / "result.json").read_bytes()).hexdigest())


def doubts(run: Run) -> Iterator[str]:
    """What speaks against the run itself."""
    if run.digest != run.manifest.result_digest:
        yield (
            f"{run.name}: result.json was changed after the run wrote it (its digest is not the manifest's); "
            f"clipaudit rescore {run.name} computes it anew from the rows"
        )
    if run.result.model.fingerprint != run.manifest.model_fingerprint:
        yield f"{run.name}: result.json and manifest.json name different models"
    for cell in run.result.cells:
        if cell.status is not CellStatus.DONE or not run.store.folder(cell.slug, cell.key).is_dir():
            continue
        wrong = run.store.fault(cell.slug, cell.key, absent_is_fine=True)
        if wrong:
            yield f"{run.store.folder(cell.slug, cell.key)}: {wrong}; {RUN_AGAIN}"


def sound(path: Path) -> Run:
    """A finished run that is as it was written; UsageError with the first doubt otherwise."""
    run = open_run(path)
    for doubt in doubts(run):
        raise UsageError(doubt)
    return run


def errored(run: Run) -> list[str]:
    """Cells that went wrong, each with its reason."""
    return [f"{cell.slug}: {cell.reason}" for cell in run.result.cells if cell.status is CellStatus.ERRORED]


def differences(run: Run, baseline: Run) -> Iterator[str]:
    """What makes two runs incomparable: versions, suite, seed, data, audits."""
    here, there = run.result, baseline.result
    if here.clipaudit_version != there.clipaudit_version:
        yield (
            f"the baseline was made by clipaudit {there.clipaudit_version}, the run by {here.clipaudit_version}; "
            f"run the baseline again, or clipaudit rescore {baseline.name}"
        )
    if run.manifest.suite_digest != baseline.manifest.suite_digest:
        yield (
            f"the baseline ran another suite ({there.suite!r}, digest {baseline.manifest.suite_digest[:12]}) than the "
            f"run ({here.suite!r}, {run.manifest.suite_digest[:12]}); run both with the same suite and --set"
        )
    if here.seed != there.seed:
        yield f"the baseline has seed {there.seed}, the run {here.seed}; run both with the same --seed"
    yield from _inputs(here, there)


def _inputs(here: RunResult, there: RunResult) -> Iterator[str]:
    said: set[str] = set()
    for cell in here.cells:
        other = next((c for c in there.cells if same_cell(c, cell)), None)
        if other is None:
            continue
        if cell.data and other.data and cell.data.digest != other.data.digest and cell.data.id not in said:
            said.add(cell.data.id)
            yield (
                f"data set {cell.data.id!r} is not the same in both runs ({other.data.items:,} items in the baseline, "
                f"{cell.data.items:,} in the run, another digest); run both on the same data with the same --limit"
            )
        if cell.audit.version != other.audit.version and cell.audit.id not in said:
            said.add(cell.audit.id)
            yield (
                f"audit {cell.audit.id!r} is version {other.audit.version} in the baseline and {cell.audit.version} "
                "in the run; run the baseline again"
            )


def circumstances(run: Run, baseline: Run) -> Iterator[str]:
    """What differs between two runs beside the model and does not forbid comparing them: packages, the machine."""
    here, there = run.manifest, baseline.manifest
    upgraded = environment.told(environment.measuring(there), environment.measuring(here))
    if upgraded:
        yield f"{baseline.name} was made with {upgraded}: part of a change may be theirs, not the model's"
    moved = environment.told(environment.machine(there), environment.machine(here))
    if moved:
        yield f"{baseline.name} was made on another machine: {moved}"


def mixtures(run: Run) -> Iterator[str]:
    """Cells that were measured under other versions than the rest of their run."""
    for name, versions in run.manifest.cell_versions.items():
        own = {**run.manifest.packages, "python": run.manifest.python}
        yield f"{run.name}: {name} was measured with {environment.told(versions, own)}"


def _same_schema(path: Path) -> None:
    """UsageError where the result was written in another form; other faults are the store's to tell."""
    try:
        content = json.loads(read_bytes(path, UsageError, str(path), RESULT_BYTES))
    except (UsageError, ValueError, RecursionError):
        return
    version = content.get("schema_version", "unknown") if isinstance(content, dict) else SCHEMA_VERSION
    if version != SCHEMA_VERSION:
        maker = content.get("clipaudit_version", "unknown")
        raise UsageError(
            f"{path}: written by clipaudit {maker} with result schema {version}; this one reads schema "
            f"{SCHEMA_VERSION}; run the suite again"
        )
