"""Figures in words: the alt text that states the number; tables.py has the numbers behind the plot."""

from __future__ import annotations

from dataclasses import replace

from clipaudit import numbers
from clipaudit.results import (
    CurveFigure,
    Figure,
    GalleryFigure,
    HeatmapFigure,
    Point,
    RankFigure,
    ReliabilityCurve,
    ReliabilityFigure,
    ScatterFigure,
)
from clipaudit_reports.budget import Detail
from clipaudit_reports.plots.trim import trimmed
from clipaudit_reports.tables import interval_of, points_of, spread_of, table
from clipaudit_reports.view import PlotView

_LONG_ALT = 4  # more points than this are summarised by their extremes


def plot_view(figure: Figure, anchor: str, detail: Detail, drawn: bool = True) -> PlotView:
    """A figure with its alt text (made from the data where the audit gave none) and its table; not `drawn`, the table
    stands alone."""
    alt = figure.alt.strip() or f"{figure.title}. {_summary(figure)}"
    numbers_behind = table(figure)
    rows = numbers_behind.rows[: detail.table_rows]
    kept = replace(numbers_behind, rows=rows, left_out=len(numbers_behind.rows) - len(rows))
    shown, partly = trimmed(figure, detail.plot_rows)
    blank = "" if drawn else "Not drawn, to keep the report small: the table has the numbers."
    return PlotView(anchor, shown, alt, kept, partly, blank if _drawable(figure) else "Not drawn: no value is defined.")


def _drawable(figure: Figure) -> bool:
    if isinstance(figure, HeatmapFigure):
        return any(value is not None for values in figure.values for value in values)
    if isinstance(figure, CurveFigure | RankFigure):
        return any(y is not None for series in figure.series for y in series.y)
    if isinstance(figure, ScatterFigure):
        return any(cloud.x or cloud.centre is not None for cloud in figure.clouds)
    if isinstance(figure, ReliabilityFigure):
        return any(curve.bins for curve in figure.curves)
    return not isinstance(figure, GalleryFigure) and any(point.value is not None for point in points_of(figure))


def _summary(figure: Figure) -> str:
    if isinstance(figure, CurveFigure | RankFigure):
        return " ".join(_series_summary(series.name, series.x, series.y) for series in figure.series)
    if isinstance(figure, HeatmapFigure):
        return _heatmap_summary(figure)
    if isinstance(figure, ScatterFigure):
        return figure.gap or f"{numbers.counted(len(figure.clouds), 'cloud')} of points."
    if isinstance(figure, ReliabilityFigure):
        return " ".join(_curve_summary(curve) for curve in figure.curves)
    if isinstance(figure, GalleryFigure):
        return numbers.counted(len(figure.entries), "row")
    known = [point for point in points_of(figure) if point.value is not None]
    if not known:
        return "No value is defined."
    if len(known) <= _LONG_ALT:
        return "; ".join(_point_text(point) for point in known) + "."
    ordered = sorted(known, key=lambda point: point.value or 0.0)
    return f"{len(known)} values, from {_point_text(ordered[0])} to {_point_text(ordered[-1])}."


def _series_summary(name: str, xs: tuple[float, ...], ys: tuple[float | None, ...]) -> str:
    known = [(x, y) for x, y in zip(xs, ys, strict=True) if y is not None]
    if not known:
        return f"{name}: no value is defined."
    (x0, y0), (x1, y1) = known[0], known[-1]
    return f"{name}: {numbers.plain(y0)} at {numbers.plain(x0)}, {numbers.plain(y1)} at {numbers.plain(x1)}."


def _curve_summary(curve: ReliabilityCurve) -> str:
    if not curve.bins:
        return f"{curve.name}: no bin holds an item."
    worst = max(curve.bins, key=lambda entry: abs(entry.accuracy - entry.confidence))
    return (
        f"{curve.name}: furthest from its confidence at {numbers.plain(worst.confidence)}, "
        f"where {numbers.plain(worst.accuracy)} are right (n {numbers.count_text(worst.n)})."
    )


def _heatmap_summary(figure: HeatmapFigure) -> str:
    cells = [
        (value, row, column)
        for row, values in zip(figure.rows, figure.values, strict=True)
        for column, value in zip(figure.columns, values, strict=True)
        if value is not None
    ]
    if not cells:
        return "No value is defined."
    low, high = min(cells), max(cells)
    marked = "" if figure.marked is None else f" {sum(map(sum, figure.marked))} of {len(cells)} are marked."
    return (
        f"{figure.value_label} from {numbers.plain(low[0])} ({low[1]}, {low[2]}) "
        f"to {numbers.plain(high[0])} ({high[1]}, {high[2]}).{marked}"
    )


def _point_text(point: Point) -> str:
    who = f"{point.label}, {point.group}" if point.group else point.label
    return f"{who}: {numbers.plain(point.value, spread_of(point))} {interval_of(point)}".strip()
