"""SugarCrepe: pairs of captions in seven JSON files, and the photographs of COCO where they are at hand."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from clipaudit.data.files import FileImage, NamedItem
from clipaudit.data.loaded import Loaded
from clipaudit.errors import DataError
from clipaudit.images import ImageRef
from clipaudit.reading import json_values
from clipaudit.text import printable

KINDS = {
    f"{how}_{short}": f"{how} {what}"
    for how, parts in (("add", ("att", "obj")), ("replace", ("att", "obj", "rel")), ("swap", ("att", "obj")))
    for short, what in (("att", "attribute"), ("obj", "object"), ("rel", "relation"))
    if short in parts
}
FOLDERS = ("", "val2017", "images")  # where photographs are looked for
_FIELDS = ("filename", "caption", "negative_caption")


def read_pairs(folder: Path) -> list[ImageRef]:
    """One item per pair, with the columns image, caption, negative and kind. Raises DataError without a file, or for
    one that is not in the published form."""
    items: list[ImageRef] = []
    for name, kind in KINDS.items():
        path = folder / f"{name}.json"
        if path.is_file():
            items += [_item(folder, path, kind, key, entry) for key, entry in _entries(path).items()]
    if not items:
        raise DataError(f"{printable(folder)}: holds none of {', '.join(f'{name}.json' for name in KINDS)}")
    return items


def with_images(loaded: Loaded) -> Loaded:
    """`loaded` without the pairs whose photograph is not at hand, if others are; with a note of how many there are."""
    there = [item for item in loaded.items if isinstance(item, FileImage)]
    if not there:
        note = "None of the photographs is here: enough for recorded models and for the texts alone (text_only)."
        return replace(loaded, notes=(*loaded.notes, note))
    if len(there) == len(loaded.items):
        return loaded
    absent = f"{len(loaded.items) - len(there):,} of {len(loaded.items):,} pairs"
    note = f"{absent} were left out: their photograph is not here."
    return replace(loaded, items=there, notes=(*loaded.notes, note))


def _entries(path: Path) -> Mapping[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise DataError(f"{printable(path)}: cannot be read ({printable(error)})") from error
    found = json_values(text, DataError, printable(path))
    if not isinstance(found, dict):
        raise DataError(f"{printable(path)}: must be an object of numbered pairs")
    return found


def _item(folder: Path, path: Path, kind: str, key: str, entry: Any) -> ImageRef:
    known = entry if isinstance(entry, dict) else {}
    for field in _FIELDS:
        if not isinstance(known.get(field), str):
            raise DataError(f"{printable(path)}: entry {printable(key)} has no text '{field}'")
    file, caption, negative = (str(known[field]) for field in _FIELDS)
    if Path(file).name != file:
        raise DataError(f"{printable(path)}: entry {printable(key)}: '{printable(file)}' must be a file name alone")
    attributes = {"image": file, "caption": caption, "negative": negative, "kind": kind}
    item = f"{path.stem}/{key}"
    found = next((folder / where / file for where in FOLDERS if os.path.isfile(folder / where / file)), None)
    return NamedItem(item, attributes) if found is None else FileImage(item, attributes, found, within=folder)
