"""Tables of scores as others write them, brought to one form: a row per image and text (id, text, score).

| columns | what |
|---|---|
| id, text, score | the form itself |
| id, label, written, score_label, score_written | two scores an image: the right label's and the written word's |
| id, and a column of numbers per text | a full matrix; the column's name is the text |
| subj, object_response, imagename | a decision per trial, as psychophysical data sets have them |

Columns go by other names too (`_NAMES`). CSV and TSV have a header.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from clipaudit.errors import ModelError
from clipaudit.models.recorded_parquet import open_parquet, reading
from clipaudit.models.recorded_trials import IMAGE, RESPONSE, SUBJECT, decisions, is_trials

if TYPE_CHECKING:
    import pyarrow as pa

FILES = ("scores.parquet", "scores.csv", "scores.tsv")
LONG = ("id", "text", "score")
# Column -> its names, in any case: SCAM's results say object_similarities.
_NAMES = {
    "id": ("id", "image_id", "image", "item", "file_name", "filename", "file", "path"),
    "label": ("label", "object_label", "object"),
    "written": ("written", "attack_word", "attack", "word"),
    "score_label": (
        "score_label", "label_score", "object_similarities", "object_similarity", "object_score", "cosine_label",
        "label_cosine", "cos_label", "object_cosine", "cosine_object", "cos_object", "sim_object",
    ),
    "score_written": (
        "score_written", "written_score", "attack_similarities", "attack_similarity", "attack_score", "cosine_written",
        "written_cosine", "cos_written", "attack_cosine", "cosine_attack", "cos_attack", "sim_attack", "word_score",
    ),
}  # fmt: skip
_TEXTS = ("text", IMAGE, RESPONSE, SUBJECT)
_PAIR = ("label", "written", "score_label", "score_written")


def score_file(folder: Path) -> Path:
    """The table of scores in a recorded folder; `scores.parquet` where there is none."""
    return next((folder / name for name in FILES if (folder / name).exists()), folder / FILES[0])


def in_one_form(path: Path, *, decision: bool) -> bytes | None:
    """The table as a Parquet file of (id, text, score), in memory; None where the file has that form already.

    `decision`: a row may do without a score. Raises ModelError where the file cannot be read or has none of the forms.
    """
    parquet = path.suffix.lower() == ".parquet"
    if parquet:
        names = {name.lower() for name in open_parquet(path).schema_arrow.names}
        if {"id", "text"} <= names and (decision or "score" in names):
            return None
    with reading(path):
        table = open_parquet(path).read() if parquet else delimited(path)
    twice = next((name for name, count in Counter(table.column_names).items() if count > 1), None)
    if twice is not None:
        raise ModelError(f"{path}: two columns are called {twice!r}; rename one")
    if decision and is_trials(table):
        return _stored(decisions(table, path))
    return _stored(_long(table, path, decision))


def delimited(path: Path) -> pa.Table:
    """A CSV or TSV file. ModelError where it cannot be read."""
    import pyarrow as pa
    from pyarrow import csv

    options = csv.ParseOptions(delimiter="\t" if path.suffix.lower() == ".tsv" else ",", newlines_in_values=True)
    try:
        names = csv.open_csv(path, parse_options=options).schema.names
        texts = [n for n in names if n.lower() in {*_NAMES["id"], *_NAMES["label"], *_NAMES["written"], *_TEXTS}]
        # Labels such as "null" and ids such as "007" stay as they are written.
        convert = csv.ConvertOptions(column_types=dict.fromkeys(texts, pa.string()), strings_can_be_null=False)
        return csv.read_csv(path, parse_options=options, convert_options=convert)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise ModelError(f"{path}: the table cannot be read ({' '.join(str(error).split())})") from error


def _long(table: pa.Table, path: Path, decision: bool) -> pa.Table:
    import pyarrow as pa

    own = _column(table, _NAMES["id"])
    text, score = _column(table, ("text",)), _column(table, ("score",))
    if own is None:
        raise _unknown(path, table.column_names)
    if text is not None and (score is not None or decision):
        return table.select([own, text, *([score] if score else [])]).rename_columns(LONG[: 3 if score else 2])
    found = {name: _column(table, _NAMES[name]) for name in _PAIR}
    if all(found.values()):
        kinds = [[found[part], found[f"score_{part}"]] for part in ("label", "written")]
        return pa.concat_tables(
            [table.select([own, *pair]).rename_columns(LONG).cast(_schema(table, path, own, pair)) for pair in kinds]
        )
    columns = [name for name in table.column_names if name != own and _is_number(table.schema.field(name).type)]
    if found["score_label"] or found["score_written"] or len(columns) < 2:
        raise _unknown(path, table.column_names)
    return _melted(table, own, columns)


def _schema(table: pa.Table, path: Path, own: str, pair: Sequence[str | None]) -> pa.Schema:
    import pyarrow as pa

    kind = table.schema.field(pair[1]).type
    if not _is_number(kind):
        raise ModelError(f"{path}: column {pair[1]!r} must hold numbers, not {kind}")
    return pa.schema([("id", table.schema.field(own).type), ("text", pa.string()), ("score", pa.float64())])


def _melted(table: pa.Table, own: str, columns: Sequence[str]) -> pa.Table:
    """(n, m) matrix to n m rows, text by text."""
    import numpy as np
    import pyarrow as pa

    n = table.num_rows
    ids = table.column(own).combine_chunks().dictionary_encode()
    indices = np.tile(np.asarray(ids.indices), len(columns))
    texts = pa.DictionaryArray.from_arrays(np.repeat(np.arange(len(columns), dtype=np.int32), n), list(columns))
    scores = pa.concat_arrays([table.column(name).combine_chunks().cast(pa.float64()) for name in columns])
    return pa.table(
        {"id": pa.DictionaryArray.from_arrays(indices.astype(np.int32), ids.dictionary), "text": texts, "score": scores}
    )


def _column(table: pa.Table, names: Sequence[str]) -> str | None:
    by_lower = {name.strip().lower(): name for name in reversed(table.column_names)}
    return next((by_lower[name] for name in names if name in by_lower), None)


def _is_number(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_floating(kind) or pa.types.is_integer(kind))


def _unknown(path: Path, columns: Sequence[str]) -> ModelError:
    shown = ", ".join(columns[:8]) + (", ..." if len(columns) > 8 else "")
    return ModelError(
        f"{path}: not a table of scores: it has the columns {shown or 'none'}; write id, text, score (a row per image "
        "and text), or id, label, written, score_label, score_written (a row per image), or id and a column per text"
    )


def _stored(table: pa.Table) -> bytes:
    import io

    import pyarrow.parquet as pq

    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    return buffer.getvalue()
