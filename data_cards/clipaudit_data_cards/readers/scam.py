"""Sets with a word on a note: SCAM's pictures in threes, whichever way they were got (the hub, its unpacked archive, a
table of columns only), and tables of RTA-100 and PAINT."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from copy import copy
from dataclasses import replace
from pathlib import Path

from clipaudit.data.files import FileImage, NamedItem, RowImage
from clipaudit.data.loaded import Loaded
from clipaudit.errors import DataError, nearest
from clipaudit.images import ImageRef
from clipaudit.reading import json_values
from clipaudit.text import printable

VARIANTS = {"noscam": "clean", "scam": "real", "synthscam": "synthetic"}
# Column of the card -> its names elsewhere, in the order in which they are tried.
_NAMES = {
    "id": ("id", "image_id", "item", "image", "file_name", "file", "filename", "path"),
    "label": ("label", "object_label", "object"),
    "written": ("written", "attack_word", "word"),
    "variant": ("variant", "type", "dataset", "subset"),
    "share": ("area",),
    "percent": ("postit_area_pct",),
}
_NAME = re.compile(r"(?:(?P<variant>[A-Za-z]*SCAM)_)?(?P<photo>.+?)(?:\.(?:jpe?g|png|webp))?", re.IGNORECASE)

_FILE = re.compile(r"label=(?P<label>.+)_text=(?P<written>.+?)(?:\.(?:jpe?g|png|webp))?", re.IGNORECASE)


def read_folder(folder: Path) -> list[ImageRef]:
    """The pictures that `metadata.jsonl` or `metadata.csv` at or below `folder` names, with its columns.

    Raises DataError where there is no such file or it names no file.
    """
    tables = sorted([*folder.rglob("metadata.jsonl"), *folder.rglob("metadata.csv")])
    if not tables:
        hint = "; unpack images.zip first" if any(folder.rglob("images.zip")) else ""
        raise DataError(f"{printable(folder)}: neither metadata.jsonl nor metadata.csv is there or below{hint}")
    return [item for table in tables[:1] for item in _rows(table, folder)]


def _rows(table: Path, folder: Path) -> Iterator[ImageRef]:
    try:
        text = table.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{printable(table)}: cannot be read ({printable(error)})") from error
    lines = [line for line in text.splitlines() if line.strip()]
    name, jsonl = printable(table), table.suffix == ".jsonl"
    try:
        rows = (json_values(line, DataError, name) for line in lines) if jsonl else csv.DictReader(lines)
        for row in rows:
            columns = {str(name): "" if value is None else str(value) for name, value in row.items()}
            path = columns.get("file_name") or columns.get("image")
            if not path:
                raise DataError(f"{printable(table)}: a row has no file_name: {printable(row, limit=80)}")
            yield FileImage(columns.get("id") or path, columns, table.parent / path, within=folder)
    except (AttributeError, csv.Error) as error:
        raise DataError(f"{name}: not one JSON object a line ({printable(error)})") from error


def triples(loaded: Loaded) -> Loaded:
    """`loaded` with the card's columns: label, written, variant, photo and area, and ids of the pictures.

    Raises DataError naming a column that is missing, or a variant that is none of the three.
    """
    items = [_item(item, loaded.source) for item in loaded.items]
    return replace(loaded, items=items)


def named(loaded: Loaded) -> Loaded:
    """`loaded` with the columns label and written, where a table has them by other names or in the file's name only."""
    return replace(loaded, items=[_named(item) for item in loaded.items])


def _named(item: ImageRef) -> ImageRef:
    assert isinstance(item, (FileImage, NamedItem, RowImage)), "folders and tables give no other items"
    label, written = (_first(item.attributes, _NAMES[name]) for name in ("label", "written"))
    file = _FILE.fullmatch(item.id.rsplit("/", 1)[-1])
    if file is not None:
        label, written = label or file["label"], written or file["written"]
    if label is None or written is None:
        return item
    found = copy(item)
    found.attributes = {**item.attributes, "label": label, "written": written}
    return found


def _item(item: ImageRef, source: str) -> ImageRef:
    assert isinstance(item, (FileImage, NamedItem, RowImage)), "folders, tables and the hub give no other items"
    known = item.attributes
    columns = {name: _first(known, names) for name, names in _NAMES.items()}
    for name in ("label", "written"):
        if columns[name] is None:
            raise DataError(f"{source}: no column {' or '.join(_NAMES[name])}; {nearest(_NAMES[name][0], known)}")
    named = columns["id"] or item.id
    stem = _NAME.fullmatch(named.rsplit("/", 1)[-1])
    variant = _variant(columns["variant"] or (stem["variant"] if stem else None) or "real", named)
    known = {
        "label": columns["label"] or "",
        "written": columns["written"] or "",
        "variant": variant,
        "photo": stem["photo"] if stem else named,
        "area": columns["share"] or _share(columns["percent"] or ""),
    }
    found = copy(item)
    found.id, found.attributes = named, known
    return found


def _first(known: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    return next((known[name].strip() for name in names if known.get(name)), None)


def _variant(name: str, item: str) -> str:
    found = VARIANTS.get(name.lower(), name.lower())
    if found not in VARIANTS.values():
        raise DataError(f"{printable(item)}: the variant {printable(name)!r} is none of SCAM, NoSCAM and SynthSCAM")
    return found


def _share(percent: str) -> str:
    """
    >>> _share("4.433"), _share("nan")
    ('0.04433', '')
    """
    try:
        share = float(percent) / 100
    except ValueError:
        return ""
    return "" if share != share else f"{share:.6g}"
