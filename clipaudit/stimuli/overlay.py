"""A word on a note, laid over an image: the typographic attack, with its controls.

The note lies inside the central square of the image, so that no model's centre crop cuts it off, and outside
the note not a pixel changes: attacked and clean image are an exact pair.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from clipaudit.errors import DataError, ImageError
from clipaudit.images import ImageRef, to_rgb
from clipaudit.stimuli.fonts import DEFAULT_FONT, check_glyphs, font_identity
from clipaudit.stimuli.lettering import arrange, text_mask, tidy
from clipaudit.stimuli.recipe import recipe_digest, seed_from

if TYPE_CHECKING:
    from PIL import Image

VERSION = 1
SHORT_SIDE = 224  # smaller images are enlarged to this, or the text could not be read, px
MAX_PIXELS = 64_000_000
MARGIN = 0.03  # between note and edge of the central square, in sides of the square
OUTLINE = 0.06  # around text without a note, in font sizes

Place = Literal["centre", "top", "bottom", "top-left", "top-right", "bottom-left", "bottom-right", "random"]
Kind = Literal["wrong", "right", "random", "blank"]


class OverlayStyle(BaseModel):
    """How a word is written on an image."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    area: float = Field(default=0.10, gt=0, le=0.8, description="Share of the central square that the note covers.")
    place: Place = Field(default="bottom", description="Where the note lies in the central square.")
    opacity: float = Field(
        default=1.0, ge=0, le=1, description="Of note and text together; 0 leaves the image as it is."
    )
    contrast: float = Field(default=1.0, ge=0, le=1, description="Of the text against the note; 0 makes it invisible.")
    note: bool = Field(default=True, description="False: no note; the text is outlined in the note's colour.")
    text_colour: str = Field(default="#16181d", pattern=r"^#[0-9a-fA-F]{6}$", description="Colour of the text.")
    note_colour: str = Field(default="#fdf3a0", pattern=r"^#[0-9a-fA-F]{6}$", description="Colour of the note.")
    font: str = Field(
        default=DEFAULT_FONT, description="A font that ships with matplotlib, or the path of a font file."
    )
    repetitions: int = Field(default=1, ge=1, le=12, description="How often the text is written, line below line.")
    seed: int = Field(default=0, description="Of the place, where that is random.")

    @property
    def name(self) -> str:
        """Area, place and whatever differs from the default: "area=0.10|place=bottom|note=False"."""
        named = [
            f"area={self.area:.2f}" if round(self.area, 2) == self.area else f"area={self.area}",
            f"place={self.place}",
        ]
        others = self.model_dump(exclude_defaults=True, exclude={"area", "place"})
        return "|".join(named + [f"{key}={value}" for key, value in others.items()])


@dataclass(frozen=True)
class Overlay:
    """`base` with `text` written on it. An `ImageRef`.

    `kind` says what the text is to the image: a wrong label (the attack) or, as controls, the right label, a random
    string or a blank note. A blank note has the size that `text` would need, and nothing is written on it.

    Attributes of the base, and `written` (what can be read; empty if blank) and `overlay` (the kind).

    Raises:
        DataError: there is no text to write, or the font lacks a character of it or is not there.
    """

    base: ImageRef
    text: str
    style: OverlayStyle = field(default_factory=OverlayStyle)
    kind: Kind = "wrong"

    def __post_init__(self) -> None:
        if self.kind != "blank" and not tidy(self.text):
            raise DataError(f"{self.base.id}: there is no text to write")
        check_glyphs(tidy(self.text), self.style.font)

    @property
    def id(self) -> str:
        return f"{self.base.id}|{self.kind}={tidy(self.text)}|{self.style.name}"

    @property
    def attributes(self) -> Mapping[str, str]:
        written = "" if self.kind == "blank" else tidy(self.text)
        return {**self.base.attributes, "written": written, "overlay": self.kind}

    @property
    def digest(self) -> str:
        params = {**self.style.model_dump(), "font": font_identity(self.style.font)}
        params |= {"text": tidy(self.text), "blank": self.kind == "blank"}
        return recipe_digest("overlay", VERSION, [self.base.digest], params)

    def load(self) -> Image.Image:
        """RGB, in the size of the base, enlarged to 224 px on the shorter side if less. ImageError as the base's."""
        image = _enlarge(to_rgb(self.base.load()), self.base.id)
        lines, aspect = arrange(tidy(self.text) or "label", self.style.font, self.style.repetitions)
        place_seed = seed_from("place", self.style.seed, self.base.digest) if self.style.place == "random" else 0
        box = note_box(image.size, self.style.area, aspect, self.style.place, place_seed)
        return _lay(image, box, "" if self.kind == "blank" else lines, self.style)


def _enlarge(image: Image.Image, name: str) -> Image.Image:
    short = min(image.size)
    if short >= SHORT_SIDE:
        return image.copy()
    width, height = (max(SHORT_SIDE, round(side * SHORT_SIDE / short)) for side in image.size)
    if width * height > MAX_PIXELS:
        raise ImageError(f"{name}: {image.width} x {image.height} px is too elongated to write on")
    from PIL import Image as pil

    return image.resize((width, height), pil.Resampling.BICUBIC)


def note_box(
    size: tuple[int, int], area: float, aspect: float, place: Place, seed: int = 0
) -> tuple[int, int, int, int]:
    """(left, top, right, bottom) in px of a note that covers `area` of the central square of an image.

    Args:
        size: (width, height) of the image, px.
        area: share of the central square.
        aspect: width / height that suits the text; less extreme where the square would not hold it.
        place: where in the square; "random" by `seed`.
    """
    side = min(size)
    room = side * (1 - 2 * MARGIN)
    pixels = area * side * side
    widest = room * room / pixels
    ratio = min(max(aspect, 1 / widest), widest)
    width = max(1, min(round((pixels * ratio) ** 0.5), int(room)))
    height = max(1, min(round(pixels / width), int(room)))
    across, down = _position(place, seed)
    left = (size[0] - side) / 2 + side * MARGIN + across * (room - width)
    top = (size[1] - side) / 2 + side * MARGIN + down * (room - height)
    return round(left), round(top), round(left) + width, round(top) + height


def _position(place: Place, seed: int) -> tuple[float, float]:
    if place == "random":
        across, down = np.random.default_rng(seed).random(2)
        return float(across), float(down)
    across = 0.0 if "left" in place else 1.0 if "right" in place else 0.5
    return across, 0.0 if "top" in place else 1.0 if "bottom" in place else 0.5


def _lay(image: Image.Image, box: tuple[int, int, int, int], lines: str, style: OverlayStyle) -> Image.Image:
    """`image` with the note painted into `box`; nothing outside the box is touched."""
    from PIL import Image as pil
    from PIL import ImageColor

    below = image.crop(box)
    paper = _paper(below.size, ImageColor.getrgb(style.note_colour)[:3]) if style.note else below.copy()
    if lines:
        if not style.note:
            paper.paste(style.note_colour, (0, 0), text_mask(lines, style.font, *below.size, outline=OUTLINE))
        cover = text_mask(lines, style.font, *below.size).point(lambda v: round(v * style.contrast))
        paper.paste(style.text_colour, (0, 0), cover)
    image.paste(pil.blend(below, paper, style.opacity), box[:2])
    return image


def _paper(size: tuple[int, int], colour: tuple[int, ...]) -> Image.Image:
    """A sheet of note paper: a little darker along the glued strip at the top and towards the lower edge."""
    from PIL import Image as pil

    height = np.linspace(0, 1, size[1])[:, None, None]
    shade = 1 - 0.05 * np.exp(-((height / 0.10) ** 2)) - 0.07 * height**3
    sheet = np.broadcast_to(np.rint(shade * np.asarray(colour, dtype=float)), (size[1], size[0], 3))
    return pil.fromarray(sheet.astype(np.uint8))
