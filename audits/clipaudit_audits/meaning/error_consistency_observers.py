"""Responses of people, from tables in the form that psychophysical data sets are published in."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from clipaudit.errors import DataError, nearest

# Heads of the columns, ours first; the others are those of the published tables.
_NAMES = {
    "observer": ("observer", "subj", "subject"),
    "item": ("item", "imagename", "image"),
    "response": ("response", "object_response", "answer"),
}

Responses = Mapping[str, Mapping[str, str]]  # observer -> item as the table names it -> response


def read_observers(path: str) -> tuple[Responses, str]:
    """Responses by observer, and a digest of the files. DataError in one line.

    path: a CSV file, or a folder of them, with the columns observer, item and response (or subj, imagename and
    object_response, as published).
    """
    place = Path(path)
    files = sorted(place.glob("*.csv")) if place.is_dir() else [place]
    if not files:
        raise DataError(f"{place}: no .csv files with responses of observers")
    found: dict[str, dict[str, str]] = {}
    digest = hashlib.sha256()
    for file in files:
        try:
            digest.update(file.read_bytes())
        except OSError as error:
            raise DataError(f"{file}: {error.strerror}") from error
        _read(file, found)
    return found, digest.hexdigest()[:16]


def _read(file: Path, found: dict[str, dict[str, str]]) -> None:
    import csv

    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream)
            heads = {name.strip().lower(): name for name in reader.fieldnames or ()}
            columns = {what: _head(file, heads, what, names) for what, names in _NAMES.items()}
            for number, line in enumerate(reader, start=2):
                observer, item, response = ((line[columns[what]] or "").strip() for what in _NAMES)
                if not observer or not item:
                    raise DataError(f"{file}: line {number} names no observer or no item")
                own = found.setdefault(observer, {})
                if own.setdefault(item, response) != response:
                    raise DataError(f"{file}: line {number}: {observer} answers {item!r} a second time, otherwise")
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{file}: no readable CSV: {error}") from error


def _head(file: Path, heads: Mapping[str, str], what: str, names: Sequence[str]) -> str:
    for name in names:
        if name in heads:
            return heads[name]
    raise DataError(f"{file}: no column {what!r} (or {', '.join(names[1:])}); {nearest(what, heads.values())}")


def by_item(responses: Responses, items: Sequence[str]) -> dict[str, dict[str, str]]:
    """Observer -> item id -> response. A table may put a prefix, ending in "_", before the file's name.

    Raises DataError where no response belongs to any item, naming one of each.
    """
    known: dict[str, str] = {}
    for one in items:
        known[one] = one
        known.setdefault(PurePosixPath(one).name, one)
    found = {
        observer: {item: response for name, response in own.items() if (item := _match(name, known)) is not None}
        for observer, own in responses.items()
    }
    if not any(found.values()):
        example = next((name for own in responses.values() for name in own), "nothing")
        first = items[0] if items else "none"
        raise DataError(f"the observers' responses are about other items ({example!r}) than the data set's ({first!r})")
    return found


def _match(name: str, known: Mapping[str, str]) -> str | None:
    """The item that `name` is, or ends in."""
    rest = name
    while rest:
        if rest in known:
            return known[rest]
        _, _, rest = rest.partition("_")
    return None
