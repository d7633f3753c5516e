"""Templates filled in and written: all of them or, where one is in the way, none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from string import Template

from clipaudit.errors import StorageError, UsageError

SUFFIX = ".tmpl"  # keeps linters, type checkers and test collectors away from what is not Python yet


def write_templates(name: str, folder: Path, values: Mapping[str, str]) -> list[Path]:
    """Fill in the templates called `name` and write them below `folder`.

    In file names and contents `$key` stands for `values["key"]`, `$$` for a dollar sign.

    Returns:
        The files written, in order.

    Raises:
        UsageError: one of them exists already; nothing is written then.
        StorageError: the folder cannot be written.
    """
    texts = {
        folder / Template(place).substitute(values): Template(text).substitute(values)
        for place, text in _templates(files("clipaudit.scaffold") / "templates" / name)
    }
    for path in texts:
        if path.exists():
            raise UsageError(f"{path} exists already, and nothing is overwritten; move it away or name another folder")
    try:
        for path, text in texts.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise StorageError(f"{error.filename or folder}: cannot be written: {error.strerror}") from error
    return list(texts)


def _templates(folder: Traversable, below: str = "") -> Iterator[tuple[str, str]]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            yield from _templates(entry, f"{below}{entry.name}/")
        elif entry.name.endswith(SUFFIX):
            yield below + entry.name.removesuffix(SUFFIX), entry.read_text(encoding="utf-8")
