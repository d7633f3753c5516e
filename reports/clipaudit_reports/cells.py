"""Cells in words: question, data, parameters, error rows, figures and tables."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from clipaudit import anchors, numbers
from clipaudit.results import CellResult, GalleryFigure
from clipaudit_reports import blocks
from clipaudit_reports.budget import Detail
from clipaudit_reports.figures import plot_view
from clipaudit_reports.galleries import Album
from clipaudit_reports.view import CellView, GalleryView, PlotView


def cell_view(cell: CellResult, ids: blocks.Ids, album: Album, detail: Detail) -> CellView:
    """One cell, ready to print."""
    plots: list[PlotView] = []
    galleries: list[GalleryView] = []
    for figure in cell.figures:
        anchor = ids.unique(f"figure--{anchors.slug(ids.names[cell.key])}--{anchors.slug(figure.id)}")
        if isinstance(figure, GalleryFigure):
            galleries.append(album.view(cell, figure, anchor, detail.gallery))
        else:
            plots.append(plot_view(figure, anchor, detail, drawn=len(plots) < detail.plots))
    plots, left_out = plots[: detail.tables], plots[detail.tables :]
    primary = blocks.primary_blocks(cell, ids, detail.findings)
    details = blocks.detail_blocks(cell, ids, detail.details)
    return CellView(
        anchor=ids.cell[cell.key],
        slug=cell.slug,
        title=blocks.title_of(cell),
        family=cell.audit.family,
        question=cell.audit.question,
        harm=cell.audit.harm,
        limits=cell.audit.limits,
        audit_anchor=method_anchor(cell),
        data_anchor="" if cell.data is None else data_anchor(cell.data.id),
        data_title="" if cell.data is None else cell.data.title,
        state=cell.status.value,
        reason=cell.reason,
        rows=numbers.counted(cell.rows, "row"),
        error_rows=cell.error_rows,
        error_share=numbers.value_text(cell.error_rows / cell.rows, "proportion") if cell.rows else "",
        errors=cell.errors,
        params=parameters(cell.params),
        notes=cell.notes,
        tally=blocks.tally(cell),
        primary=primary,
        details=details,
        details_left_out=0 if detail.details else sum(e.role != "primary" for e in cell.estimates),
        shared=blocks.shared_methods([*primary, *(block for _, group in details for block in group)]),
        plots=tuple(plots),
        plots_left_out=len(left_out),
        galleries=tuple(galleries),
    )


def method_anchor(cell: CellResult) -> str:
    """Where the methods of a cell's audit stand."""
    return f"method--{anchors.slug(cell.audit.id)}--{anchors.slug(cell.audit.version)}"


def data_anchor(data_id: str) -> str:
    """Where a data card stands."""
    return f"data--{anchors.slug(data_id)}"


def parameters(params: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Names and values as text, sorted; anything but plain text as JSON."""
    return tuple(
        (name, value if isinstance(value, str) else json.dumps(value)) for name, value in sorted(params.items())
    )
