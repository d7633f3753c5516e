"""Figures too large to be read are drawn in part, and say so; the table behind each keeps everything."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from clipaudit.results import (
    BarsFigure,
    Cloud,
    CurveFigure,
    Figure,
    ForestFigure,
    GalleryFigure,
    HeatmapFigure,
    PanelsFigure,
    Point,
    RankFigure,
    ReliabilityFigure,
    ScatterFigure,
    Series,
    ShapeTextureFigure,
)

COLUMNS, SERIES, STEPS, PANELS, CLOUD = 16, 6, 120, 12, 250


def trimmed(figure: Figure, most: int) -> tuple[Figure, str]:
    """The figure with at most `most` rows (labels), and what was left out in words ("" if nothing was)."""
    if isinstance(figure, GalleryFigure):
        return figure, ""
    if isinstance(figure, HeatmapFigure):
        return _heatmap(figure, most)
    if isinstance(figure, PanelsFigure):
        return _panels(figure, most)
    if isinstance(figure, ForestFigure | BarsFigure | ShapeTextureFigure):
        return _rows(figure, most)
    return _LIMITED[figure.kind](figure)


def _rows(figure: ForestFigure | BarsFigure | ShapeTextureFigure, most: int) -> tuple[Figure, str]:
    kept = _labels(figure.points, most)
    points = tuple(point for index, point in enumerate(figure.points) if index in kept)
    if len(points) == len(figure.points):
        return figure, ""
    total, shown = len({p.label for p in figure.points}), len({p.label for p in points})
    note = f"Drawn: {shown} of {total} rows, the highest and the lowest. The table has all of them."
    return figure.model_copy(update={"points": points}), note


def extremes(values: Sequence[float | None], most: int) -> set[int]:
    """Positions of the highest and lowest values, at most `most`, undefined ones last.

    >>> sorted(extremes([0.0, 9.0, 5.0, None, 1.0], 2))
    [0, 1]
    """
    if len(values) <= most:
        return set(range(len(values)))
    order = sorted(range(len(values)), key=lambda index: _key(values[index]))
    known = sum(value is not None for value in values)
    ranked = order[:known]
    high = min(most - most // 2, known)
    low = min(most // 2, known - high)
    chosen = ranked[:low] + ranked[known - high :]
    return set(chosen + order[known : known + most - len(chosen)])


def _key(value: float | None) -> tuple[bool, float]:
    return value is None, value or 0.0


def _labels(points: Sequence[Point], most: int) -> set[int]:
    """Positions of the points to draw: all points of the labels whose first values are extreme."""
    leading: dict[str, float | None] = {}
    for point in points:
        leading.setdefault(point.label, point.value)
    names = list(leading)
    kept = {names[index] for index in extremes([leading[name] for name in names], most)}
    return {index for index, point in enumerate(points) if point.label in kept}


def _curve(figure: CurveFigure) -> tuple[Figure, str]:
    series = tuple(_thin(line) for line in figure.series[:SERIES])
    if series == figure.series:
        return figure, ""
    note = f"Drawn: {len(series)} of {len(figure.series)} series, long ones thinned. The table has all points."
    return figure.model_copy(update={"series": series}), note


def _ranks(figure: RankFigure) -> tuple[Figure, str]:
    kept = sorted(extremes([_strongest(series.y) for series in figure.series], PANELS))
    series = tuple(_thin(figure.series[index]) for index in kept)
    if series == figure.series:
        return figure, ""
    note = f"Drawn: {len(series)} of {len(figure.series)} groups, long rankings thinned. The table has all of them."
    return figure.model_copy(update={"series": series}), note


def _panels(figure: PanelsFigure, most: int) -> tuple[Figure, str]:
    kept = sorted(extremes([_strongest([p.value for p in panel.points]) for panel in figure.panels], PANELS))
    chosen = [figure.panels[index] for index in kept]
    rows = _labels([point for panel in chosen for point in panel.points], most)
    panels, first = [], 0
    for panel in chosen:
        points = tuple(point for index, point in enumerate(panel.points, first) if index in rows)
        panels.append(panel.model_copy(update={"points": points}))
        first += len(panel.points)
    if tuple(panels) == figure.panels:
        return figure, ""
    total = len({point.label for panel in figure.panels for point in panel.points})
    shown = len({point.label for panel in panels for point in panel.points})
    note = (
        f"Drawn: {len(panels)} of {len(figure.panels)} plots and {shown} of {total} rows, those with the highest and "
        "the lowest values. The table has all of them."
    )
    return figure.model_copy(update={"panels": tuple(panels)}), note


def _reliability(figure: ReliabilityFigure) -> tuple[Figure, str]:
    gaps = [
        max((abs(entry.accuracy - entry.confidence) for entry in curve.bins), default=None) for curve in figure.curves
    ]
    kept = sorted(extremes(gaps, PANELS))
    if len(kept) == len(figure.curves):
        return figure, ""
    note = f"Drawn: {len(kept)} of {len(figure.curves)} curves, the best and the worst. The table has all of them."
    return figure.model_copy(update={"curves": tuple(figure.curves[index] for index in kept)}), note


def _scatter(figure: ScatterFigure) -> tuple[Figure, str]:
    clouds = tuple(_thin_cloud(cloud) for cloud in figure.clouds)
    if clouds == figure.clouds:
        return figure, ""
    drawn, total = (sum(len(cloud.x) for cloud in found) for found in (clouds, figure.clouds))
    return figure.model_copy(update={"clouds": clouds}), f"Drawn: {drawn:,} of {total:,} points, evenly thinned."


def _thin_cloud(cloud: Cloud) -> Cloud:
    step = max(1, -(-len(cloud.x) // CLOUD))
    return cloud.model_copy(update={"x": cloud.x[::step], "y": cloud.y[::step]})


def _thin(series: Series) -> Series:
    step = -(-len(series.x) // STEPS)
    if step <= 1:
        return series
    cut = {name: getattr(series, name) for name in ("x", "y", "low", "high")}
    return series.model_copy(update={name: None if ends is None else ends[::step] for name, ends in cut.items()})


def _heatmap(figure: HeatmapFigure, most: int) -> tuple[Figure, str]:
    rows = sorted(extremes([_strongest(values) for values in figure.values], most))
    columns = sorted(extremes([_strongest(values) for values in zip(*figure.values, strict=True)], COLUMNS))
    if len(rows) == len(figure.rows) and len(columns) >= len(figure.columns):
        return figure, ""
    marked = figure.marked
    update = {
        "rows": tuple(figure.rows[row] for row in rows),
        "columns": tuple(figure.columns[column] for column in columns),
        "values": tuple(tuple(figure.values[row][column] for column in columns) for row in rows),
        "marked": None if marked is None else tuple(tuple(marked[row][column] for column in columns) for row in rows),
    }
    note = (
        f"Drawn: {len(rows)} of {len(figure.rows)} rows and {len(columns)} of {len(figure.columns)} columns, "
        "those with the highest and the lowest values. The table has all of them."
    )
    return figure.model_copy(update=update), note


def _strongest(values: Sequence[float | None]) -> float | None:
    """The value furthest from zero."""
    known = [value for value in values if value is not None]
    return max(known, key=abs) if known else None


_LIMITED: Mapping[str, Callable[[Any], tuple[Figure, str]]] = {
    "curve": _curve,
    "rank": _ranks,
    "reliability": _reliability,
    "scatter": _scatter,
}
