"""Errors a user can act on: one line that says what is wrong and how to mend it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from enum import IntEnum

from clipaudit.text import printable


class ExitCode(IntEnum):
    """What the process returns; part of the public interface."""

    OK = 0
    GATE_FAILED = 1
    USAGE = 2
    CELLS_ERRORED = 3
    NOTHING_JUDGED = 4
    INCONCLUSIVE = 5
    INTERRUPTED = 130


class ClipAuditError(Exception):
    """Base of every expected error. `str(error)` is the single line shown to the user; `example`, where there is one,
    is what to write into a file, shown below it."""

    exit_code: ExitCode = ExitCode.USAGE

    def __init__(self, message: str = "", *, example: str = "") -> None:
        super().__init__(printable(message, limit=4000))  # one line, whatever a file or a plug-in wrote into it
        self.example = example


class UsageError(ClipAuditError):
    """The command, a suite, a parameter or a card asks for something that does not exist."""


class ModelError(ClipAuditError):
    """A model cannot be loaded or used as asked."""


class DataError(ClipAuditError):
    """A data set, its card or its files cannot be used as asked."""


class DataUnavailable(DataError):
    """A data set is known but not in reach here: its cells are *not run*, which is not an error."""


class NotSupported(ClipAuditError):
    """The model lacks something a cell needs: the cell is *not run*, which is not an error."""


class ImageError(DataError):
    """One image cannot be read: it becomes an error row, and the run goes on."""


class StorageError(ClipAuditError):
    """Disk full, folder read-only: what is already stored stays valid."""

    exit_code = ExitCode.CELLS_ERRORED


def nearest(name: str, options: Iterable[str], *, limit: int = 3) -> str:
    """Text offering the nearest allowed names, or all of them when few.

    >>> nearest("typografic", ["typographic", "association"])
    'did you mean typographic?'
    >>> nearest("xyz", ["b", "a"])
    'allowed: a, b'
    """
    known = sorted(set(options))
    close = difflib.get_close_matches(name, known, n=limit, cutoff=0.6)
    if close:
        return f"did you mean {' or '.join(close)}?"
    if not known:
        return "none are available"
    shown = known[:12]
    more = f" and {len(known) - len(shown)} more" if len(known) > len(shown) else ""
    return f"allowed: {', '.join(shown)}{more}"
