"""A word alone on a page: what a model that reads should know by its text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from clipaudit.errors import DataError
from clipaudit.stimuli.fonts import check_glyphs, font_identity, font_with
from clipaudit.stimuli.lettering import bounds, draw, layouts, tidy
from clipaudit.stimuli.recipe import recipe_digest

if TYPE_CHECKING:
    from PIL import Image

FONT = "DejaVuSans"
SIZE = 32.0  # px
SIDE = 224  # of the page, px
ROOM = 0.94  # of the page's width


@dataclass(frozen=True)
class WrittenWord:
    """A word alone, in black on white, as a model that reads should know it. An `ImageRef`.

    224 px wide and high, 32 pt (at 72 dpi: 32 px), broken between words where it is too wide and set smaller where a
    single word is, after Lin et al. 2024 (Parrot Captions Teach CLIP to Spot Text).

    Raises DataError if the font lacks a character of it.
    """

    text: str
    font: str = FONT

    def __post_init__(self) -> None:
        if not tidy(self.text):
            raise DataError("there is no text to write")
        check_glyphs(tidy(self.text), self.font)

    @property
    def id(self) -> str:
        return f"word={tidy(self.text)}"

    @property
    def attributes(self) -> Mapping[str, str]:
        """`written`, and no label: no thing is to be seen."""
        return {"label": "", "written": tidy(self.text)}

    @property
    def digest(self) -> str:
        return recipe_digest("word", 1, [], {"text": tidy(self.text), "font": font_identity(self.font)})

    def load(self) -> Image.Image:
        """RGB, `SIDE` px wide and high."""
        from PIL import Image

        lines, size = _fitting(tidy(self.text), self.font)
        left, top, right, bottom = bounds(lines, self.font, size)
        page = Image.new("RGB", (SIDE, SIDE), "white")
        draw(page, ((SIDE - right - left) / 2, (SIDE - bottom - top) / 2), lines, self.font, size, "black")
        return page


def written_word(text: str) -> WrittenWord | None:
    """`text` in the usual font, or in another that has its characters; None where no installed font has them."""
    font = font_with(frozenset(tidy(text)), first=FONT)
    return None if font is None or not tidy(text) else WrittenWord(text, font)


def _fitting(text: str, font: str) -> tuple[str, float]:
    """The fewest lines on which `text` fits the page, or the widest size at which any does."""
    spans = {lines: bounds(lines, font, SIZE) for lines in layouts(text)}
    width = {lines: right - left for lines, (left, _, right, _) in spans.items()}
    fitting = [lines for lines in width if width[lines] <= ROOM * SIDE]
    if fitting:
        return min(fitting, key=lambda lines: (lines.count("\n"), width[lines])), SIZE
    lines = min(width, key=lambda lines: width[lines])
    return lines, SIZE * ROOM * SIDE / width[lines]
