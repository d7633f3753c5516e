"""Small forests side by side: the same rows in each, one scale, the chance band behind each point."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clipaudit.results import PanelsFigure, Point
from clipaudit_reports.plots import canvas, forest
from clipaudit_reports.plots.grid import grid
from clipaudit_reports.plots.limits import span
from clipaudit_reports.plots.palette import BAND, MUTED, PAPER, colour, marker
from clipaudit_reports.plots.rows import groups as group_names

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

_ROW = 0.22  # inches


def draw(figure: PanelsFigure) -> Canvas:
    """The plots; their height grows with the number of rows."""
    points = tuple(point for panel in figure.panels for point in panel.points)
    rows = list(dict.fromkeys(point.label for point in points))
    groups = group_names(points)
    handles = _handles(points, groups)
    names = [canvas.short(row, 30) for row in rows]
    titles = [panel.title for panel in figure.panels]
    made = grid(titles, _ROW * max(1, len(rows)) + 0.1, canvas.label_margin(names, most=2.4), len(handles))
    for index, (axes, panel) in enumerate(zip(made.plots, figure.panels, strict=True)):
        for point in panel.points:
            forest.mark(axes, rows.index(point.label), point, groups.index(point.group))
        _finish(axes, figure, points)
        axes.set_ylim(max(0, len(rows) - 1) + 0.6, -0.6)
        axes.set_yticks(range(len(rows)), names if made.leftmost(index) else [""] * len(rows))
    made.finish(figure.x_label, handles)
    return made.sheet


def _finish(axes: Axes, figure: PanelsFigure, points: tuple[Point, ...]) -> None:
    if figure.null_value is not None:
        axes.axvline(figure.null_value, color=MUTED, linewidth=0.9, zorder=0.5)
    values = [figure.null_value]
    for point in points:
        values += [point.value, point.low, point.high, point.null_low, point.null_high]
    axes.set_xlim(*span(values))
    axes.locator_params(axis="x", nbins=3)
    axes.tick_params(axis="x", labelsize=8)
    axes.grid(axis="x")


def _handles(points: tuple[Point, ...], groups: list[str]) -> list[object]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[object] = [
        Line2D([], [], color=colour(index, group), marker=marker(index, group), markersize=6.5, markeredgecolor=PAPER,
               label=canvas.legend_text(group, len(groups)))
        for index, group in enumerate(groups)
        if group
    ]  # fmt: skip
    if any(point.null_low is not None and point.null_high is not None for point in points):
        handles.append(Patch(color=BAND, linewidth=0, label="chance, 95 %"))
    return handles
