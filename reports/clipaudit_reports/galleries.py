"""Worst items with their thumbnails as data URIs, within a share of the page's size."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence

from clipaudit import numbers
from clipaudit.results import CellResult, ColourScale, GalleryFigure, GalleryItem
from clipaudit_reports.view import GalleryRow, GalleryView, Picture, ScaleView

_MAGIC = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}
_HEX = re.compile(r"#[0-9a-fA-F]{6}")


class Album:
    """The thumbnails of a run. Each gallery may use an equal share of `budget` bytes."""

    def __init__(self, thumbnails: Mapping[str, bytes], galleries: int, budget: int) -> None:
        self._files = thumbnails
        self._share = budget // max(1, galleries)

    def view(self, cell: CellResult, figure: GalleryFigure, anchor: str, most: int) -> GalleryView:
        """A gallery: the pictures of its first `most` rows, or why they are missing."""
        left = self._share
        rows = []
        for entry in figure.entries[:most]:
            pictures = []
            whole = len(entry.items) == len(entry.thumbnails)  # else which of them is missing is not known
            for position, name in enumerate(entry.thumbnails):
                item = entry.items[position] if whole else entry.caption
                head = figure.columns[position] if whole and position < len(figure.columns) else ""
                shown = picture(self._files.get(f"{cell.key}/{name}"), item, left, head)
                left -= len(shown.uri)
                pictures.append(shown)
            rows.append(_row(entry, pictures))
        pictured = any(each.uri for row in rows for each in row.pictures)
        scale = _scale(figure.scale) if pictured and figure.scale is not None else None
        return GalleryView(
            anchor, figure.title, figure.caption, figure.withheld, tuple(rows), scale, len(figure.entries) - len(rows)
        )


def _scale(scale: ColourScale) -> ScaleView:
    """The colour bar; stops that are no hex colours are dropped, as they end up in a style."""
    stops = tuple(stop for stop in scale.stops if _HEX.fullmatch(stop))
    return ScaleView(scale.label, scale.low, scale.high, stops)


def _row(entry: GalleryItem, pictures: Sequence[Picture]) -> GalleryRow:
    score = "" if entry.score is None else numbers.plain(entry.score)
    if score.removeprefix(numbers.MINUS) in entry.caption:  # said there already
        score = ""
    return GalleryRow(tuple(pictures), entry.caption, score, entry.items)


def picture(data: bytes | None, item: str, left: int, head: str = "") -> Picture:
    """A thumbnail of at most `left` bytes as a data URI, or the reason why it is not shown."""
    alt = f"{head}: {item}" if head else item
    kind = None if data is None else _mime(data)
    if data is None or kind is None:
        return Picture("", alt, "no thumbnail", head)
    uri = f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"
    if len(uri) > left:
        return Picture("", alt, "left out to keep the report small", head)
    return Picture(uri, alt, "", head)


def _mime(data: bytes) -> str | None:
    """The image type by content; None for anything that is not a raster picture."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return next((mime for magic, mime in _MAGIC.items() if data.startswith(magic)), None)
