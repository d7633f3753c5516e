"""Templates filled in and written: all of them or, where one is in the way, none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from string import Template

from clipaudit.engine.store import storing, write_atomic
from clipaudit.errors import UsageError

SUFFIX = ".tmpl"  # keeps linters, type checkers and test collectors away from what is not Python yet


def filled(name: str, folder: Path, values: Mapping[str, str]) -> dict[Path, str]:
    """The templates called `name`, as texts of files below `folder`.

    In file names and contents `$key` stands for `values["key"]`, `$$` for a dollar sign.
    """
    return {
        folder / Template(place).substitute(values): Template(text).substitute(values)
        for place, text in _templates(files("clipaudit.scaffold") / "templates" / name)
    }


def write_new(texts: Mapping[Path, str]) -> list[Path]:
    """Write files that do not exist yet.

    Returns:
        The files, in order.

    Raises:
        UsageError: one of them exists already; nothing is written then.
        StorageError: one cannot be written.
    """
    for path in texts:
        if path.exists():
            raise UsageError(f"{path} exists already, and nothing is overwritten; move it away or name another folder")
    for path, text in texts.items():
        with storing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, text.encode())
    return list(texts)


def _templates(folder: Traversable, below: str = "") -> Iterator[tuple[str, str]]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            yield from _templates(entry, f"{below}{entry.name}/")
        elif entry.name.endswith(SUFFIX):
            yield below + entry.name.removesuffix(SUFFIX), entry.read_text(encoding="utf-8")
