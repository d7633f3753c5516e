"""Comparisons in words: one difference, one standing, the counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from clipaudit.compare.results import BoardRow, Difference, Outcome, Pair, Standing
from clipaudit.gate.words import change_text
from clipaudit.numbers import counted, half_width, interval_text, p_text, value_text

MARKS = {Outcome.WORSE: "▼", Outcome.BETTER: "▲", Outcome.CHANGED: "◆", Outcome.UNTOLD: "="}
ORDER = (Outcome.WORSE, Outcome.BETTER, Outcome.CHANGED, Outcome.UNTOLD)


def named(found: Difference | BoardRow) -> str:
    """Title and subgroup: "Accuracy (race (annotated): Indian)"."""
    where = ", ".join(f"{key}: {value}" for key, value in found.subgroup.items())
    return f"{found.title} ({where})" if where else found.title


def ordered(pair: Pair) -> list[Difference]:
    """Worse first, then better, then what cannot be told; within these the smallest p first."""
    return sorted(pair.differences, key=lambda d: (ORDER.index(d.outcome), 1.0 if d.test is None else d.test.p))


def change(found: Difference) -> tuple[str, str]:
    """The change and its interval."""
    interval = found.interval
    spread = None if interval is None else half_width(interval.low, interval.high)
    text = change_text(found.change, found.unit, spread=spread)
    sign = "+" if found.change is not None and found.change > 0 else ""
    if interval is None:
        return f"{sign}{text}", ""
    unit, scale = ("points", 100) if found.unit == "proportion" else (found.unit, 1)
    low, high = (None if end is None else scale * end for end in (interval.low, interval.high))
    return f"{sign}{text}", interval_text(low, high, unit)


def values(found: Difference) -> str:
    """Before and after."""
    return f"{value_text(found.before, found.unit)} → {value_text(found.after, found.unit)}"


def p_of(found: Difference) -> str:
    """The corrected p."""
    if found.test is None:
        return ""
    p = found.test.p if found.test.p_adjusted is None else found.test.p_adjusted
    return p_text(p).removeprefix("p ").removeprefix("= ")


def verdict(found: Difference) -> str:
    """The outcome; where it cannot be told, what could have been."""
    if found.outcome is not Outcome.UNTOLD or found.minimum_detectable is None:
        return found.outcome.value
    return f"{found.outcome.value} (could have seen {change_text(found.minimum_detectable, found.unit)})"


def counts(pair: Pair) -> str:
    """ "2 worse, 1 better, 14 cannot be told, of 17 findings"."""
    if not pair.differences:
        return "nothing can be compared"
    found = Counter(each.outcome for each in pair.differences)
    parts = [f"{found[outcome]} {outcome.value}" for outcome in ORDER if found[outcome]]
    return f"{', '.join(parts)}, of {counted(len(pair.differences), 'finding')}"


def unpaired(pair: Pair) -> list[str]:
    """Why findings could not be paired item by item, each reason once with the audits' cells."""
    cells: dict[str, dict[str, None]] = {}
    for each in pair.differences:
        if not each.paired:
            cells.setdefault(each.note, {})[each.cell_name] = None
    return [f"{why} ({', '.join(names)})" for why, names in cells.items()]


def flips(found: Difference, shown: int) -> str:
    """How many items flipped each way, and the first of them."""
    if found.flips is None:
        return ""
    parts = [f"{len(items)} {way}{_first(items, shown)}" for way, items in _ways(found) if items]
    return "; ".join(parts) or "none"


def _ways(found: Difference) -> Sequence[tuple[str, tuple[str, ...]]]:
    assert found.flips is not None, "asked only where items are known"
    return (("down", found.flips.down), ("up", found.flips.up))


def _first(items: Sequence[str], shown: int) -> str:
    more = ", ..." if len(items) > shown else ""
    return f" ({', '.join(items[:shown])}{more})" if shown else ""


def standing(row: BoardRow, number: int) -> str:
    """A run's value with its mark against the base, and a star where it is the best; or why it cannot be compared."""
    one: Standing = row.standings[number]
    value = " ".join(part for part in standing_value(row, number) if part)
    if one.why:
        return f"{value}; not comparable: {one.why}" if value else f"not comparable: {one.why}"
    star = " *" if stars(row, number) else ""
    mark = "" if one.outcome is None else f"{MARKS[one.outcome]} "
    return f"{mark}{value}{star}"


def stars(row: BoardRow, number: int) -> bool:
    """Whether a run has the best value, and not all that can be compared have it."""
    return number in row.best and len(row.best) < sum(not each.why for each in row.standings)


def standing_value(row: BoardRow, number: int) -> tuple[str, str]:
    """A run's value and interval; "" where it has none."""
    one: Standing = row.standings[number]
    if one.value is None:
        return "", ""
    interval = one.interval
    spread = None if interval is None else half_width(interval.low, interval.high)
    ends = "" if interval is None else interval_text(interval.low, interval.high, row.unit)
    return value_text(one.value, row.unit, spread=spread), ends
