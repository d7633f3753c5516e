"""Winoground: two images and two captions an example, as lines of JSON beside image files, or as Parquet."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from clipaudit.data.files import FileImage, RowImage
from clipaudit.data.sources_table import read_table
from clipaudit.errors import DataError, nearest
from clipaudit.images import ImageRef
from clipaudit.reading import json_values
from clipaudit.text import printable

LINES, IMAGES = "examples.jsonl", "images"
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
_KEYS = ("id", "image_0", "image_1", "caption_0", "caption_1")


def read_examples(folder: Path) -> list[ImageRef]:
    """Two items per example, one for each image with its own caption; columns example, caption and tag.

    Raises DataError where neither form is there, or a key of an example is missing.
    """
    for place in (folder, folder / "data"):
        if (place / LINES).is_file():
            return _from_lines(place)
        if tables := sorted(place.glob("*.parquet")):
            return _from_table(tables[0])
    raise DataError(f"{printable(folder)}: holds neither {LINES} nor a Parquet file")


def _from_lines(folder: Path) -> list[ImageRef]:
    items: list[ImageRef] = []
    for number, entry in _lines(folder / LINES):
        where = f"{printable(folder / LINES)}: line {number}"
        _require(entry, where)
        for side in "01":
            name = str(entry[f"image_{side}"])
            if Path(name).name != name:
                raise DataError(f"{where}: '{printable(name)}' must be a file name alone")
            items.append(FileImage(name, _columns(entry, side), _file(folder / IMAGES, name), within=folder))
    if not items:
        raise DataError(f"{printable(folder / LINES)}: has no lines")
    return items


def _lines(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{printable(path)}: cannot be read ({printable(error)})") from error
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        entry = json_values(line, DataError, f"{printable(path)}: line {number}")
        if not isinstance(entry, dict):
            raise DataError(f"{printable(path)}: line {number} is no object with keys")
        yield number, entry


def _file(folder: Path, name: str) -> Path:
    """Names are published without an ending."""
    named = [folder / f"{name}{suffix}" for suffix in ("", *SUFFIXES)]
    return next((path for path in named if os.path.isfile(path)), named[1])


def _from_table(path: Path) -> list[ImageRef]:
    from datasets import Image

    rows = read_table(path)
    _require(dict.fromkeys(rows.column_names, ""), printable(path))
    for side in "01":
        rows = rows.cast_column(f"image_{side}", Image(decode=False))  # a damaged one is one item's error
    texts = rows.select_columns([name for name in rows.column_names if not name.startswith("image_")])
    return [
        RowImage(f"ex_{entry['id']}_img_{side}", _columns(entry, side), rows, f"image_{side}", i)
        for i, entry in enumerate(texts)
        for side in "01"
    ]


def _require(entry: Mapping[str, Any], where: str) -> None:
    for key in _KEYS:
        if entry.get(key) is None:
            raise DataError(f"{where}: has no '{key}'; {nearest(key, entry)}")


def _columns(entry: Mapping[str, Any], side: str) -> dict[str, str]:
    tag = str(entry.get("collapsed_tag") or entry.get("tag") or "")
    return {"example": str(entry["id"]), "caption": str(entry[f"caption_{side}"]), "tag": tag}
