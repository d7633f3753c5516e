"""Recorded embeddings by id or text: found without holding the whole table in memory."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from clipaudit.errors import DataError, ModelError
from clipaudit.models.protocol import Embedded
from clipaudit.models.recorded_parquet import as_text, batches, column_name, matrix, missing, open_parquet, reading

if TYPE_CHECKING:
    import pyarrow as pa

_BATCH = 4096
LENGTH = "length"
_UNIT = {"float32": 1e-6, "float64": 1e-14}  # vectors this near to unit length are kept bit for bit
_NORMALISED = 1e-2  # vectors further from unit length were not normalised before they were stored (float16 has 1e-3)


class VectorTable(Protocol):
    """Recorded vectors. path: where from, for messages. names: (rows,) large strings. dim: 0 if there are none."""

    path: Path

    @property
    def names(self) -> pa.Array: ...

    @property
    def dim(self) -> int: ...

    def take(self, rows: NDArray[np.int64]) -> tuple[NDArray[np.floating], list[str | None]]:
        """(n, d) vectors of ascending rows, NaN where none is recorded, and n recorded error messages."""
        ...

    @property
    def lengths(self) -> NDArray[np.float64] | None:
        """(rows,) lengths before normalisation, where they are recorded beside unit vectors."""
        ...


class ParquetVectors:
    """A Parquet file with a column of names (`id` or `text`), `embedding`, perhaps `error` and perhaps `length`."""

    def __init__(self, path: Path, key: str) -> None:
        self.path = path
        self._file = open_parquet(path)
        self._key = column_name(self._file, path, key)
        self._value = column_name(self._file, path, "embedding")
        self._error = "error" if "error" in self._file.schema_arrow.names else None

    @cached_property
    def names(self) -> pa.Array:
        """(rows,) names as large strings. Raises ModelError if one is null."""
        import pyarrow as pa

        parts = [as_text(batch.column(0), self.path) for batch in batches(self._file, self.path, columns=[self._key])]
        names = pa.concat_arrays(parts) if parts else pa.array([], pa.large_string())
        if names.null_count:
            raise ModelError(f"{self.path}: {names.null_count} rows have no {self._key!r}")
        return names

    @cached_property
    def lengths(self) -> NDArray[np.float64] | None:
        if LENGTH not in self._file.schema_arrow.names:
            return None
        with reading(self.path):
            column = self._file.read(columns=[LENGTH]).column(0)
        try:
            return np.asarray(column.cast("float64").to_numpy(), np.float64)
        except ValueError as error:  # of pyarrow's
            raise ModelError(f"{self.path}: column {LENGTH!r} must hold numbers, not {column.type}") from error

    @cached_property
    def dim(self) -> int:
        for batch in batches(self._file, self.path, columns=[self._key, self._value], batch_size=64):
            keys = as_text(batch.column(self._key), self.path).to_pylist()
            found: int = matrix(batch.column(self._value), keys, self.path).shape[1]
            if found:
                return found
        return 0

    def take(self, rows: NDArray[np.int64]) -> tuple[NDArray[np.floating], list[str | None]]:
        columns = [self._key, self._value, *([self._error] if self._error else [])]
        parts: list[NDArray[np.floating]] = []
        errors: list[str | None] = []
        for start, groups in self._groups(rows):
            for batch in batches(self._file, self.path, batch_size=_BATCH, row_groups=groups, columns=columns):
                chosen = rows[np.searchsorted(rows, start) : np.searchsorted(rows, start + len(batch))] - start
                start += len(batch)
                if not len(chosen):
                    continue
                found = batch.take(chosen)
                keys = as_text(found.column(self._key), self.path).to_pylist()
                vectors = matrix(found.column(self._value), keys, self.path)
                if vectors.shape[1] not in (0, self.dim):
                    raise DataError(
                        f"{self.path}: the embedding of {keys[0]!r} has {vectors.shape[1]} numbers, "
                        f"others have {self.dim}"
                    )
                parts.append(vectors if vectors.shape[1] else np.full((len(vectors), self.dim), np.nan, np.float32))
                errors += found.column(self._error).to_pylist() if self._error else [None] * len(found)
        return (np.concatenate(parts) if parts else np.empty((0, self.dim), np.float32)), errors

    def _groups(self, rows: NDArray[np.int64]) -> list[tuple[int, list[int]]]:
        """(first row, [row group]) of the row groups that hold any of `rows`."""
        sizes = [self._file.metadata.row_group(i).num_rows for i in range(self._file.num_row_groups)]
        starts = np.concatenate([[0], np.cumsum(sizes)])
        wanted = np.unique(np.searchsorted(starts, rows, side="right") - 1)
        return [(int(starts[i]), [int(i)]) for i in wanted]


class NamedRows:
    """The rows of a table by name, with repeated names noticed."""

    def __init__(self, table: VectorTable, what: str) -> None:
        self.table = table
        self._what = what
        encoded = table.names.dictionary_encode()
        self._distinct = encoded.dictionary
        self._codes = np.asarray(encoded.indices, np.int64)
        self._first = np.unique(self._codes, return_index=True)[1].astype(np.int64)

    @property
    def names(self) -> list[str]:
        """The distinct names, in order of first appearance."""
        return [str(name) for name in self._distinct.to_pylist()]

    def has(self, names: Sequence[str]) -> bool:
        """Whether all of `names` are recorded."""
        return bool((self._codes_of(names) >= 0).all())

    def look_up(self, names: Sequence[str]) -> Embedded:
        """Unit vectors in the order of `names`, and their lengths where recorded or where what is recorded is not
        normalised. A vector that is absent, zero or not finite is an item's error.

        Raises DataError naming a name that is not recorded, or is recorded twice with different vectors.
        """
        codes = self._codes_of(names)
        if (codes < 0).any():
            absent = [name for name, code in zip(names, codes, strict=True) if code < 0]
            raise missing(self.table.path, self._what, list(dict.fromkeys(absent)), self._distinct.to_pylist())
        self._check_repeated(np.unique(codes))
        rows, inverse = np.unique(self._first[codes], return_inverse=True)
        raw, messages = self.table.take(rows)
        vectors, faults, lengths = _units(raw)
        if self.table.lengths is not None:
            lengths = self.table.lengths[rows]
        errors = [
            None if fault is None else messages[row] or f"{self.table.path}: {self._what} {name!r}: {fault}"
            for name, row in zip(names, inverse, strict=True)
            for fault in [faults[row]]
        ]
        return Embedded(vectors[inverse], tuple(errors), None if lengths is None else lengths[inverse])

    def _codes_of(self, names: Sequence[str]) -> NDArray[np.int64]:
        import pyarrow as pa
        import pyarrow.compute as pc

        found = pc.index_in(pa.array(names, pa.large_string()), value_set=self._distinct)
        return np.asarray(pc.fill_null(found, -1), np.int64)

    def _check_repeated(self, codes: NDArray[np.int64]) -> None:
        if len(self._distinct) == len(self._codes):
            return
        counts = np.bincount(self._codes, minlength=len(self._distinct))
        rows = np.flatnonzero(np.isin(self._codes, codes[counts[codes] > 1]))
        vectors, _ = self.table.take(rows)
        firsts = np.searchsorted(rows, self._first[self._codes[rows]])
        differs = ~((vectors == vectors[firsts]) | (np.isnan(vectors) & np.isnan(vectors[firsts]))).all(axis=1)
        if differs.any():
            name = self._distinct[int(self._codes[rows[differs.argmax()]])].as_py()
            raise DataError(f"{self.table.path}: {self._what} {name!r} is recorded twice with different embeddings")


def _units(
    raw: NDArray[np.floating],
) -> tuple[NDArray[np.floating], list[str | None], NDArray[np.float64] | None]:
    """Unit vectors of the stored precision, what is wrong with each, and the lengths that were stored; those of unit
    length keep their bits, and where all are, their lengths are not known."""
    norms = np.linalg.norm(np.asarray(raw, np.float64), axis=1)
    broken = ~(np.isfinite(norms) & (norms > 0))
    faults = [
        None if not bad else "the embedding is all zero" if norm == 0 else "no finite embedding is recorded"
        for bad, norm in zip(broken, norms, strict=True)
    ]
    vectors = raw.copy()
    vectors[broken] = np.nan
    scaled = ~broken & (np.abs(norms - 1) > _UNIT[raw.dtype.name])
    vectors[scaled] = (np.asarray(raw[scaled], np.float64) / norms[scaled, None]).astype(raw.dtype)
    sound = norms[~broken]
    known = bool((np.abs(sound - 1) > _NORMALISED).any())
    return vectors, faults, np.asarray(norms, np.float64) if known else None
