"""Folders of image files, with columns from the paths.

The scan is our own, not `datasets`' ImageFolder: that decodes or hashes whole sets into its cache, knows one layout
only, and fails as a whole where one file is damaged; here a damaged file is one item's error.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from pathlib import Path

from clipaudit.data.card import FolderSource
from clipaudit.data.files import FileImage
from clipaudit.data.loaded import Loaded, Place
from clipaudit.data.order import natural_key, portable
from clipaudit.data.pattern import compile_pattern
from clipaudit.errors import DataError, DataUnavailable
from clipaudit.images import ImageRef
from clipaudit.paths import inside
from clipaudit.text import printable

Reader = Callable[[Path], Sequence[ImageRef]]
SUFFIXES = (
    ".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".ppm", ".pgm", ".jp2", ".avif",
    ".ico", ".tga",
)  # fmt: skip


def open_folder(source: FolderSource, place: Place) -> Loaded:
    """Items below the first folder that exists. Raises DataUnavailable if none does, DataError if nothing fits."""
    folder = find_folder(source, place)
    if folder is None:
        raise DataUnavailable(folder_reach(source, place) or "")
    if source.reader is not None:
        items, notes = _by_reader(source.reader, folder)
        how = "folder"
    else:
        items, notes = _by_pattern(source.pattern, folder)
        how = f"folder, pattern {source.pattern}"
    if folder != place.given and source.package is not None:
        how = f"system package {source.package}"
    resources = {}
    for name, glob in source.resources.items():
        found = sorted(path for path in folder.glob(glob) if inside(path, folder))
        if found:
            resources[name] = found[0]
    return Loaded(items, how, resources, notes=notes)


def find_folder(source: FolderSource, place: Place) -> Path | None:
    """The user's place, else the card's own path, else the first of the system's. Raises DataError where the card's
    path leaves its folder."""
    if place.given is not None:
        return place.given if place.given.is_dir() else None
    candidates = [place.below(source.path)] if source.path is not None else []
    candidates += [Path(path) for path in source.system_paths]
    return next((path for path in candidates if path.is_dir()), None)


def folder_reach(source: FolderSource, place: Place) -> str | None:
    """None where the folder is there; else what to do."""
    try:
        if find_folder(source, place) is not None:
            return None
    except DataError as error:
        return str(error)
    if source.path is not None:
        return f"the folder {printable(source.path)} is not there"
    package = f", or install the system package {source.package}" if source.package else ""
    return f"give its folder with --data ID=FOLDER{package}"


def scan(folder: Path) -> Iterator[str]:
    """Relative paths of all image files below `folder`, links followed once, hidden files left out.

    Raises DataError where a folder cannot be listed.
    """

    def refuse(error: OSError) -> None:
        raise DataError(f"{printable(error.filename)}: the folder cannot be listed ({error.strerror})") from error

    seen: set[tuple[int, int]] = set()
    for root, folders, files in os.walk(folder, followlinks=True, onerror=refuse):
        found = os.stat(root)
        if (found.st_dev, found.st_ino) in seen:  # a link back up, or to a folder seen before
            folders.clear()
            continue
        seen.add((found.st_dev, found.st_ino))
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in files:
            if not name.startswith(".") and os.path.splitext(name)[1].lower() in SUFFIXES:
                yield os.path.relpath(os.path.join(root, name), folder)


def _by_pattern(text: str, folder: Path) -> tuple[list[ImageRef], tuple[str, ...]]:
    pattern = compile_pattern(text)
    items: list[ImageRef] = []
    unfit: list[str] = []
    for path in sorted(scan(folder), key=natural_key):
        name = portable(path.replace(os.sep, "/"))
        columns = pattern.match(name)
        if columns is None:
            unfit.append(name)
        else:
            items.append(FileImage(name, columns, folder / path, within=folder))
    if not items:
        example = f"; the first image there is {printable(unfit[0])}" if unfit else "; it holds no image files"
        raise DataError(f"{printable(folder)}: no image file fits the pattern '{printable(text)}'{example}")
    if not unfit:
        return items, ()
    what = "image file does not fit the card and was" if len(unfit) == 1 else "image files do not fit the card and were"
    return items, (f"{len(unfit)} {what} left out (first: {printable(unfit[0])}).",)


def _by_reader(name: str, folder: Path) -> tuple[Sequence[ImageRef], tuple[str, ...]]:
    module, _, function = name.partition(":")
    try:
        reader: Reader = getattr(import_module(module), function)
    except (ImportError, AttributeError, ValueError) as error:
        raise DataError(f"the card's reader {printable(name)} cannot be loaded ({printable(error)})") from error
    return reader(folder), ()
