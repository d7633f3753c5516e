"""Run a plan: one cell after the other, each committed whole, errors kept to the cell they belong to."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from clipaudit import __version__
from clipaudit.contract import Audit, Cell
from clipaudit.data.files import NamedItem
from clipaudit.engine.plan import Plan, PlannedCell
from clipaudit.engine.store import RunStore
from clipaudit.engine.thumbnails import illustrate
from clipaudit.errors import ClipAuditError, NotSupported, StorageError
from clipaudit.results import CellResult, CellStatus, RunResult
from clipaudit.validation.stored import cautioned

if TYPE_CHECKING:
    import pyarrow as pa

    from clipaudit.models.protocol import Model

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
    on_start: Callable[[PlannedCell], None] = lambda planned: None,
    on_end: Callable[[CellResult, bool], None] = lambda result, resumed: None,
    on_crash: Callable[[PlannedCell, Exception], None] = lambda planned, error: None,
) -> tuple[RunResult, Execution]:
    """Run what is not yet in `store`. `on_end` is told each cell's result and whether it was already there."""
    execution = Execution()
    results: list[CellResult] = []
    for planned in plan.cells:
        key = planned.cell.key(model.info.fingerprint)
        stored = store.finished(planned.cell.slug, key)
        if stored is not None and stored.status is CellStatus.DONE:
            results.append(stored)
            on_end(stored, True)
            continue
        on_start(planned)
        started = time.perf_counter()
        result = _run_cell(planned, key, model, store, max_error_rate, on_crash)
        execution.cell_seconds[f"{result.slug}-{key}"] = round(time.perf_counter() - started, 3)
        results.append(result)
        on_end(result, False)
    return assemble(plan, model, [*results, *plan.unrun]), execution


def assemble(plan: Plan, model: Model, cells: Sequence[CellResult]) -> RunResult:
    """The run's result from its cells."""
    return RunResult(
        clipaudit_version=__version__,
        suite=plan.suite.id,
        suite_title=plan.suite.title,
        seed=plan.seed,
        model=model.info,
        cells=tuple(cells),
        not_tested=plan.not_tested,
    )


def _run_cell(
    planned: PlannedCell,
    key: str,
    model: Model,
    store: RunStore,
    max_error_rate: float,
    on_crash: Callable[[PlannedCell, Exception], None],
) -> CellResult:
    audit, cell = planned.audit, planned.cell
    hindrance = _hindrance(planned, model)
    if hindrance:
        return blank(cell, key, CellStatus.NOT_RUN, hindrance)
    try:
        rows = audit.run(replace(cell, scratch=store.scratch(cell.slug, key)), model)
        result = score_cell(audit, cell, key, rows, max_error_rate)
        shown = (*planned.workload.images, *audit.pictures(cell, rows))
        result, thumbs = illustrate(result, {image.id: image for image in shown})
    except NotSupported as error:
        return blank(cell, key, CellStatus.NOT_RUN, str(error))
    except StorageError:
        raise
    except ClipAuditError as error:
        return blank(cell, key, CellStatus.ERRORED, str(error))
    except Exception as error:  # an audit is a plug-in: its failure must not take the run with it
        on_crash(planned, error)
        first = str(error).splitlines()[0] if str(error) else "no message"
        return blank(cell, key, CellStatus.ERRORED, f"the audit failed: {type(error).__name__}: {first}")
    store.commit(result, rows, thumbs)
    return result


def _hindrance(planned: PlannedCell, model: Model) -> str:
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
