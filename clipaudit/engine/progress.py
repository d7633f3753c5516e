"""What the user sees while a run goes on: a rich bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Protocol

from clipaudit.numbers import counted
from clipaudit.results import CellResult, CellStatus
from clipaudit.text import printable

_WORDS = {CellStatus.DONE: "done", CellStatus.NOT_RUN: "not run", CellStatus.ERRORED: "ERRORED"}


class Reporter(Protocol):
    """Told of a run's progress; never affects it."""

    def note(self, text: str) -> None: ...
    def begin(self, cells: int, images: int, texts: int) -> None: ...
    def batch(self, kind: str, done: int, total: int) -> None: ...
    def cell_started(self, title: str) -> None: ...
    def cell_ended(self, result: CellResult, resumed: bool) -> None: ...
    def __enter__(self) -> Reporter: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def _extent(cells: int, images: int, texts: int) -> str:
    return ", ".join(
        counted(n, noun) for n, noun in ((cells, "cell"), (images, "distinct image"), (texts, "distinct text"))
    )


def make_reporter(quiet: bool = False) -> Reporter:
    """Rich where stderr is a terminal, plain lines where not, silence on request."""
    if quiet:
        return Silent()
    return RichReporter() if sys.stderr.isatty() else PlainReporter()


def outcome_line(result: CellResult, resumed: bool) -> str:
    """One line about a finished cell."""
    line = f"{_WORDS[result.status]:8} {printable(result.slug)}"
    if result.status is not CellStatus.DONE:
        return f"{line}: {printable(result.reason)}"
    errors = f", {result.error_rows} unreadable" if result.error_rows else ""
    return f"{line}: {result.rows} rows{errors}{' (already there)' if resumed else ''}"


class Silent:
    """No output at all."""

    def note(self, text: str) -> None: ...
    def begin(self, cells: int, images: int, texts: int) -> None: ...
    def batch(self, kind: str, done: int, total: int) -> None: ...
    def cell_started(self, title: str) -> None: ...
    def cell_ended(self, result: CellResult, resumed: bool) -> None: ...
    def __enter__(self) -> Reporter:
        return self

    def __exit__(self, *_: object) -> None: ...


class PlainReporter(Silent):
    """A line per cell, and one every ten seconds in between: fit for logs."""

    interval = 10.0  # seconds

    def __init__(self) -> None:
        self._last = time.monotonic()

    def note(self, text: str) -> None:
        print(printable(text, limit=500), file=sys.stderr, flush=True)

    def begin(self, cells: int, images: int, texts: int) -> None:
        self.note(_extent(cells, images, texts))

    def batch(self, kind: str, done: int, total: int) -> None:
        if time.monotonic() - self._last >= self.interval:
            self._last = time.monotonic()
            self.note(f"  {done} of {total} {kind}s")

    def cell_started(self, title: str) -> None:
        self.note(f"run      {title}")

    def cell_ended(self, result: CellResult, resumed: bool) -> None:
        self.note(outcome_line(result, resumed))

    def __enter__(self) -> Reporter:
        return self


class RichReporter(Silent):
    """A progress bar over everything the model is shown, with the time left."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            SpinnerColumn,
            TextColumn,
            TimeRemainingColumn,
        )

        self._console = Console(stderr=True, highlight=False)
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[kind]}"),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
        )
        self._task = self._progress.add_task("planning", total=None, kind="")

    def note(self, text: str) -> None:
        self._console.print(printable(text, limit=500), markup=False)

    def begin(self, cells: int, images: int, texts: int) -> None:
        self.note(_extent(cells, images, texts))

    def batch(self, kind: str, done: int, total: int) -> None:
        self._progress.update(self._task, completed=done, total=total, kind=f"{kind}s")

    def cell_started(self, title: str) -> None:
        self._progress.reset(self._task, total=None, description=printable(title, limit=60), kind="")

    def cell_ended(self, result: CellResult, resumed: bool) -> None:
        self.note(outcome_line(result, resumed))

    def __enter__(self) -> Reporter:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()
