"""The rows of a run as files for other tools: one a cell."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from clipaudit.engine.store import RunStore, storing
from clipaudit.errors import UsageError
from clipaudit.results import CellStatus

if TYPE_CHECKING:
    import pyarrow as pa

Form = Literal["csv", "parquet"]


def export_rows(store: RunStore, folder: Path, form: Form) -> list[Path]:
    """Write the rows of every finished cell to `folder`/<slug>-<key>.<form>; returns the files.

    In CSV a column of lists or structures is JSON. UsageError where there are none.
    """
    import pyarrow.csv
    import pyarrow.parquet

    cells = [cell for cell in store.result().cells if cell.status is CellStatus.DONE]
    if not cells:
        raise UsageError(f"{store.root}: no finished cell, so there are no rows")
    written = []
    with storing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for cell in cells:
            rows, target = store.rows(cell.slug, cell.key), folder / f"{cell.slug}-{cell.key}.{form}"
            if form == "parquet":
                pyarrow.parquet.write_table(rows, target)
            else:
                pyarrow.csv.write_csv(_flat(rows), target)
            written.append(target)
    return written


def _flat(rows: pa.Table) -> pa.Table:
    """CSV has no lists and no bytes."""
    import json

    import pyarrow as pa

    for i, field in enumerate(rows.schema):
        if pa.types.is_nested(field.type):
            texts = [None if v is None else json.dumps(v, ensure_ascii=False) for v in rows.column(i).to_pylist()]
        elif pa.types.is_binary(field.type) or pa.types.is_large_binary(field.type):
            texts = [None if v is None else f"{len(v)} bytes" for v in rows.column(i).to_pylist()]
        else:
            continue
        rows = rows.set_column(i, field.name, pa.array(texts, pa.string()))
    return rows
