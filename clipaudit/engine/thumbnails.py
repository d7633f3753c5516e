"""Small pictures of the worst items, made while the data is at hand and only where its card allows it."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping

from clipaudit.errors import ImageError
from clipaudit.images import ImageRef, to_rgb
from clipaudit.results import CellResult, DataInfo, Figure, GalleryFigure

SIDE = 160  # pixels of the longer side: recognisable, and some hundred of them stay below a megabyte


def file_name(item: str) -> str:
    """The thumbnail's file name, from the item's id alone: re-scoring finds it again.

    >>> file_name("a/b.png")
    '88f7ec7982e1b5db.webp'
    """
    return hashlib.sha256(item.encode()).hexdigest()[:16] + ".webp"


def illustrate(result: CellResult, images: Mapping[str, ImageRef]) -> tuple[CellResult, dict[str, bytes]]:
    """Draw the gallery items' thumbnails; returns the result that names them and the files' bytes."""
    files: dict[str, bytes] = {}
    for item in _gallery_items(result):
        if item in images and _allowed(result.data):
            try:
                files[file_name(item)] = small(images[item])
            except ImageError:  # ids without image files: the gallery shows captions alone
                continue
    return attach(result, files), files


def attach(result: CellResult, available: Mapping[str, bytes] | set[str]) -> CellResult:
    """The result with each gallery entry naming those of its thumbnails that are available."""
    figures = tuple(_attached(figure, available, result.data) for figure in result.figures)
    return result.model_copy(update={"figures": figures})


def _attached(figure: Figure, available: Mapping[str, bytes] | set[str], data: DataInfo | None) -> Figure:
    if not isinstance(figure, GalleryFigure):
        return figure
    entries = tuple(
        entry.model_copy(
            update={"thumbnails": tuple(name for item in entry.items if (name := file_name(item)) in available)}
        )
        for entry in figure.entries
    )
    withheld = ""
    if entries and not any(entry.thumbnails for entry in entries):
        withheld = (
            "No image files were in reach, so ids stand for them."
            if _allowed(data)
            else "The data card does not allow thumbnails in a report."
        )
    return figure.model_copy(update={"entries": entries, "withheld": withheld})


def _allowed(data: DataInfo | None) -> bool:
    return data is not None and data.thumbnails


def _gallery_items(result: CellResult) -> dict[str, None]:
    return {
        item: None
        for figure in result.figures
        if isinstance(figure, GalleryFigure)
        for entry in figure.entries
        for item in entry.items
    }


def small(ref: ImageRef) -> bytes:
    """The image as a WebP file of at most SIDE pixels. ImageError where it cannot be read."""
    image = to_rgb(ref.load())
    image.thumbnail((SIDE, SIDE))
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=70, method=4)
    return buffer.getvalue()
