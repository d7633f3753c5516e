"""The rows of a run as files for other tools: one a cell."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from clipaudit.engine.store import RunStore, storing
from clipaudit.errors import UsageError
from clipaudit.results import CellStatus
from clipaudit.text import FORMULA

if TYPE_CHECKING:
    import pyarrow as pa

Form = Literal["csv", "parquet"]


def export_rows(store: RunStore, folder: Path, form: Form) -> list[Path]:
    """Write the rows of every finished cell to `folder`/<slug>-<key>.<form>; returns the files.

    In CSV a column of lists or structures is JSON, and a text that begins like a formula has an apostrophe before it.
    UsageError where there are none.
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
    """CSV has no lists and no bytes, and is opened with spreadsheets, which compute what looks like a formula."""
    import json

    import pyarrow as pa
    import pyarrow.compute as pc

    for i, field in enumerate(rows.schema):
        if pa.types.is_nested(field.type):
            texts = [None if v is None else json.dumps(v, ensure_ascii=False) for v in rows.column(i).to_pylist()]
        elif pa.types.is_binary(field.type) or pa.types.is_large_binary(field.type):
            texts = [None if v is None else f"{len(v)} bytes" for v in rows.column(i).to_pylist()]
        elif _is_text(field.type):
            plain = pc.cast(rows.column(i), pa.string())
            quoted = pc.binary_join_element_wise("'", plain, "")
            texts = pc.if_else(pc.match_substring_regex(plain, f"^[{re.escape(''.join(FORMULA))}]"), quoted, plain)
        else:
            continue
        column = texts if isinstance(texts, pa.ChunkedArray) else pa.array(texts, pa.string())
        rows = rows.set_column(i, field.name, column)
    return rows.rename_columns([f"'{name}" if name.startswith(FORMULA) else name for name in rows.column_names])


def _is_text(kind: pa.DataType) -> bool:
    import pyarrow as pa

    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))
