"""CSV, TSV and Parquet tables, read through `datasets`."""

from __future__ import annotations

import csv
import os
from collections import Counter
from pathlib import Path
from typing import Any

from clipaudit.data.card import TableSource
from clipaudit.data.digest import file_digest
from clipaudit.data.files import FileImage, NamedItem
from clipaudit.data.loaded import Loaded, Place
from clipaudit.data.rows import row_items
from clipaudit.errors import DataError, DataUnavailable
from clipaudit.images import ImageRef
from clipaudit.paths import inside
from clipaudit.reading import swollen
from clipaudit.text import printable

SUFFIXES = (".csv", ".tsv", ".parquet")


def find_table(source: TableSource, place: Place) -> tuple[Path, Path] | None:
    """(the table's file, the folder that image paths begin at); None where there is no such file.

    The file is the user's, or the card's in the user's folder, or beside the card. Raises DataError where several fit,
    or a path leaves the folder.
    """
    if place.given is not None and place.given.is_file():
        return place.given, place.given.parent / source.root
    folder = place.given or place.base
    root = place.below(source.root)
    if "*" not in source.path:
        path = place.below(source.path)
        return (path, root) if path.is_file() else None
    found = sorted(path for path in folder.glob(source.path) if path.is_file() and inside(path, folder))
    if len(found) > 1:
        names = ", ".join(printable(path.name) for path in found)
        raise DataError(f"{printable(folder)}: several tables fit {source.path}: {names}; give one (--data ID=FILE)")
    return (found[0], root) if found else None


def table_reach(source: TableSource, place: Place) -> str | None:
    """None where the table is there; else what to do."""
    try:
        if find_table(source, place) is not None:
            return None
    except DataError as error:
        return str(error)
    if place.installed and place.given is None:
        return f"give the folder with {source.path}, or the table itself, with --data ID=PLACE"
    return f"the table {source.path} is not there"


def open_table(source: TableSource, place: Place) -> Loaded:
    """One item per row. Raises DataUnavailable if the file is absent, DataError if it is malformed."""
    found = find_table(source, place)
    if found is None:
        if place.installed and place.given is None:
            raise DataUnavailable(table_reach(source, place) or "")
        raise DataUnavailable(f"{printable((place.given or place.base) / source.path)}: there is no such table")
    path, root = found
    given = place.given or place.base
    items = row_items(
        read_table(path),
        name=printable(path),
        image=source.image,
        id=source.id,
        rename=source.rename,
        root=root,
        within=given.parent if given.is_file() else given,
    )
    if source.image is not None and not any(_may_load(item) for item in items):
        items = [NamedItem(item.id, item.attributes) for item in items]
        note = "None of the images named by the table is here: ids and columns only, enough for recorded models."
        return Loaded(items, f"table {path.name} (ids and columns only, its images are not here)", notes=(note,))
    what = "with images" if source.image else "ids and columns only, no images"
    return Loaded(items, f"table {path.name} ({what})", identity=_identity(path) if source.image else "")


def _may_load(item: ImageRef) -> bool:
    return not isinstance(item, FileImage) or os.path.lexists(item.path)


def read_table(path: Path) -> Any:
    """The table as a `datasets.Dataset`: every CSV cell is text as written, so that "007" and "NA" stay so.

    The converted copy lies under the digest of the file's content: `datasets` itself goes by name and time only, and
    would go on serving the old content of a file that was replaced and kept its time (unpacked, synchronised).
    """
    import datasets

    from clipaudit.paths import cache_root

    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise DataError(f"{printable(path)}: a table must be one of {', '.join(SUFFIXES)}")
    if suffix == ".parquet":
        _refuse_swollen(path)
    options = {} if suffix == ".parquet" else _as_text(path, "\t" if suffix == ".tsv" else ",")
    bars = datasets.is_progress_bar_enabled()
    datasets.disable_progress_bars()
    try:
        return datasets.load_dataset(
            "parquet" if suffix == ".parquet" else "csv",
            data_files=_literal(path),
            split="train",
            cache_dir=str(cache_root() / "tables" / _identity(path)[:16]),
            **options,
        )
    except Exception as error:  # readers of malformed files raise anything
        raise DataError(f"{printable(path)}: the table cannot be read ({printable(_cause(error))})") from error
    finally:
        if bars:
            datasets.enable_progress_bars()


def _refuse_swollen(path: Path) -> None:
    """Before `datasets` writes the rows to the disk."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        fault = swollen(pq.read_metadata(path), path.stat().st_size)
    except (pa.ArrowException, OSError, ValueError) as error:  # ValueError: names that are no text
        raise DataError(f"{printable(path)}: the table cannot be read ({printable(_cause(error))})") from error
    if fault:
        raise DataError(f"{printable(path)}: the table {fault}")


def _as_text(path: Path, separator: str) -> dict[str, Any]:
    """Options of a CSV reader that takes every cell as text. Raises DataError without a header of distinct names."""
    import datasets

    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header = next(csv.reader(file, delimiter=separator), [])
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{printable(path)}: the table cannot be read ({printable(error)})") from error
    if not header:
        raise DataError(f"{printable(path)}: the table cannot be read (it is empty; the first line names the columns)")
    twice = next((name for name, count in Counter(header).items() if count > 1), None)
    if twice is not None:
        raise DataError(f"{printable(path)}: two columns are called '{printable(twice)}'")
    features = datasets.Features({name: datasets.Value("string") for name in header})
    return {"sep": separator, "features": features, "keep_default_na": False, "encoding": "utf-8-sig"}


def _literal(path: Path) -> str:
    """`path` with what `datasets` would take for a glob made literal."""
    from glob import escape

    return escape(str(path.absolute()))


def _cause(error: BaseException) -> str:
    while error.__cause__ is not None:
        error = error.__cause__
    message = " ".join(str(error).split())
    if "corresponds to no data" in message:  # what `datasets` says of a header without rows
        return "it has no rows"
    return message or type(error).__name__


def _identity(path: Path) -> str:
    try:
        return file_digest(path)
    except OSError as error:
        raise DataError(f"{printable(path)}: cannot be read ({error.strerror})") from error
