"""Run a plan: one cell after the other, each committed whole, errors kept to the cell they belong to."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from clipaudit import __version__
from clipaudit.contract import Audit, Cell
from clipaudit.data.files import NamedItem
from clipaudit.engine import environment
from clipaudit.engine.executors import Executor, Measured, Started, Task
from clipaudit.engine.plan import Plan, PlannedCell
from clipaudit.engine.store import RunStore, raise_if_full
from clipaudit.engine.thumbnails import illustrate
from clipaudit.errors import ClipAuditError, NotSupported, StorageError
from clipaudit.results import CellResult, CellStatus, ModelInfo, RunResult
from clipaudit.validation.stored import cautioned

if TYPE_CHECKING:
    import pyarrow as pa

    from clipaudit.models.protocol import Model

Ended = Callable[[CellResult, bool], None]
Crashed = Callable[[PlannedCell, Exception], None]

MAX_ERROR_RATE = 0.01  # above this share of unreadable items a cell fails (DESIGN 6)


@dataclass
class Execution:
    """What a run leaves beside its result: seconds per cell, for the manifest."""

    cell_seconds: dict[str, float] = field(default_factory=dict)


def execute(
    plan: Plan,
    model: Model,
    store: RunStore,
    *,
    max_error_rate: float = MAX_ERROR_RATE,
    on_start: Started = lambda planned: None,
    on_end: Ended = lambda result, resumed: None,
    on_crash: Crashed = lambda planned, error: None,
) -> tuple[RunResult, Execution]:
    """Run what is not yet in `store`, in this process. `on_end` is told each cell's result and whether it was there."""
    executor = InProcess(model, store.scratch, max_error_rate, on_crash)
    return carry_out(plan, executor, store, on_start=on_start, on_end=on_end)


def carry_out(
    plan: Plan,
    executor: Executor,
    store: RunStore,
    *,
    on_start: Started = lambda planned: None,
    on_end: Ended = lambda result, resumed: None,
) -> tuple[RunResult, Execution]:
    """Have `executor` run what is not yet in `store`, and commit each cell as it comes back."""
    execution = Execution()
    tasks = [Task(planned, planned.cell.key(executor.info.fingerprint)) for planned in plan.cells]
    results: dict[str, CellResult] = {}
    for task in tasks:
        stored = store.finished(task.planned.cell.slug, task.key)
        if stored is not None and stored.status is CellStatus.DONE and task.name not in results:
            results[task.name] = stored
            on_end(stored, True)
    todo = {task.name: task for task in tasks if task.name not in results}
    for task, measured in executor.run(list(todo.values()), on_start):
        if measured.rows is not None:
            store.commit(measured.result, measured.rows, measured.thumbs)
        execution.cell_seconds[task.name] = round(measured.seconds, 3)
        results[task.name] = measured.result
        on_end(measured.result, False)
    return assemble(plan, executor.info, [*(results[task.name] for task in tasks), *plan.unrun]), execution


def assemble(plan: Plan, model: ModelInfo, cells: Sequence[CellResult]) -> RunResult:
    """The run's result from its cells."""
    return RunResult(
        clipaudit_version=__version__,
        suite=plan.suite.id,
        suite_title=plan.suite.title,
        seed=plan.seed,
        model=model,
        cells=tuple(cells),
        not_tested=tuple(each.id for each in plan.untested),
        untested=plan.untested,
    )


class InProcess:
    """The executor that runs one cell after the other, here. `scratch`: a folder for each (slug, key)."""

    def __init__(
        self, model: Model, scratch: Callable[[str, str], Path], max_error_rate: float, on_crash: Crashed
    ) -> None:
        self._model = model
        self._scratch = scratch
        self._max_error_rate = max_error_rate
        self._on_crash = on_crash

    @property
    def info(self) -> ModelInfo:
        return self._model.info

    @property
    def counters(self) -> Mapping[str, int]:
        return dict(getattr(self._model, "counters", {}))

    @property
    def hardware(self) -> Mapping[str, str]:
        return environment.hardware()

    def run(self, tasks: Sequence[Task], on_start: Started) -> Iterator[tuple[Task, Measured]]:
        for task in tasks:
            on_start(task.planned)
            yield task, self.measure(task)

    def measure(self, task: Task) -> Measured:
        """Run one task, and time it."""
        started = time.perf_counter()
        scratch = self._scratch(task.planned.cell.slug, task.key)
        measured = _run_cell(task, self._model, scratch, self._max_error_rate, self._on_crash)
        return replace(measured, seconds=time.perf_counter() - started)

    def close(self) -> None:
        """Let a model that holds a cache write it out."""
        finish = getattr(self._model, "close", None)
        if finish is not None:
            finish()


def _run_cell(task: Task, model: Model, scratch: Path, max_error_rate: float, on_crash: Crashed) -> Measured:
    audit, cell = task.planned.audit, task.planned.cell

    def without(status: CellStatus, reason: str) -> Measured:
        return Measured(blank(cell, task.key, status, reason))

    if why := hindrance(task.planned, model):
        return without(CellStatus.NOT_RUN, why)
    try:
        rows = audit.run(replace(cell, scratch=scratch), model)
        result = score_cell(audit, cell, task.key, rows, max_error_rate)
        shown = (*task.planned.workload.images, *audit.pictures(cell, rows))
        result, thumbs = illustrate(result, {image.id: image for image in shown})
    except NotSupported as error:
        return without(CellStatus.NOT_RUN, str(error))
    except StorageError:
        raise
    except ClipAuditError as error:
        return without(CellStatus.ERRORED, str(error))
    except Exception as error:  # an audit is a plug-in: its failure must not take the run with it
        raise_if_full(error, scratch)
        on_crash(task.planned, error)
        first = str(error).splitlines()[0] if str(error) else "no message"
        return without(CellStatus.ERRORED, f"the audit failed: {type(error).__name__}: {first}")
    return Measured(result, rows, thumbs)


def hindrance(planned: PlannedCell, model: Model) -> str:
    """Why this model cannot run this cell; "" where it can."""
    cell, images = planned.cell, () if planned.cell.dataset is None else planned.cell.dataset.images
    missing = sorted(cell.spec.needs - model.capabilities)
    if missing:
        offered = ", ".join(sorted(model.capabilities)) or "nothing"
        return f"the audit needs {', '.join(missing)}; this model offers {offered}"
    computes = hasattr(model, "encoder")  # from pixels; recorded and control models go by ids
    if computes and cell.dataset and planned.workload.images and all(isinstance(image, NamedItem) for image in images):
        return (
            f"the items of {cell.dataset.id} are known by their ids only; use a recorded model, "
            f"or give a folder with the images (--data {cell.dataset.id}=FOLDER)"
        )
    return ""


def score_cell(audit: Audit, cell: Cell, key: str, rows: pa.Table, max_error_rate: float) -> CellResult:
    """Rows to a cell's result: the pure half, shared by running and re-scoring."""
    base = blank(cell, key, CellStatus.DONE, "")
    if "error" not in rows.column_names:
        raise TypeError(f"{audit.spec.id}.run() returned rows without a column 'error'")
    errors = [
        error if error.startswith(f"{item}:") else f"{item}: {error}"
        for item, error in zip(_items(rows), rows.column("error").to_pylist(), strict=True)
        if error is not None
    ]
    base = base.model_copy(update={"rows": rows.num_rows, "error_rows": len(errors), "errors": tuple(errors[:10])})
    rate = len(errors) / rows.num_rows if rows.num_rows else 1.0
    if rate > max_error_rate:
        reason = (
            f"{len(errors)} of {rows.num_rows} items could not be read ({rate:.1%}, limit {max_error_rate:.1%}); "
            f"first: {errors[0] if errors else 'there are no items'}"
        )
        return base.model_copy(update={"status": CellStatus.ERRORED, "reason": reason})
    estimates = cautioned(audit, audit.score(cell, rows))
    figures = audit.figures(cell, rows, estimates)
    return base.model_copy(update={"estimates": tuple(estimates), "figures": tuple(figures)})


def _items(rows: pa.Table) -> list[str]:
    return [str(item) for item in rows.column("item").to_pylist()]


def blank(cell: Cell, key: str, status: CellStatus, reason: str) -> CellResult:
    """A cell's result before anything was measured."""
    return CellResult(
        key=key,
        slug=cell.slug,
        title=cell.title,
        audit=cell.spec.info(),
        data=cell.data,
        params=cell.params.model_dump(mode="json"),
        seed=cell.seed,
        status=status,
        reason=reason,
    )
