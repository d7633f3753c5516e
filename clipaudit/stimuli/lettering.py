"""Text that fills a box, drawn with Pillow."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from itertools import combinations
from typing import TYPE_CHECKING

from clipaudit.stimuli.fonts import font_path, needs_shaping

if TYPE_CHECKING:
    from PIL import Image
    from PIL.ImageFont import FreeTypeFont

_MEASURE = 200  # font size at which text is measured, px
_PADDING = 0.32  # margin around the text, in font sizes
_LEADING = 0.22  # space between lines, in font sizes
_PLEASANT = 2.2  # width / height that a label of several words is broken towards
_WIDEST, _NARROWEST = 6.0, 0.9  # width / height of the box


def tidy(text: str) -> str:
    """Composed form, single spaces, no control characters: what is drawn, and what `written` says."""
    visible = "".join(c if unicodedata.category(c)[0] != "C" else " " for c in unicodedata.normalize("NFC", text))
    return " ".join(visible.split())


@lru_cache(maxsize=256)
def _font(font: str, size: float, shaped: bool) -> FreeTypeFont:
    from PIL import ImageFont

    # the basic engine gives the same pixels with and without raqm installed: used wherever it is right
    engine = ImageFont.Layout.RAQM if shaped else ImageFont.Layout.BASIC
    return ImageFont.truetype(str(font_path(font)), size, layout_engine=engine)


def bounds(lines: str, font: str, size: float) -> tuple[float, float, float, float]:
    """(left, top, right, bottom) of the text as `draw` sets it, from the corner that it is given, px."""
    from PIL import Image, ImageDraw

    draw = ImageDraw.Draw(Image.new("L", (1, 1)))
    face = _font(font, size, needs_shaping(lines))
    return draw.multiline_textbbox((0, 0), lines, font=face, spacing=size * _LEADING, align="center")


def layouts(text: str) -> list[str]:
    """`text` on one, two or three lines, broken between words in every way."""
    words = text.split()
    breaks = [cut for k in range(min(3, len(words))) for cut in combinations(range(1, len(words)), k)]
    return [
        "\n".join(" ".join(words[a:b]) for a, b in zip((0, *cut), (*cut, len(words)), strict=True)) for cut in breaks
    ]


def _natural(lines: str, font: str) -> float:
    """Width / height of the text with its margin."""
    left, top, right, bottom = bounds(lines, font, _MEASURE)
    margin = 2 * _PADDING * _MEASURE
    return (right - left + margin) / (bottom - top + margin)


@lru_cache(maxsize=4096)
def arrange(text: str, font: str, repetitions: int = 1) -> tuple[str, float]:
    """(lines, aspect): the text as it is best written and the width / height of the box that suits it."""
    if repetitions > 1:
        lines = "\n".join([text] * repetitions)
    else:
        lines = min(layouts(text), key=lambda lines: max(_natural(lines, font), _PLEASANT))
    return lines, min(max(_natural(lines, font), _NARROWEST), _WIDEST)


def text_mask(lines: str, font: str, width: int, height: int, outline: float = 0.0) -> Image.Image:
    """The text as large as the box allows, centred: coverage 0..255, mode L, (width, height).

    `outline` thickens every stroke by that many font sizes.
    """
    from PIL import Image

    left, top, right, bottom = bounds(lines, font, _MEASURE)
    margin = 2 * _PADDING * _MEASURE
    scale = min(width / (right - left + margin), height / (bottom - top + margin))
    size = max(1.0, round(_MEASURE * scale, 2))
    left, top, _, _ = bounds(lines, font, size)
    corner = (round(_PADDING * size - left), round(_PADDING * size - top))
    mask = Image.new("L", (width, height), 0)
    draw(mask, corner, lines, font, size, 255, stroke=round(outline * size))
    return _centred(mask)


def draw(
    image: Image.Image,
    corner: tuple[float, float],
    lines: str,
    font: str,
    size: float,
    colour: str | int,
    stroke: int = 0,
) -> None:
    """Draw the text with its lines centred, its upper left corner at `corner`, into `image`."""
    from PIL import ImageDraw

    face = _font(font, size, needs_shaping(lines))
    ImageDraw.Draw(image).multiline_text(
        corner, lines, colour, face, spacing=size * _LEADING, align="center", stroke_width=stroke
    )


def _centred(mask: Image.Image) -> Image.Image:
    """The ink moved to the middle: bounds given by fonts are off by some pixels."""
    from PIL import Image

    ink = mask.getbbox()
    centred = Image.new("L", mask.size, 0)
    if ink is not None:
        left, top, right, bottom = ink
        centred.paste(mask.crop(ink), ((mask.width - right + left) // 2, (mask.height - bottom + top) // 2))
    return centred
