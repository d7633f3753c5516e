"""The numbers behind each plot, as rows of text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from clipaudit import numbers
from clipaudit.results import (
    BarsFigure,
    CurveFigure,
    Figure,
    ForestFigure,
    HeatmapFigure,
    PanelsFigure,
    Point,
    RankFigure,
    Reference,
    ReliabilityFigure,
    ScatterFigure,
    ShapeTextureFigure,
)
from clipaudit_reports.view import Table


def table(figure: Figure) -> Table:
    """The same data as the plot, as rows of text."""
    return _TABLES[figure.kind](figure)


def _points_table(figure: ForestFigure | BarsFigure | ShapeTextureFigure | PanelsFigure) -> Table:
    points = points_of(figure)
    columns: list[tuple[str, bool, Callable[[Point], str]]] = [
        ("", False, lambda point: point.label),
        ("group", False, lambda point: point.group),
        ("value", True, lambda point: numbers.plain(point.value, spread_of(point))),
        ("interval", True, interval_of),
        ("n", True, lambda point: "" if point.n is None else numbers.count_text(point.n)),
        ("corrected p", True, lambda point: "" if point.p is None else numbers.p_text(point.p).removeprefix("p ")),
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


def _scatter_table(figure: ScatterFigure) -> Table:
    """One row per cloud: a single point has no meaning of its own."""
    rows = [
        (
            cloud.name,
            numbers.count_text(len(cloud.x)),
            *(("", "") if cloud.centre is None else map(numbers.plain, cloud.centre)),
            *(numbers.interval_text(min(ends), max(ends)) if ends else "" for ends in (cloud.x, cloud.y)),
        )
        for cloud in figure.clouds
    ]
    if figure.gap:
        rows.append((figure.gap, "", "", "", "", ""))
    head = (
        "",
        "points",
        *(f"{part}, {name}" for part in ("centre", "from, to") for name in (figure.x_label, figure.y_label)),
    )
    return Table(head, tuple(rows), (False, True, True, True, True, True))


def _reliability_table(figure: ReliabilityFigure) -> Table:
    rows = tuple(
        (
            curve.name,
            numbers.plain(entry.confidence, numbers.half_width(entry.low, entry.high)),
            numbers.plain(entry.accuracy, numbers.half_width(entry.low, entry.high)),
            numbers.interval_text(entry.low, entry.high),
            numbers.count_text(entry.n),
        )
        for curve in figure.curves
        for entry in curve.bins
    )
    return Table(("", "mean confidence", "accuracy", "interval", "n"), rows, (False, True, True, True, True))


_TABLES: Mapping[str, Callable[[Any], Table]] = {
    "forest": _points_table,
    "bars": _points_table,
    "shape-texture": _points_table,
    "curve": _curve_table,
    "rank": _rank_table,
    "panels": _points_table,
    "heatmap": _heatmap_table,
    "scatter": _scatter_table,
    "reliability": _reliability_table,
}


def points_of(figure: ForestFigure | BarsFigure | ShapeTextureFigure | PanelsFigure) -> tuple[Point, ...]:
    """All points; those of a panel are named after it too."""
    if not isinstance(figure, PanelsFigure):
        return figure.points
    return tuple(
        point.model_copy(update={"label": f"{panel.title}, {point.label}"})
        for panel in figure.panels
        for point in panel.points
    )


def spread_of(point: Point) -> float | None:
    return numbers.half_width(point.low, point.high)


def interval_of(point: Point) -> str:
    return "" if point.low is None and point.high is None else numbers.interval_text(point.low, point.high)


def _null(point: Point) -> str:
    nothing = point.null_low is None and point.null_high is None
    return "" if nothing else numbers.interval_text(point.null_low, point.null_high)
