"""Estimates anew from stored rows: after a mended formula, without the model and without the data."""

from __future__ import annotations

from clipaudit import __version__, plugins
from clipaudit.contract import Cell
from clipaudit.engine.plan import validate_params
from clipaudit.engine.run import MAX_ERROR_RATE, score_cell
from clipaudit.engine.store import RunStore
from clipaudit.engine.thumbnails import attach
from clipaudit.errors import UsageError
from clipaudit.results import CellResult, CellStatus, Manifest, RunResult

RUN_AGAIN = "give the same clipaudit run command again: it measures anew what is not as it was, and keeps the rest"


def rescore(store: RunStore, *, max_error_rate: float = MAX_ERROR_RATE) -> RunResult:
    """Re-score every finished cell of a run and store the new result.

    UsageError if a cell's audit is no longer installed, or now measures something else (another version), or if rows
    are not as the run wrote them.
    """
    with store.writing():
        old, manifest = store.result(), store.manifest()
        if manifest is not None:
            _check_whole(store, old, manifest)
        cells = tuple(_rescored(store, cell, max_error_rate) for cell in old.cells)
        result = old.model_copy(update={"cells": cells, "clipaudit_version": __version__})
        digest = store.write_result(result)
        if manifest is not None:
            manifest = manifest.model_copy(update={"result_digest": digest})
            store.write_manifest(store.accounted(manifest, result))
    return result


def _check_whole(store: RunStore, result: RunResult, manifest: Manifest) -> None:
    """UsageError where result.json does not name the model and the cells that were measured: it was edited."""
    done = {store.folder(cell.slug, cell.key).name for cell in result.cells if cell.status is CellStatus.DONE}
    gone = sorted(set(manifest.rows_digests) - done)
    what = f"leaves out {gone[0]}, which was measured" if gone else ""
    if (result.model.fingerprint, result.seed) != (manifest.model_fingerprint, manifest.seed):
        what = "names another model or seed than manifest.json"
    if what:
        raise UsageError(f"{store.root}: result.json was changed after the run wrote it: it {what}; {RUN_AGAIN}")


def _rescored(store: RunStore, stored: CellResult, max_error_rate: float) -> CellResult:
    if stored.status is not CellStatus.DONE:
        return stored
    audit = plugins.load_audit(stored.audit.id)
    if audit.spec.version != stored.audit.version:
        raise UsageError(
            f"{stored.slug}: its rows were measured by {stored.audit.id} {stored.audit.version}, "
            f"installed is {audit.spec.version}; run the suite again"
        )
    wrong = store.fault(stored.slug, stored.key)
    if wrong:
        raise UsageError(f"{store.folder(stored.slug, stored.key)}: {wrong}; {RUN_AGAIN}")
    measured = store.finished(stored.slug, stored.key) or stored  # not result.json's, which has no seal of its own
    params = validate_params(audit, measured.params)
    cell = Cell(audit.spec, params, measured.seed, measured.data, measured.title)
    rows = store.rows(stored.slug, stored.key)
    result = score_cell(audit, cell, stored.key, rows, max_error_rate)
    thumbs = store.folder(stored.slug, stored.key) / "thumbs"
    result = attach(result, {path.name for path in thumbs.glob("*.webp")})
    store.revise(result)
    return result
