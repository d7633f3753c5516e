"""Heatmap: the strength of a colour is the value, its hue the sign; every cell says its number, a frame marks tests."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from clipaudit import numbers
from clipaudit.results import HeatmapFigure
from clipaudit_reports.plots import canvas
from clipaudit_reports.plots.palette import HAIR, HEAT_HIGH, HEAT_LOW, INK, MUTED

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

_ROW, _RIGHT, _LETTER, _EDGE = 0.24, 0.45, 0.08, 0.018  # inches; the last: between a cell and its frame
_BREAKABLE = 9  # letters: narrower columns have slanted names
_STRONGEST = 0.75  # opacity of the largest value: the numbers stay readable on it
_NUMBERED = 12  # more columns than this leave no room for numbers in the cells


def draw(figure: HeatmapFigure) -> Canvas:
    """The plot; its height grows with the number of rows."""
    rows = [canvas.short(name, 28) for name in figure.rows]
    left = canvas.label_margin(rows)
    columns = _columns(figure.columns, left)
    longest = max((len(name) for name in columns.names), default=0)
    top = 0.05 + 0.15 * columns.lines if columns.lines else 0.2 + 0.05 * longest
    right = _RIGHT if columns.lines else max(_RIGHT, 0.065 * len(columns.names[-1]))
    sheet, axes = canvas.panel(top + 0.5 + _ROW * max(1, len(rows)), left=left, right=right, top=top, bottom=0.5)
    _cells(axes, figure, numbered=len(columns.names) <= _NUMBERED)
    _finish(axes, figure, rows, columns)
    return sheet


@dataclass(frozen=True)
class _Columns:
    """Column names as drawn: broken into lines where they fit so, else (`lines` is 0) slanted."""

    names: list[str]
    lines: int


def _columns(names: Sequence[str], left: float) -> _Columns:
    """Names laid out for columns right of `left` inches."""
    room = int((canvas.WIDTH - left - _RIGHT) / max(1, len(names)) / _LETTER)
    if room < _BREAKABLE and any(len(name) > room for name in names):
        return _Columns([canvas.short(name, 24) for name in names], 0)
    broken = [textwrap.wrap(name, room, max_lines=3, placeholder="…") for name in names]
    return _Columns(["\n".join(lines) for lines in broken], max((len(lines) for lines in broken), default=1))


def _cells(axes: Axes, figure: HeatmapFigure, numbered: bool) -> None:
    """Coloured cells with their numbers; hatched where nothing is known, framed where marked."""
    import numpy as np
    import seaborn as sns
    from matplotlib.patches import Rectangle

    if not figure.rows or not figure.columns:
        return
    low, high = _range(figure)
    spread = numbers.half_width(low, high)
    values = np.array([[np.nan if value is None else value for value in row] for row in figure.values], dtype=float)
    words = np.array([[numbers.plain(value, spread) for value in row] for row in figure.values], dtype=object)
    reach = max(abs(low), abs(high)) or 1.0
    sns.heatmap(
        values, ax=axes, cmap=_colours(figure.diverging), cbar=False, linewidths=1.5, linecolor="none", fmt="",
        vmin=-reach if figure.diverging else low, vmax=reach if figure.diverging else max(high, low + 1e-12),
        annot=words if numbered else None, annot_kws={"fontsize": 7.5, "color": INK},
    )  # fmt: skip
    across, down = _EDGE * len(figure.columns) / canvas.width(axes), _EDGE * len(figure.rows) / canvas.height(axes)
    for row, column in np.argwhere(np.isnan(values)).tolist():
        axes.add_artist(Rectangle((column + across, row + down), 1 - 2 * across, 1 - 2 * down, facecolor="none",
                                  edgecolor=HAIR, linewidth=0.6, hatch="///"))  # fmt: skip
        if numbered:
            axes.text(column + 0.5, row + 0.5, words[row, column], ha="center", va="center", fontsize=7.5, color=MUTED)
    for row, column in np.argwhere(np.array(figure.marked or [])).tolist():
        axes.add_artist(Rectangle((column + across, row + down), 1 - 2 * across, 1 - 2 * down, fill=False,
                                  edgecolor=INK, linewidth=1.1))  # fmt: skip


def _colours(diverging: bool) -> Any:
    """One hue per sign, its opacity the size: so that it stands on light and on dark paper."""
    from matplotlib.colors import LinearSegmentedColormap, to_rgba

    ends = [(HEAT_LOW, _STRONGEST), (HEAT_LOW, 0.0), (HEAT_HIGH, 0.0), (HEAT_HIGH, _STRONGEST)]
    if not diverging:
        ends = [(HEAT_HIGH, 0.06 * _STRONGEST), (HEAT_HIGH, _STRONGEST)]
    stops = [0.0, 0.5, 0.5, 1.0] if diverging else [0.0, 1.0]
    return LinearSegmentedColormap.from_list(
        "heat", [(stop, to_rgba(hue, alpha)) for stop, (hue, alpha) in zip(stops, ends, strict=True)], N=65
    )


def _finish(axes: Axes, figure: HeatmapFigure, rows: list[str], columns: _Columns) -> None:
    axes.set_yticks([row + 0.5 for row in range(len(rows))], rows, rotation=0)
    slant: dict[str, Any] = {} if columns.lines else {"rotation": 35, "ha": "left", "rotation_mode": "anchor"}
    axes.set_xticks([column + 0.5 for column in range(len(columns.names))], columns.names, **slant)
    axes.tick_params(axis="x", length=0, top=False, labeltop=True, bottom=False, labelbottom=False, labelcolor=INK)
    axes.spines["bottom"].set_visible(False)
    axes.set_xlabel(_legend(figure))


def _legend(figure: HeatmapFigure) -> str:
    low, high = _range(figure)
    hues = "orange above zero, blue below" if figure.diverging else "darker is higher"
    frames = "" if figure.marked is None else "; framed: significant after correction"
    spread = numbers.half_width(low, high)
    ends = f"{numbers.plain(low, spread)} to {numbers.plain(high, spread)}"
    return f"{canvas.short(figure.value_label, 50)}, {ends}\n{hues}{frames}"


def _range(figure: HeatmapFigure) -> tuple[float, float]:
    known = [value for values in figure.values for value in values if value is not None]
    return (min(known), max(known)) if known else (0.0, 0.0)
