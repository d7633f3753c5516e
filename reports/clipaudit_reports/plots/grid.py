"""Small multiples: several plots of one size on one scale, their names above them, rows named at the left only."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from clipaudit_reports.plots import canvas
from clipaudit_reports.plots.palette import INK, MUTED

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

MOST = 4  # plots side by side
_GAP, _RIGHT = 0.22, 0.2  # inches: between plots, right of them
_NAME, _LINE, _LETTER = 0.24, 0.15, 0.072  # inches: a name, its second line, a letter of it
_AXIS, _BOTTOM = 0.27, 0.24  # inches: the numbers under each row of plots, the name of the axis under all


@dataclass(frozen=True)
class Grid:
    """The plots in reading order; `above` is the height of their names in inches."""

    sheet: Canvas
    plots: list[Axes]
    above: float

    def leftmost(self, index: int) -> bool:
        """Whether the plot at a position is the first of its row."""
        return index % MOST == 0

    def finish(self, x_label: str, handles: Sequence[Any]) -> None:
        """The axis that all share, named once, and the legend above all."""
        if not self.plots:
            return
        boxes = [axes.get_position() for axes in self.plots]
        middle = (min(box.x0 for box in boxes) + max(box.x1 for box in boxes)) / 2
        self.sheet.text(middle, 0.06 / self.sheet.get_figheight(), canvas.short(x_label, 90), ha="center", color=MUTED)
        if handles:
            canvas.legend(self.plots[0], handles, lift=self.above)


def grid(names: Sequence[str], height: float, left: float, entries: int, across: int = 1) -> Grid:
    """One plot of some height per name, row by row, right of a margin; inches. entries: of the legend.

    `across` is how many plots a row has room for at least: fewer then leave the rest of the row empty.
    """
    from matplotlib.figure import Figure as Sheet

    across = min(MOST, max(across, len(names)))
    down = -(-max(1, len(names)) // across)
    width = (canvas.WIDTH - left - _RIGHT - (across - 1) * _GAP) / across
    titles = [textwrap.wrap(name, int(width / _LETTER), max_lines=2, placeholder="…") for name in names]
    above = _NAME + _LINE * (max((len(lines) for lines in titles), default=1) - 1)
    top = canvas.legend_height(entries) if entries else 0.05
    total = top + down * (above + height + _AXIS) + _BOTTOM
    sheet = Sheet(figsize=(canvas.WIDTH, total))
    plots = []
    for index, lines in enumerate(titles):
        row, column = divmod(index, across)
        x = left + column * (width + _GAP)
        y = total - top - row * (above + height + _AXIS) - above - height
        axes = sheet.add_axes((x / canvas.WIDTH, y / total, width / canvas.WIDTH, height / total))
        axes.set_title("\n".join(lines), loc="left", fontsize=canvas.FONT, color=INK, pad=3)
        plots.append(axes)
    return Grid(sheet, plots, above)
