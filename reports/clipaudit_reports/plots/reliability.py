"""Reliability diagrams: accuracy against mean confidence, one plot per curve, and how many items each bin holds.

After DeGroot & Fienberg (1983) and Niculescu-Mizil & Caruana (2005); the counts below as in Guo et al. (2017), Fig. 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from clipaudit import numbers
from clipaudit.results import ReliabilityBin, ReliabilityCurve, ReliabilityFigure
from clipaudit_reports.plots.grid import grid
from clipaudit_reports.plots.palette import HAIR, MUTED, PAPER, colour

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

_DIAGRAM, _COUNTS, _GAP, _LEFT = 1.65, 0.42, 0.1, 0.75  # inches: heights of the two plots, between them, the margin
_ACROSS = 3  # plots that a row has room for at least: one alone stays near a square
_BAR = 0.045  # of the axis of confidence


def draw(figure: ReliabilityFigure) -> Canvas:
    """The plots, of one height. A bin whose interval misses the diagonal is filled, one that meets it is hollow."""
    handles = _handles()
    names = [curve.name for curve in figure.curves]
    made = grid(names, _DIAGRAM + _GAP + _COUNTS, _LEFT, len(handles), across=_ACROSS)
    most = max((entry.n for curve in figure.curves for entry in curve.bins), default=1)
    for index, (axes, curve) in enumerate(zip(made.plots, figure.curves, strict=True)):
        counts = _below(axes)
        _diagram(axes, curve)
        _histogram(counts, curve, most)
        for part in (axes, counts):
            part.tick_params(labelsize=8)
            if not made.leftmost(index):
                part.tick_params(axis="y", labelleft=False)
        if made.leftmost(index):
            axes.set_ylabel("accuracy")
            counts.set_ylabel("items")
            made.sheet.align_ylabels([axes, counts])
    made.finish("mean confidence of the bin", handles)
    return made.sheet


def missed(entry: ReliabilityBin) -> bool:
    """Whether the interval of a bin's accuracy leaves its mean confidence out."""
    return not entry.low <= entry.confidence <= entry.high


def _below(axes: Axes) -> Axes:
    """A low plot under the diagram, in the room that both have been given."""
    box, inch = axes.get_position(), axes.get_position().height / (_DIAGRAM + _GAP + _COUNTS)
    sheet = axes.get_figure(root=True)
    assert sheet is not None
    counts = sheet.add_axes((box.x0, box.y0, box.width, _COUNTS * inch))
    axes.set_position((box.x0, box.y0 + (_COUNTS + _GAP) * inch, box.width, _DIAGRAM * inch))
    return counts


def _diagram(axes: Axes, curve: ReliabilityCurve) -> None:
    axes.plot([0, 1], [0, 1], color=MUTED, linewidth=0.9, linestyle=(0, (4, 2)), zorder=0.5)
    axes.plot([entry.confidence for entry in curve.bins], [entry.accuracy for entry in curve.bins],
              color=colour(0), linewidth=1.0)  # fmt: skip
    for entry in curve.bins:
        axes.plot([entry.confidence] * 2, [entry.low, entry.high], color=colour(0), linewidth=1.4,
                  solid_capstyle="butt")  # fmt: skip
        axes.plot([entry.confidence], [entry.accuracy], "o", color=colour(0) if missed(entry) else PAPER,
                  markersize=4.5, markeredgecolor=colour(0), markeredgewidth=0.9, zorder=3)  # fmt: skip
    axes.set_xlim(0, 1)
    axes.set_ylim(-0.02, 1.02)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1], [""] * 5)
    axes.set_yticks([0, 0.5, 1], ["0", "0.5", "1"])
    axes.grid(axis="both")


def _histogram(axes: Axes, curve: ReliabilityCurve, most: int) -> None:
    axes.bar([entry.confidence for entry in curve.bins], [entry.n for entry in curve.bins], width=_BAR,
             color=HAIR, edgecolor=MUTED, linewidth=0.6)  # fmt: skip
    axes.set_xlim(0, 1)
    axes.set_ylim(0, most * 1.05)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "", "0.5", "", "1"])
    axes.set_yticks([0, most], ["0", numbers.count_text(most)])


def _handles() -> list[Any]:
    from matplotlib.lines import Line2D

    look: dict[str, Any] = {"color": colour(0), "marker": "o", "markersize": 4.5, "markeredgecolor": colour(0)}
    return [
        Line2D([], [], **look, linewidth=1.0, markerfacecolor=colour(0), label="accuracy, off its confidence"),
        Line2D([], [], **look, linewidth=1.0, markerfacecolor=PAPER, label="accuracy that fits it"),
        Line2D([], [], color=MUTED, linewidth=0.9, linestyle=(0, (4, 2)), label="perfect calibration"),
    ]
