"""Fonts that come with matplotlib or the system, and whether they have the characters of a text."""

from __future__ import annotations

import hashlib
import importlib.util
import unicodedata
from functools import lru_cache
from pathlib import Path

from clipaudit.errors import DataError, nearest

DEFAULT_FONT = "DejaVuSans-Bold"


def font_path(font: str) -> Path:
    """The file of a font that ships with matplotlib ("DejaVuSans", "DejaVuSerif-Bold", ...) or of a path.

    Raises DataError naming the nearest fonts.
    """
    if font.lower().endswith((".ttf", ".otf", ".ttc")):
        path = Path(font).expanduser()
        if not path.is_file():
            raise DataError(f"font file {font} does not exist")
        return path
    bundled = _bundled()
    if font not in bundled:
        raise DataError(f"no font {font!r}; {nearest(font, bundled)}, or the path of a .ttf or .otf file")
    return bundled[font]


def _bundled() -> dict[str, Path]:
    """The fonts that ship with matplotlib, by name."""
    spec = importlib.util.find_spec("matplotlib")  # located, not imported
    folders = list(spec.submodule_search_locations or []) if spec else []
    return {path.stem: path for folder in folders for path in Path(folder).glob("mpl-data/fonts/ttf/*.ttf")}


@lru_cache(maxsize=32)
def font_identity(font: str) -> str:
    """sha256 hex of the font file: part of the recipe of whatever is written with it."""
    return hashlib.sha256(font_path(font).read_bytes()).hexdigest()


@lru_cache(maxsize=256)
def _characters(font: str) -> frozenset[int]:
    """Code points that `font` can draw; none for a last-resort font, which draws boxes for all."""
    from fontTools.ttLib import TTFont, TTLibError  # type: ignore[import-untyped]

    try:
        with font_path(font).open("rb") as file, TTFont(file, fontNumber=0, lazy=True) as opened:
            if "lastresort" in str(opened["name"].getDebugName(1)).replace(" ", "").lower():
                return frozenset()
            return frozenset(code for code, glyph in (opened.getBestCmap() or {}).items() if glyph != ".notdef")
    except (TTLibError, OSError, KeyError) as error:
        raise DataError(f"font {font} cannot be read: {error}") from error


def check_glyphs(text: str, font: str) -> None:
    """Raises DataError if `font` lacks a character of `text`, naming it and a font that has all of them where one is
    found, or if the script needs a layout engine that is not there."""
    missing = sorted({c for c in text if not c.isspace() and ord(c) not in _characters(font)})
    if missing:
        named = ", ".join(f"{c!r} (U+{ord(c):04X})" for c in missing[:5])
        other = font_with(frozenset(text))
        mend = (
            f"take font {other}" if other else "no installed font has it: give the path of one (.ttf, .otf) that does"
        )
        raise DataError(f"font {font} has no glyph for {named} in {text!r}; {mend}")
    if needs_shaping(text):
        from PIL import features

        if not features.check("raqm"):
            raise DataError(f"{text!r} needs text shaping, and this Pillow comes without raqm")


@lru_cache(maxsize=64)
def font_with(characters: frozenset[str], first: str = DEFAULT_FONT) -> str | None:
    """A font that has all of `characters`: `first`, else one that ships with matplotlib, else one of the system's; None
    if none has.

    Named as `font_path` takes it.
    """
    wanted = {ord(c) for c in characters if not c.isspace()}
    bundled = sorted(_bundled(), key=lambda name: (name != first, not name.startswith("DejaVuSans"), name))
    for font in (*bundled, *_system_fonts()):
        try:
            if wanted <= _characters(font):
                return font
        except DataError:  # a damaged file offers nothing
            continue
    return None


def _system_fonts() -> list[str]:
    """Paths of the font files of the system, as matplotlib finds them, sorted."""
    from matplotlib.font_manager import findSystemFonts

    return sorted(path for path in findSystemFonts() if path.lower().endswith((".ttf", ".otf", ".ttc")))


def needs_shaping(text: str) -> bool:
    """Whether letters of `text` join or run from right to left, so that a simple layout would be wrong."""
    return any(unicodedata.bidirectional(c) in ("R", "AL", "AN") or unicodedata.category(c)[0] == "M" for c in text)
