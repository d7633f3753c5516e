"""Figures as SVG. matplotlib is loaded when the first figure is drawn."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from clipaudit.results import Figure, GalleryFigure

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas


def draw(figure: Figure, prefix: str) -> str:
    """The figure as an <svg> element: the same input gives the same bytes. `prefix` makes its ids unique.

    Colours are CSS variables of the page (light and dark), text is text in the page's font.
    ValueError for a gallery, which is no plot.
    """
    from clipaudit_reports.plots import (
        bars,
        canvas,
        curve,
        forest,
        heatmap,
        panels,
        rank,
        reliability,
        scatter,
        shape_texture,
    )

    if isinstance(figure, GalleryFigure):
        raise ValueError("a gallery is not a plot")
    kinds: dict[str, Callable[[Any], Canvas]] = {
        "forest": forest.draw,
        "bars": bars.draw,
        "curve": curve.draw,
        "rank": rank.draw,
        "panels": panels.draw,
        "heatmap": heatmap.draw,
        "scatter": scatter.draw,
        "reliability": reliability.draw,
        "shape-texture": shape_texture.draw,
    }
    with canvas.style():
        return canvas.to_svg(kinds[figure.kind](figure), prefix)
