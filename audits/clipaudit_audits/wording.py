"""Numbers inside the sentences that audits write, and words that users give. Proportions are held as 0 to 1 and worded
in per cent."""

from __future__ import annotations

from collections.abc import Iterable

from clipaudit.results import Interval


def percent(value: float) -> str:
    """A proportion for readers.

    >>> percent(0.1234), percent(1.0)
    ('12.3 %', '100.0 %')
    """
    return f"{100 * value:.1f} %"


def points_text(value: float) -> str:
    """A difference of proportions that is already in points.

    >>> points_text(-3.21)
    '−3.2 points'
    """
    return f"{_signed(value)} points"


def _signed(value: float) -> str:
    return f"{value:.1f}".replace("-", "\N{MINUS SIGN}")


def between(interval: Interval | None, scale: float = 1.0) -> str:
    """The bounds in brackets, times `scale`, led by a space; nothing where there are none.

    >>> between(Interval(low=0.1, high=0.25, method="Wilson"), 100)
    ' [10.0, 25.0]'
    """
    if interval is None or interval.low is None or interval.high is None:
        return ""
    return f" [{_signed(scale * interval.low)}, {_signed(scale * interval.high)}]"


def repeated(texts: Iterable[str]) -> tuple[str, str] | None:
    """The first text that has occurred before but for case and blanks, after the one that it repeats.

    >>> repeated(["a judge", "a cook", "A  judge "]), repeated(["a", "b"])
    (('a judge', 'A  judge '), None)
    """
    seen: dict[str, str] = {}
    for text in texts:
        key = " ".join(text.casefold().split())
        if key in seen:
            return seen[key], text
        seen[key] = text
    return None
