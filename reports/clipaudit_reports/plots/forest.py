"""Forest plot: one row per label with its intervals, the chance band behind them, numbers, n and p beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clipaudit import numbers
from clipaudit.results import ForestFigure, Point
from clipaudit_reports.plots import canvas, references
from clipaudit_reports.plots.limits import span
from clipaudit_reports.plots.palette import BAND, INK, MUTED, PAPER, colour, marker
from clipaudit_reports.plots.rows import Rows, place
from clipaudit_reports.plots.rows import groups as group_names

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

_ROW, _DIGIT, _GAP = 0.24, 0.066, 0.12  # inches: a line, a digit of the numbers at the right, their margins


def draw(figure: ForestFigure) -> Canvas:
    """The plot; its height grows with the number of rows."""
    rows = place(figure.points)
    groups = group_names(figure.points)
    entries = (len(groups) if len(groups) > 1 else 0) + _has_band(figure.points)
    top = canvas.legend_height(entries) if entries else 0.12
    bottom = 0.5 + references.below(figure.references)
    written = _texts(figure.points)
    beside = _DIGIT * max(map(len, written), default=0), _DIGIT * max(map(len, map(_n, figure.points)), default=0)
    sheet, axes = canvas.panel(
        top + bottom + _ROW * max(1, rows.count),
        left=canvas.label_margin([canvas.short(label) for _, label in rows.labels]),
        right=sum(beside) + 3 * _GAP, top=top, bottom=bottom,
    )  # fmt: skip
    taken: set[float] = set()
    edge = 1 + (sum(beside) + 2 * _GAP) / canvas.width(axes)
    for line, point, text in sorted(zip(rows.lines, figure.points, written, strict=True), key=_ranged_first):
        mark(axes, line, point, groups.index(point.group))
        if line not in taken:
            _write(axes, line, point, text, edge)
            taken.add(line)
    _finish(axes, figure, rows, groups)
    return sheet


def _ranged_first(placed: tuple[float, Point, str]) -> bool:
    return placed[1].low is None and placed[1].high is None


def mark(axes: Axes, line: float, point: Point, series: int) -> None:
    """One point with its interval, before its band of chance; `series` gives colour and shape."""
    if point.null_low is not None and point.null_high is not None:
        axes.barh(line, point.null_high - point.null_low, left=point.null_low, height=0.62, color=BAND, linewidth=0)
    if point.value is None:
        return
    low = point.value if point.low is None else point.low
    high = point.value if point.high is None else point.high
    hue = colour(series, point.group)
    axes.plot([low, high], [line, line], color=hue, linewidth=1.6, solid_capstyle="butt")
    axes.plot([point.value], [line], marker(series, point.group), color=hue, markersize=6.5, markeredgecolor=PAPER,
              markeredgewidth=0.8)  # fmt: skip


def _write(axes: Axes, line: float, point: Point, text: str, edge: float) -> None:
    """Value and interval right of the plot, and n and p up to `edge`, in widths of the plot."""
    from matplotlib.transforms import blended_transform_factory

    beside = blended_transform_factory(axes.transAxes, axes.transData)
    axes.text(1 + _GAP / canvas.width(axes), line, text, transform=beside, va="center", color=INK, fontsize=8)
    if _n(point):
        axes.text(edge, line, _n(point), transform=beside, va="center", ha="right",
                  color=MUTED, fontsize=8)  # fmt: skip


def _finish(axes: Axes, figure: ForestFigure, rows: Rows, groups: list[str]) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    if figure.null_value is not None:
        axes.axvline(figure.null_value, color=MUTED, linewidth=0.9, zorder=0.5)
    references.vertical(axes, figure.references)
    axes.set_ylim(max(0, rows.count - 1) + 0.6, -0.6)
    axes.set_yticks([line for line, _ in rows.labels], [canvas.short(label) for _, label in rows.labels])
    axes.set_xlim(*_limits(figure))
    axes.set_xlabel(canvas.short(figure.x_label, 70))
    axes.locator_params(axis="x", nbins=5)
    axes.grid(axis="x")
    handles = [
        Line2D([], [], color=colour(index, group), marker=marker(index, group), markersize=6.5,
               markeredgecolor=PAPER, label=canvas.legend_text(group, len(groups)))
        for index, group in enumerate(groups)
        if len(groups) > 1
    ]  # fmt: skip
    if _has_band(figure.points):
        handles.append(Patch(color=BAND, linewidth=0, label="chance, 95 %"))  # type: ignore[arg-type]
    if handles:
        canvas.legend(axes, handles)
    references.key(axes, figure.references)


def _limits(figure: ForestFigure) -> tuple[float, float]:
    values = [figure.null_value, *(reference.value for reference in figure.references)]
    for point in figure.points:
        values += [point.value, point.low, point.high, point.null_low, point.null_high]
    return span(values)


def _n(point: Point) -> str:
    parts = ["" if point.n is None else f"n {numbers.count_text(point.n)}"]
    parts += [] if point.p is None else [numbers.p_text(point.p)]
    return "  ".join(part for part in parts if part)


def _texts(points: tuple[Point, ...]) -> list[str]:
    """Value and interval of each point, all with the digits of the middle interval: columns can be compared."""
    widths = sorted(w for w in (numbers.half_width(p.low, p.high) for p in points) if w)
    spread = widths[len(widths) // 2] if widths else None
    texts = []
    for point in points:
        ends = f" [{numbers.plain(point.low, spread)}, {numbers.plain(point.high, spread)}]"
        texts.append(numbers.plain(point.value, spread) + ("" if point.low is point.high is None else ends))
    return texts


def _has_band(points: tuple[Point, ...]) -> bool:
    return any(point.null_low is not None and point.null_high is not None for point in points)
