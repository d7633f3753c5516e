"""A recorded table of scores (id, text, score): read in pieces, only the rows that a question needs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from clipaudit.errors import DataError, ModelError
from clipaudit.models.protocol import ScoreKind
from clipaudit.models.recorded_forms import in_one_form
from clipaudit.models.recorded_parquet import BATCH_ROWS, as_text, batches, column_name, missing, open_parquet

if TYPE_CHECKING:
    import pyarrow as pa

_RANGE: dict[ScoreKind, tuple[float, float]] = {"cosine": (-1.01, 1.01), "probability": (-1e-6, 1 + 1e-6)}
_NO_ROW, _NO_TEXT, _NONE_CHOSEN = -1, -2, -3


class ScoreTable:
    """A table of scores of kind `kind`, in any of the `recorded_forms`. A decision table may do without `score`: each
    of its rows then is a decision."""

    def __init__(self, path: Path, kind: ScoreKind) -> None:
        self.path = path
        self.kind = kind
        self._content = in_one_form(path, decision=kind == "decision")
        plain = open_parquet(path, content=self._content)
        self._id, self._text = (column_name(plain, path, name) for name in ("id", "text"))
        has_score = any(name.lower() == "score" for name in plain.schema_arrow.names)
        self._score = column_name(plain, path, "score") if has_score or kind != "decision" else None

    @cached_property
    def texts(self) -> frozenset[str]:
        """All distinct texts of the table (for decisions: all that were ever decided)."""
        return frozenset(self._distinct(self._text))

    @cached_property
    def ids(self) -> frozenset[str]:
        """All distinct ids of the table."""
        return frozenset(self._distinct(self._id))

    def matrix(self, ids: Sequence[str], texts: Sequence[str]) -> NDArray[np.float64]:
        """(n, m) scores; NaN where the table holds NaN.

        Raises DataError where a pair has no row, or two rows that differ, or a score that its kind cannot have.
        """
        ids, texts = list(ids), list(texts)
        grid, found = self.known(ids, texts)
        self._check(ids, texts, found)
        return grid

    def known(self, ids: Sequence[str], texts: Sequence[str]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """(n, m) scores, NaN where the table holds NaN or no row, and (n, m) whether it holds a row.

        Raises DataError where a pair has two rows that differ, or a score that its kind cannot have.
        """
        rows, columns = _positions(ids), _positions(texts)
        values = np.full(len(rows) * len(columns), np.nan)
        seen = np.zeros(len(values), bool)
        for row, column, score in self._wanted(list(rows), list(columns)):
            place = row * len(columns) + column
            values[place] = np.where(seen[place], values[place], score)
            seen[place] = True
            # Of two rows for one pair, in this batch or earlier, at least one now differs from what is kept.
            differs = ~((values[place] == score) | (np.isnan(values[place]) & np.isnan(score)))
            if differs.any():
                i = int(place[differs.argmax()])
                name, text = list(rows)[i // len(columns)], list(columns)[i % len(columns)]
                raise DataError(f"{self.path}: id {name!r} and text {text!r} are recorded twice with different scores")
        grid, found = values.reshape(len(rows), -1), seen.reshape(len(rows), -1)
        self._in_range(list(rows), grid)
        places = np.ix_([rows[name] for name in ids], [columns[text] for text in texts])
        return grid[places], found[places]

    def decisions(self, ids: Sequence[str]) -> list[str | None]:
        """The text decided for each image; "" if all its texts have score 0; None where no text is recorded.

        Raises DataError naming an id that has no row, or for which two texts are chosen.
        """
        rows = _positions(ids)
        names = list(rows)
        known: dict[str, int] = {}
        chosen = np.full(len(rows), _NO_ROW)
        for batch in self._batches([self._id, self._text, *([self._score] if self._score else [])]):
            row = _codes(batch.column(0), names, self.path)
            inside = row >= 0
            if not inside.any():
                continue
            row = row[inside]
            text = _growing_codes(batch.column(1), known, self.path)[inside]
            picked = _numbers(batch.column(2), self.path)[inside] != 0 if self._score else np.ones(len(row), bool)
            fresh = row[chosen[row] == _NO_ROW]
            chosen[fresh] = _NONE_CHOSEN
            row, text = row[picked], text[picked]
            undecided = chosen[row] == _NONE_CHOSEN
            chosen[row[undecided]] = text[undecided]
            if (chosen[row] != text).any():
                name = names[int(row[(chosen[row] != text).argmax()])]
                raise DataError(
                    f"{self.path}: more than one text is chosen for id {name!r}; "
                    "write one row per id, or score 1 for the chosen text and 0 for the others"
                )
        absent = [name for name, code in zip(names, chosen, strict=True) if code == _NO_ROW]
        if absent:
            raise self._missing_ids(absent)
        spelled: dict[int, str | None] = {code: text for text, code in known.items()}
        spelled |= {_NO_TEXT: None, _NONE_CHOSEN: ""}
        return [spelled[int(chosen[rows[name]])] for name in ids]

    # --- reading ----------------------------------------------------------------------------------------------

    def _batches(self, columns: list[str]) -> Iterator[pa.RecordBatch]:
        """Batches with `columns` in this order; text columns dictionary-encoded, which makes their look-up cheap."""
        file = open_parquet(self.path, dictionaries=self._strings, content=self._content)
        for batch in batches(file, self.path, batch_size=BATCH_ROWS, columns=columns):
            yield batch.select(columns)

    @cached_property
    def _strings(self) -> list[str]:
        import pyarrow as pa

        schema = open_parquet(self.path, content=self._content).schema_arrow
        kinds = {name: schema.field(name).type for name in (self._id, self._text)}
        return [name for name, kind in kinds.items() if pa.types.is_string(kind) or pa.types.is_large_string(kind)]

    def _wanted(
        self, ids: list[str], texts: list[str]
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]]:
        assert self._score is not None, "only decision tables lack scores"
        for batch in self._batches([self._id, self._text, self._score]):
            column = _codes(batch.column(1), texts, self.path)
            chosen = np.flatnonzero(column >= 0)
            if not len(chosen):
                continue
            row = _codes(batch.column(0).take(chosen), ids, self.path)
            inside = row >= 0
            scores = _numbers(batch.column(2).take(chosen[inside]), self.path)
            yield row[inside], column[chosen[inside]], scores

    def _distinct(self, column: str) -> dict[str, int]:
        known: dict[str, int] = {}
        for batch in self._batches([column]):
            _growing_codes(batch.column(0), known, self.path)
        return known

    # --- faults -----------------------------------------------------------------------------------------------

    def _check(self, ids: list[str], texts: list[str], found: NDArray[np.bool_]) -> None:
        recorded = np.atleast_1d(found.any(axis=1))
        if not recorded.all():
            raise self._missing_ids([name for name, there in zip(ids, recorded, strict=True) if not there])
        if not found.all():
            i, j = np.argwhere(~found)[0]
            others = int((~found).sum()) - 1
            more = f" and {others} more pairs" if others else ""
            raise DataError(f"{self.path}: no score of id {ids[i]!r} for text {texts[j]!r}{more}")

    def _in_range(self, ids: list[str], grid: NDArray[np.float64]) -> None:
        low, high = _RANGE.get(self.kind, (-np.inf, np.inf))
        outside = np.argwhere((grid < low) | (grid > high))
        if len(outside):
            i, j = outside[0]
            raise DataError(
                f"{self.path}: the score {grid[i, j]:g} of id {ids[i]!r} is no {self.kind}; correct score_kind in "
                "manifest.toml (logit for unbounded scores)"
            )

    def _missing_ids(self, absent: list[str]) -> DataError:
        return missing(self.path, "id", absent, sorted(self.ids))


def _positions(names: Sequence[str]) -> dict[str, int]:
    return {name: i for i, name in enumerate(dict.fromkeys(names))}


def _codes(column: pa.Array, wanted: list[str], path: Path) -> NDArray[np.int64]:
    """(n,) position of each value in `wanted`, -1 elsewhere: the distinct values are looked up, not the rows."""
    import pyarrow as pa
    import pyarrow.compute as pc

    indices, distinct = _encoded(column, path)
    found = pc.index_in(distinct, value_set=pa.array(wanted, pa.large_string()))
    table = np.append(np.asarray(pc.fill_null(found, -1), np.int64), -1)  # the last serves nulls (index -1)
    return np.asarray(table[indices])


def _growing_codes(column: pa.Array, known: dict[str, int], path: Path) -> NDArray[np.int64]:
    """(n,) number of each value, new values numbered as they come; `_NO_TEXT` for nulls."""
    indices, distinct = _encoded(column, path)
    table = [known.setdefault(text, len(known)) for text in distinct.to_pylist()]
    return np.array([*table, _NO_TEXT], np.int64)[indices]


def _encoded(column: pa.Array, path: Path) -> tuple[NDArray[np.int64], pa.Array]:
    import pyarrow as pa
    import pyarrow.compute as pc

    encoded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    codes = np.asarray(pc.fill_null(encoded.indices, -1), np.int64)
    if len(codes) and not -1 <= codes.min() <= codes.max() < max(len(encoded.dictionary), 1):
        raise ModelError(f"{path}: damaged Parquet file (a code without a text)")
    return codes, as_text(encoded.dictionary, path)


def _numbers(column: pa.Array, path: Path) -> NDArray[np.float64]:
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        return np.asarray(pc.cast(column, pa.float64()).to_numpy(zero_copy_only=False), np.float64)
    except pa.ArrowException as error:
        raise ModelError(f"{path}: column 'score' must hold numbers, not {column.type}") from error
