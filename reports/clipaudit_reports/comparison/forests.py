"""Paired differences as forest plots: one per unit, as axes cannot be shared between units."""

from __future__ import annotations

from collections.abc import Sequence

from clipaudit import anchors, numbers
from clipaudit.compare import words
from clipaudit.compare.results import ComparedCell, Difference, Outcome, Pair
from clipaudit.results import ForestFigure, Point
from clipaudit_reports.budget import LADDER as FULL
from clipaudit_reports.figures import plot_view
from clipaudit_reports.view import PlotView

_HUNDRED = "proportion"  # differences of proportions are in points


def forests(pair: Pair, cells: Sequence[ComparedCell], run: str, most: int) -> tuple[PlotView, ...]:
    """Changes of the primary findings, what can be told first; at most `most` rows a plot."""
    several = len({each.cell_name for each in pair.differences}) > 1
    order = {cell.name: cell for cell in cells}
    by_unit: dict[str, list[Difference]] = {}
    for each in words.ordered(pair):
        if each.role == "primary" and each.change is not None:
            by_unit.setdefault(unit_of(each), []).append(each)
    return tuple(
        _plot(unit, found, order, f"figure--{run}--{anchors.slug(unit) or 'value'}", most, several)
        for unit, found in by_unit.items()
    )


def unit_of(found: Difference) -> str:
    """Of the change."""
    return "points" if found.unit == _HUNDRED else found.unit


def _plot(
    unit: str, found: Sequence[Difference], cells: dict[str, ComparedCell], anchor: str, most: int, several: bool
) -> PlotView:
    drawn = found[:most]
    left = len(found) - len(drawn)
    figure = ForestFigure(
        id=anchor,
        title=f"What changed, in {numbers.unit_word(unit)}" if unit else "What changed",
        caption="Value: new minus base, with its interval. p: corrected over all findings of the two runs."
        + (f" Drawn: {len(drawn)} of {len(found)}, what can be told first; the tables below have all." if left else ""),
        alt=_alt(drawn),
        x_label=f"change, {numbers.unit_word(unit)}" if unit else "change",
        points=tuple(_point(each, cells[each.cell_name] if several else None) for each in drawn),
        null_value=0.0,
    )
    return plot_view(figure, anchor, FULL[0])


def _point(found: Difference, cell: ComparedCell | None) -> Point:
    """cell: named where there are several."""
    scale = 100.0 if found.unit == _HUNDRED else 1.0
    low, high = (None, None) if found.interval is None else (found.interval.low, found.interval.high)
    value, low, high = (None if each is None else scale * each for each in (found.change, low, high))
    name = words.named(found)
    return Point(
        label=f"{name}, {cell.data or cell.name}" if cell else name,
        value=value, low=low, high=high, n=found.n, group=found.outcome.value,
        p=None if found.test is None else found.test.p_adjusted, note="" if found.paired else "not paired",
    )  # fmt: skip


def _alt(drawn: Sequence[Difference]) -> str:
    told = [each for each in drawn if each.outcome is not Outcome.UNTOLD]
    if not told:
        return f"{numbers.counted(len(drawn), 'change')}, of which none can be told from no change."
    change, interval = words.change(told[0])
    first = f"{words.named(told[0])} {change} {interval}"
    return f"{len(told)} of {numbers.counted(len(drawn), 'change')} can be told from no change, first {first}."
