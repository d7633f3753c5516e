"""Rows of the adversarial audit, and how a long cell keeps them while it is at work."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

    from clipaudit_audits.robustness.adversarial_subjects import Trial

Record = dict[str, Any]

# kind: "attack" the strongest; "noise" a random change of the same size; the checks "zero", "gradient", "short",
# "again", "large" and "square"; "targeted"; "universal"; "transfer".
_TEXT = ("item", "cluster", "groups", "kind", "norm", "label", "clean", "wanted", "taken", "by", "error")
_NUMBERS = ("eps", "size", "cosine_before", "cosine_after", "cosine_label")


def schema() -> pa.Schema:
    """item, cluster, groups (column to value, as JSON), kind, norm, eps, label, clean (prediction), right (clean),
    wanted (text), taken (for), success, by (attack), steps, size (norm of the change), cosines to the wanted text and
    to the label, pictures, error."""
    import pyarrow as pa

    fields = [pa.field(name, pa.string()) for name in _TEXT] + [pa.field(name, pa.float64()) for name in _NUMBERS]
    fields += [pa.field("right", pa.bool_()), pa.field("success", pa.bool_()), pa.field("steps", pa.int64())]
    return pa.schema([*fields, pa.field("pictures", pa.list_(pa.binary()))])


def table(records: Sequence[Record]) -> pa.Table:
    """Rows from records; what a record lacks is null."""
    import pyarrow as pa

    return pa.Table.from_pylist(list(records), schema=schema())


def record(trial: Trial, position: int, kind: str, **values: Any) -> Record:
    """What all rows about one image have in common, and `values`."""
    sample = trial.sample
    return {
        "item": sample.images[position].id,
        "cluster": sample.clusters[position],
        "groups": json.dumps({name: sample.images[position].attributes[name] for name in sample.groups}),
        "kind": kind,
        "label": sample.labels[position],
        "clean": trial.clean[position],
        "right": trial.right(position),
        **values,
    }


def unreadable(trial: Trial) -> list[Record]:
    """One row per image that could not be read."""
    return [record(trial, i, "attack", error=error) for i, error in enumerate(trial.errors) if error is not None]


class Journal:
    """Finished pieces of a cell, one file each, so that a killed run loses the piece that it was at and no more."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder

    def keep(self, name: str, work: Callable[[], list[Record]]) -> pa.Table:
        """The rows of one piece: from its file where there is one, else computed and written."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        if self.folder is None:
            return table(work())
        for path in self.folder.glob(f"{name}.*.parquet"):
            content = path.read_bytes()
            if path.name == _file(name, content):
                return pq.read_table(pa.BufferReader(content), schema=schema())
            path.unlink()  # damaged
        rows = table(work())
        self.folder.mkdir(parents=True, exist_ok=True)
        part = self.folder / f"{name}.part"
        pq.write_table(rows, part)
        os.replace(part, self.folder / _file(name, part.read_bytes()))
        return rows


def _file(name: str, content: bytes) -> str:
    """A piece's file: its name carries the digest of its content."""
    return f"{name}.{hashlib.sha256(content).hexdigest()[:16]}.parquet"
