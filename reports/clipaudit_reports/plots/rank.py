"""Rank plots: a measure along the ranking, one small plot per group, each before the band that chance alone gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from clipaudit import numbers
from clipaudit.results import RankFigure, Series
from clipaudit_reports.plots import canvas
from clipaudit_reports.plots.grid import grid
from clipaudit_reports.plots.limits import span
from clipaudit_reports.plots.palette import BAND, MUTED, PAPER, colour

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

_HEIGHT, _LEFT, _TICKS = 1.15, 0.75, 4  # inches of one plot and of the margin; labels of an axis


def draw(figure: RankFigure) -> Canvas:
    """The plots, of one height. A point outside its band is filled, one inside is hollow."""
    handles = _handles()
    made = grid([series.name for series in figure.series], _HEIGHT, _LEFT, len(handles))
    limits = _limits(figure)
    for index, (axes, series) in enumerate(zip(made.plots, figure.series, strict=True)):
        _line(axes, series)
        _finish(axes, figure, limits)
        if not made.leftmost(index):
            axes.tick_params(axis="y", labelleft=False)
    made.sheet.text(0.012, 0.5, canvas.short(figure.y_label, 40), va="center", rotation=90, color=MUTED)
    made.finish(figure.x_label, handles)
    return made.sheet


def outside(series: Series) -> list[bool]:
    """Which values lie outside the band of chance; none where there is no band."""
    if series.low is None or series.high is None:
        return [False] * len(series.y)
    ends = zip(series.y, series.low, series.high, strict=True)
    return [
        y is not None and ((low is not None and y < low) or (high is not None and y > high)) for y, low, high in ends
    ]


def _line(axes: Axes, series: Series) -> None:
    nan = float("nan")
    y = [nan if value is None else value for value in series.y]
    if series.low is not None and series.high is not None:
        low, high = ([nan if end is None else end for end in ends] for ends in (series.low, series.high))
        axes.fill_between(series.x, low, high, color=BAND, linewidth=0)
    axes.plot(series.x, y, color=colour(0), linewidth=1.2)
    for filled in (False, True):
        shown = [(x, v) for x, v, out in zip(series.x, y, outside(series), strict=True) if out is filled]
        if shown:
            axes.plot(*zip(*shown, strict=True), "o", color=colour(0) if filled else PAPER, markersize=3.4,
                      markeredgecolor=colour(0), markeredgewidth=0.8)  # fmt: skip


def _finish(axes: Axes, figure: RankFigure, limits: tuple[float, float]) -> None:
    if figure.null_value is not None:
        axes.axhline(figure.null_value, color=MUTED, linewidth=0.9, zorder=0.5)
    axes.set_ylim(*limits)
    axes.locator_params(axis="y", nbins=4)
    places = sorted({x for series in figure.series for x in series.x})
    if places and places[0] > 0:
        axes.set_xscale("log")
        axes.minorticks_off()
        chosen = [places[round(step * (len(places) - 1) / (_TICKS - 1))] for step in range(_TICKS)]
        axes.set_xticks(chosen, [numbers.plain(x) for x in chosen])
    axes.tick_params(labelsize=8)
    axes.grid(axis="y")


def _limits(figure: RankFigure) -> tuple[float, float]:
    values = [figure.null_value]
    for series in figure.series:
        values += [*series.y, *(series.low or ()), *(series.high or ())]
    return span(values)


def _handles() -> list[Any]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    look: dict[str, Any] = {
        "color": colour(0),
        "marker": "o",
        "markersize": 4.5,
        "markeredgecolor": colour(0),
        "linewidth": 1.2,
    }
    return [
        Line2D([], [], **look, markerfacecolor=colour(0), label="outside the band"),
        Line2D([], [], **look, markerfacecolor=PAPER, label="inside"),
        Patch(color=BAND, linewidth=0, label="chance, 95 %"),
    ]
