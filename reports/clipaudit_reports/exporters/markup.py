"""Text that others wrote, in Markdown: nothing in it is markup, and nothing in it is hidden."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from clipaudit.text import printable
from clipaudit_reports.markdown import escape


def safe(value: object) -> str:
    """One line, control characters shown.

    >>> safe("*x*\\x1b")
    '\\\\*x\\\\*\\\\\\\\x1b'
    """
    return escape(printable(" ".join(str(value).split()), limit=None))


def table(heads: Sequence[object], rows: Iterable[Sequence[object]]) -> list[str]:
    """A table's lines, every entry made safe."""
    return [_row(heads), f"|{'---|' * len(heads)}", *(_row(row) for row in rows)]


def _row(cells: Sequence[object]) -> str:
    return f"| {' | '.join(safe(cell) for cell in cells)} |"
