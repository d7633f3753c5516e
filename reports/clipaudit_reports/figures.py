"""Figures in words: the alt text that states the number, and the table that stands behind the plot."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from clipaudit import numbers
from clipaudit.results import (
    BarsFigure,
    CurveFigure,
    Figure,
    ForestFigure,
    GalleryFigure,
    HeatmapFigure,
    PanelsFigure,
    Point,
    RankFigure,
    Reference,
    ShapeTextureFigure,
)
from clipaudit_reports.budget import Detail
from clipaudit_reports.plots.trim import trimmed
from clipaudit_reports.view import PlotView, Table

_LONG_ALT = 4  # more points than this are summarised by their extremes


def plot_view(figure: Figure, anchor: str, detail: Detail) -> PlotView:
    """A figure with its alt text (made from the data where the audit gave none) and its table."""
    alt = figure.alt.strip() or f"{figure.title}. {_summary(figure)}"
    numbers_behind = table(figure)
    rows = numbers_behind.rows[: detail.table_rows]
    kept = replace(numbers_behind, rows=rows, left_out=len(numbers_behind.rows) - len(rows))
    drawn, partly = trimmed(figure, detail.plot_rows)
    return PlotView(anchor, drawn, alt, kept, partly, not _drawable(figure))


def _drawable(figure: Figure) -> bool:
    if isinstance(figure, HeatmapFigure):
        return any(value is not None for values in figure.values for value in values)
    if isinstance(figure, CurveFigure | RankFigure):
        return any(y is not None for series in figure.series for y in series.y)
    return not isinstance(figure, GalleryFigure) and any(point.value is not None for point in _points(figure))


def _points(figure: ForestFigure | BarsFigure | ShapeTextureFigure | PanelsFigure) -> tuple[Point, ...]:
    """All points; those of a panel are named after it too."""
    if not isinstance(figure, PanelsFigure):
        return figure.points
    return tuple(
        point.model_copy(update={"label": f"{panel.title}, {point.label}"})
        for panel in figure.panels
        for point in panel.points
    )


def table(figure: Figure) -> Table:
    """The same data as the plot, as rows of text."""
    return _TABLES[figure.kind](figure)


def _points_table(figure: ForestFigure | BarsFigure | ShapeTextureFigure | PanelsFigure) -> Table:
    points = _points(figure)
    columns: list[tuple[str, bool, Callable[[Point], str]]] = [
        ("", False, lambda point: point.label),
        ("group", False, lambda point: point.group),
        ("value", True, lambda point: numbers.plain(point.value, _spread(point))),
        ("interval", True, _interval),
        ("n", True, lambda point: "" if point.n is None else numbers.count_text(point.n)),
        ("chance gives", True, _null),
        ("note", False, lambda point: point.note),
    ]
    used = [column for column in columns if column[0] in ("", "value") or any(column[2](point) for point in points)]
    references = _references(figure)
    rows = [tuple(text(point) for _, _, text in used) for point in points]
    rows += [_reference_row(reference, [name for name, _, _ in used]) for reference in references]
    return Table(tuple(name for name, _, _ in used), tuple(rows), tuple(numeric for _, numeric, _ in used))


def _references(figure: ForestFigure | BarsFigure | ShapeTextureFigure | PanelsFigure) -> tuple[Reference, ...]:
    if isinstance(figure, PanelsFigure):
        return ()
    return figure.overall if isinstance(figure, ShapeTextureFigure) else figure.references


def _reference_row(reference: Reference, names: list[str]) -> tuple[str, ...]:
    cells = {"": f"{reference.label} ({reference.source})" if reference.source else reference.label}
    return tuple(numbers.plain(reference.value) if name == "value" else cells.get(name, "") for name in names)


def _curve_table(figure: CurveFigure) -> Table:
    rows: list[tuple[str, ...]] = []
    for series in figure.series:
        for index, (x, y) in enumerate(zip(series.x, series.y, strict=True)):
            low = None if series.low is None else series.low[index]
            high = None if series.high is None else series.high[index]
            span = _ends(series.low, series.high, index)
            rows.append((series.name, numbers.plain(x), numbers.plain(y, numbers.half_width(low, high)), span))
    rows += [(f"{line.label} ({line.source})", "", numbers.plain(line.value), "") for line in figure.references]
    rows += [(f"{mark.label} ({mark.source})", numbers.plain(mark.value), "", "") for mark in figure.marks]
    return Table(("series", figure.x_label, figure.y_label, "interval"), tuple(rows), (False, True, True, True))


def _rank_table(figure: RankFigure) -> Table:
    rows = tuple(
        (series.name, numbers.plain(x), numbers.plain(y), _ends(series.low, series.high, index))
        for series in figure.series
        for index, (x, y) in enumerate(zip(series.x, series.y, strict=True))
    )
    return Table(("group", figure.x_label, figure.y_label, "chance gives"), rows, (False, True, True, True))


def _ends(lows: tuple[float | None, ...] | None, highs: tuple[float | None, ...] | None, index: int) -> str:
    low = None if lows is None else lows[index]
    high = None if highs is None else highs[index]
    return "" if low is None and high is None else numbers.interval_text(low, high)


def _heatmap_table(figure: HeatmapFigure) -> Table:
    def cell(row: int, column: int) -> str:
        mark = "*" if figure.marked is not None and figure.marked[row][column] else ""
        return numbers.plain(figure.values[row][column], spread) + mark

    known = [value for values in figure.values for value in values if value is not None]
    spread = numbers.half_width(min(known), max(known)) if known else None

    columns = range(len(figure.columns))
    rows = tuple((name, *(cell(row, column) for column in columns)) for row, name in enumerate(figure.rows))
    return Table(("", *figure.columns), rows, (False, *(True for _ in columns)))


_TABLES: Mapping[str, Callable[[Any], Table]] = {
    "forest": _points_table,
    "bars": _points_table,
    "shape-texture": _points_table,
    "curve": _curve_table,
    "rank": _rank_table,
    "panels": _points_table,
    "heatmap": _heatmap_table,
}


def _summary(figure: Figure) -> str:
    if isinstance(figure, CurveFigure | RankFigure):
        return " ".join(_series_summary(series.name, series.x, series.y) for series in figure.series)
    if isinstance(figure, HeatmapFigure):
        return _heatmap_summary(figure)
    if isinstance(figure, GalleryFigure):
        return numbers.counted(len(figure.entries), "row")
    known = [point for point in _points(figure) if point.value is not None]
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
    return f"{who}: {numbers.plain(point.value, _spread(point))} {_interval(point)}".strip()


def _spread(point: Point) -> float | None:
    return numbers.half_width(point.low, point.high)


def _interval(point: Point) -> str:
    return "" if point.low is None and point.high is None else numbers.interval_text(point.low, point.high)


def _null(point: Point) -> str:
    nothing = point.null_low is None and point.null_high is None
    return "" if nothing else numbers.interval_text(point.null_low, point.null_high)
