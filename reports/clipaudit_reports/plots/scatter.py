"""Clouds of points in a plane, one scale for both axes, with the gap between two centres marked and named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from clipaudit.results import Cloud, ScatterFigure
from clipaudit_reports.plots import canvas
from clipaudit_reports.plots.limits import span
from clipaudit_reports.plots.palette import INK, PAPER, colour, marker

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

_HEIGHT, _LEFT, _RIGHT, _LETTER = 3.4, 0.75, 0.3, 0.075  # inches; the last: of a letter of the gap's words

Limits = tuple[float, float]


def draw(figure: ScatterFigure) -> Canvas:
    """The plot, of one height. Centres are large, outlined marks; the gap joins the first two."""
    keyed = len(figure.clouds) > 1
    top = canvas.legend_height(len(figure.clouds)) if keyed else 0.15
    sheet, axes = canvas.panel(top + 0.5 + _HEIGHT, left=_LEFT, right=_RIGHT, top=top, bottom=0.5)
    x_limits, y_limits = equal_limits(figure.clouds, canvas.width(axes) / canvas.height(axes))
    axes.set_xlim(*x_limits)
    axes.set_ylim(*y_limits)
    for index, cloud in enumerate(figure.clouds):
        axes.plot(cloud.x, cloud.y, marker(index), color=colour(index), markersize=3.2, markeredgewidth=0, alpha=0.6)
    _gap(axes, figure, x_limits)
    for index, cloud in enumerate(figure.clouds):
        if cloud.centre is not None:
            axes.plot(*cloud.centre, marker(index), color=colour(index), markersize=10, markeredgecolor=INK, zorder=4)
    axes.set_xlabel(canvas.short(figure.x_label, 70))
    axes.set_ylabel(canvas.short(figure.y_label, 40))
    axes.grid(axis="both")
    if keyed:
        canvas.legend(axes, _handles(figure.clouds))
    return sheet


def equal_limits(clouds: tuple[Cloud, ...], shape: float) -> tuple[Limits, Limits]:
    """Limits of both axes that hold all points and give both one scale; `shape` is the plot's width over its height.

    >>> equal_limits((Cloud(name="a", x=(0.0, 1.0), y=(0.0, 1.0)),), shape=2.0)
    ((-0.6, 1.6), (-0.05, 1.05))
    """
    centres = [cloud.centre for cloud in clouds if cloud.centre is not None]
    x_low, x_high = span([*(x for cloud in clouds for x in cloud.x), *(x for x, _ in centres)])
    y_low, y_high = span([*(y for cloud in clouds for y in cloud.y), *(y for _, y in centres)])
    height = max(y_high - y_low, (x_high - x_low) / shape)
    return _around(x_low, x_high, height * shape), _around(y_low, y_high, height)


def _around(low: float, high: float, length: float) -> Limits:
    pad = (length - (high - low)) / 2
    return round(low - pad, 12), round(high + pad, 12)


def _gap(axes: Axes, figure: ScatterFigure, limits: Limits) -> None:
    """The line between the first two centres; its words stand on its middle, moved only to stay inside the plot."""
    centres = [cloud.centre for cloud in figure.clouds[:2] if cloud.centre is not None]
    if not figure.gap or len(centres) < 2:
        return
    (x0, y0), (x1, y1) = centres
    axes.plot([x0, x1], [y0, y1], color=INK, linewidth=1.4, zorder=3)
    words = canvas.short(figure.gap, 60)
    half = len(words) * _LETTER / 2 * (limits[1] - limits[0]) / canvas.width(axes)
    x = min(max((x0 + x1) / 2, limits[0] + half), limits[1] - half)
    box: dict[str, Any] = {"facecolor": PAPER, "edgecolor": "none", "boxstyle": "square,pad=0.25"}
    axes.text(x, (y0 + y1) / 2, words, ha="center", va="center", color=INK, bbox=box, zorder=5)


def _handles(clouds: tuple[Cloud, ...]) -> list[Any]:
    from matplotlib.lines import Line2D

    return [
        Line2D([], [], linestyle="none", color=colour(index), marker=marker(index), markersize=6,
               label=canvas.legend_text(cloud.name, len(clouds)))
        for index, cloud in enumerate(clouds)
    ]  # fmt: skip
