"""Decisions trial by trial, as psychophysical data sets and their models' responses are published: one row per trial
with the columns subj, object_response and imagename (Geirhos et al. 2021)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from clipaudit.errors import ModelError

if TYPE_CHECKING:
    import pyarrow as pa

IMAGE, RESPONSE, SUBJECT = "imagename", "object_response", "subj"


def is_trials(table: pa.Table) -> bool:
    """Whether it has the columns."""
    return {IMAGE, RESPONSE} <= {name.strip().lower() for name in table.column_names}


def decisions(table: pa.Table, path: Path) -> pa.Table:
    """(id, text): the file that was shown, without what is put before its name ("0001_s5n_bird3-cat2.png"), and the
    response. Raises ModelError where more than one subject responded, for a model is one.
    """
    import pyarrow as pa

    subject(table, path)
    shown = [name.rsplit("_", 1)[-1] for name in _column(table, IMAGE)]
    return pa.table({"id": shown, "text": _column(table, RESPONSE)})


def subject(table: pa.Table, path: Path) -> str:
    """Who responded; the file's name where that is not said."""
    names = sorted(set(_column(table, SUBJECT))) if SUBJECT in [n.strip().lower() for n in table.column_names] else []
    if len(names) > 1:
        raise ModelError(
            f"{path}: responses of {len(names)} subjects ({', '.join(names[:3])}, ...); a model is one: write a file "
            "for each"
        )
    return names[0] if names else path.stem


def _column(table: pa.Table, wanted: str) -> list[str]:
    own = next(name for name in table.column_names if name.strip().lower() == wanted)
    return ["" if value is None else str(value).strip() for value in table.column(own).to_pylist()]
