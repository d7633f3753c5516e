"""Items from the rows of a `datasets.Dataset`: tables and the hub."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from clipaudit.data.files import FileImage, NamedItem, RowImage
from clipaudit.errors import DataError, nearest
from clipaudit.images import ImageRef
from clipaudit.text import printable

_FIELD = re.compile(r"\{([^{}]+)\}")


def row_items(
    rows: Any,
    *,
    name: str,
    image: str | None,
    id: str | None,
    rename: Mapping[str, str],
    root: Path | None,
    within: Path | None = None,
) -> list[ImageRef]:
    """One item per row of `rows` (a `datasets.Dataset`).

    Args:
        name: of the table, for messages.
        image: the column with the images themselves or their paths relative to `root`, or such paths by columns of the
            table in braces; None: ids only.
        id: the column with the ids; None: the images' paths (those stored beside them included), else the row's number.
        rename: column in the table -> column of the card; a column not named keeps its name.
        root: where paths begin; None: paths are not followed.
        within: the folder that they must not leave.

    Raises DataError naming a column that is missing, or a row without id or path.
    """
    fields = [] if image is None else _FIELD.findall(image)
    _require(rows.column_names, name, [id, *(fields or [image]), *rename])
    stored = image is not None and not fields and not _is_text(rows, image)
    if image is not None and stored:
        rows = _undecoded(rows, image, name)
    values = [column for column in rows.column_names if _is_value(rows, column)]
    columns = {rename.get(column, column): _texts(rows, column) for column in values}
    paths = [] if image is None else _stored_paths(rows, image) if stored else _paths(rows, image, fields)
    ids = _ids(rows, name, paths, id, image)
    attributes = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    attributes = attributes or [{} for _ in ids]
    if image is None:
        return [NamedItem(item, known) for item, known in zip(ids, attributes, strict=True)]
    if stored:
        alone = rows.select_columns([image])  # else `datasets` would decode the other columns too, files and addresses
        return [RowImage(item, attributes[i], alone, image, i) for i, item in enumerate(ids)]
    if root is None:
        raise DataError(f"{name}: column '{printable(image)}' holds text, not images")
    return [
        FileImage(item, known, root / path, within=within)
        for item, known, path in zip(ids, attributes, paths, strict=True)
    ]


def _require(names: Sequence[str], table: str, wanted: Sequence[str | None]) -> None:
    for column in wanted:
        if column is not None and column not in names:
            raise DataError(f"{table}: has no column '{printable(column)}'; {nearest(column, names)}")


def _ids(rows: Any, name: str, paths: list[str], id: str | None, image: str | None) -> list[str]:
    """Ids from their column, else the paths, else the rows' numbers."""
    ids = paths if id is None else _texts(rows, id)
    if "" in ids:
        raise DataError(f"{name}: row {ids.index('') + 1} has no {printable(id or image)}")
    return ids or [str(i) for i in range(len(rows))]


def _paths(rows: Any, image: str, fields: Sequence[str]) -> list[str]:
    """Paths from their column, or written by the columns that `image` names in braces."""
    if not fields:
        return _texts(rows, image)
    columns = {field: _texts(rows, field) for field in fields}
    split = _FIELD.split(image)  # literal, field, literal, ...
    parts = [columns[piece] if i % 2 else [piece] * len(rows) for i, piece in enumerate(split)]
    return ["".join(pieces) for pieces in zip(*parts, strict=True)]


def _stored_paths(rows: Any, image: str) -> list[str]:
    """The file names stored beside images (a hub's Parquet has them); empty unless every image has its own."""
    import pyarrow.compute as pc

    names = pc.struct_field(rows.with_format("arrow")[image], "path").to_pylist()
    return [] if len({*names} - {None, ""}) < len(names) else names


def _is_text(rows: Any, column: str) -> bool:
    return getattr(rows.features[column], "dtype", "") in ("string", "large_string")


def _is_value(rows: Any, column: str) -> bool:
    """Whether a column holds one plain value a row (no lists, structs, images)."""
    return type(rows.features[column]).__name__ in ("Value", "ClassLabel")


def _undecoded(rows: Any, column: str, name: str) -> Any:
    """`rows` with the images as stored bytes: decoding is ours, so that a damaged one is one item's error."""
    from datasets import Image

    try:
        return rows.cast_column(column, Image(decode=False))
    except Exception as error:  # pyarrow and datasets raise several types for a column that holds no images
        raise DataError(f"{name}: column '{printable(column)}' holds no images ({rows.features[column]})") from error


def _texts(rows: Any, column: str) -> list[str]:
    """A column as text: names of class labels, "" for null and NaN, whole numbers without a decimal point."""
    feature = rows.features[column]
    values: Sequence[Any] = rows.with_format(None)[column][:]
    if type(feature).__name__ == "ClassLabel":
        return ["" if value is None or value < 0 else str(feature.int2str(value)) for value in values]
    return [_text(value) for value in values]


def _text(value: Any) -> str:
    if value is None or value != value:  # NaN: what spreadsheets and data frames write for nothing
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
