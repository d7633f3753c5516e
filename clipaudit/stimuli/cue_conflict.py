"""Cue conflicts of our own: the outline of one object filled with the texture of another.

Unlike the published stimuli (Geirhos et al. 2019, made by style transfer) nothing of the outline's own inside is
left at full strength, and how much of it is left is a parameter.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import numpy.typing as npt

from clipaudit.errors import DataError, ImageError, nearest
from clipaudit.images import ImageRef, to_rgb
from clipaudit.stimuli.cutout import alpha_mask, fit_cutout, fit_photograph
from clipaudit.stimuli.pairing import class_of
from clipaudit.stimuli.recipe import recipe_digest, seed_from
from clipaudit.stimuli.texture import Pixels, inside, phase_of_first, quilt, tile

if TYPE_CHECKING:
    from PIL import Image

VERSION = 1
Method = Literal["fill-quilt", "fill-tile", "phase"]
Control = Literal["intact", "shape-only", "texture-only"]
GREY = 128  # of the silhouette


@dataclass(frozen=True)
class CueConflict:
    """The outline of `shape_ref` with the texture of `texture_ref`. An `ImageRef`.

    `fill-quilt` and `fill-tile` fill the outline with texture from the inside of the other object (from all of it, if
    it has no alpha channel); `phase` gives the phase of the first the amplitude spectrum of the second, and needs
    no outline. `strength` blends: 0 is the first image intact on white, 1 the full conflict.

    Attributes shape and texture (classes), shape_id and texture_id (source images), method, strength.
    """

    shape_ref: ImageRef
    texture_ref: ImageRef
    method: Method = "fill-quilt"
    strength: float = 1.0
    size: int = 224

    def __post_init__(self) -> None:
        if self.method not in get_args(Method):
            raise DataError(f"no cue-conflict method {self.method!r}; {nearest(self.method, get_args(Method))}")
        if not 0 <= self.strength <= 1:
            raise DataError(f"strength of a cue conflict goes from 0 to 1, not {self.strength}")

    @property
    def id(self) -> str:
        return (
            f"{self.shape_ref.id}|texture={self.texture_ref.id}|{self.method}|strength={self.strength:g}|{self.size}px"
        )

    @property
    def attributes(self) -> Mapping[str, str]:
        return {
            "shape": class_of(self.shape_ref),
            "texture": class_of(self.texture_ref),
            "shape_id": self.shape_ref.id,
            "texture_id": self.texture_ref.id,
            "method": self.method,
            "strength": f"{self.strength:g}",
        }

    @property
    def digest(self) -> str:
        params = {"method": self.method, "strength": float(self.strength), "size": self.size}
        return recipe_digest("cue_conflict", VERSION, [self.shape_ref.digest, self.texture_ref.digest], params)

    def load(self) -> Image.Image:
        """RGB, (size, size).

        Raises:
            ImageError: a source cannot be read, has no outline where one is needed, or is too thin for a texture.
        """
        from PIL import Image as pil

        shape = _fitted(self.shape_ref.load(), self.shape_ref.id, self.size, outline=self.method != "phase")
        intact = np.asarray(to_rgb(shape), dtype=np.float64)
        if self.method == "phase":
            other = np.asarray(to_rgb(_fitted(self.texture_ref.load(), self.texture_ref.id, self.size)))
            conflict = phase_of_first(intact.astype(np.uint8), other)
        else:
            cover = np.asarray(shape.getchannel("A"), dtype=np.float64)[..., None] / 255
            conflict = 255 * (1 - cover) + cover * _sheet(_Source(self.texture_ref), self.method, self.size)
        mixed = (1 - self.strength) * intact + self.strength * conflict
        return pil.fromarray(np.rint(np.clip(mixed, 0, 255)).astype(np.uint8))


@dataclass(frozen=True)
class CueControl:
    """One cue alone. An `ImageRef` with attributes label (the class) and control.

    `intact`: the object on white. `shape-only`: its silhouette in grey. `texture-only`: its texture filling the square.
    """

    ref: ImageRef
    control: Control
    size: int = 224

    def __post_init__(self) -> None:
        if self.control not in get_args(Control):
            raise DataError(f"no cue-conflict control {self.control!r}; {nearest(self.control, get_args(Control))}")

    @property
    def id(self) -> str:
        return f"{self.ref.id}|{self.control}|{self.size}px"

    @property
    def attributes(self) -> Mapping[str, str]:
        return {"label": class_of(self.ref), "control": self.control}

    @property
    def digest(self) -> str:
        params = {"control": self.control, "size": self.size}
        return recipe_digest("cue_control", VERSION, [self.ref.digest], params)

    def load(self) -> Image.Image:
        """RGB, (size, size). Raises ImageError as CueConflict does."""
        from PIL import Image as pil

        if self.control == "texture-only":
            return pil.fromarray(_sheet(_Source(self.ref), "fill-quilt", self.size))
        shape = _fitted(self.ref.load(), self.ref.id, self.size, outline=True)
        if self.control == "shape-only":
            shape = pil.merge("RGBA", [pil.new("L", shape.size, GREY)] * 3 + [shape.getchannel("A")])
        return to_rgb(shape)


def check_source(image: Image.Image, name: str, size: int = 224) -> None:
    """Raises ImageError as both controls of one cue alone would: no outline, or too thin for a texture. Quick.

    image: a source, as loaded. name: its id.
    """
    _fitted(image, name, size, outline=True)
    _interior(image, name, size)


def _fitted(image: Image.Image, name: str, size: int, outline: bool = False) -> Image.Image:
    """RGBA (size, size). Without alpha: the central square, or ImageError where an outline is needed."""
    if outline or "A" in image.getbands():
        return fit_cutout(image, size, name)
    return fit_photograph(image, size)


class _Source:
    """A reference that compares by content, so that sheets of texture can be kept."""

    def __init__(self, ref: ImageRef) -> None:
        self.ref, self.digest = ref, ref.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Source) and other.digest == self.digest


@lru_cache(maxsize=64)
def _sheet(source: _Source, method: Method, size: int) -> Pixels:
    """(size, size, 3) texture of the source; kept, for the same texture meets several outlines and strengths."""
    pixels, mask = _interior(source.ref.load(), source.ref.id, size)
    if method == "fill-tile":
        return tile(pixels, mask, size)
    return quilt(pixels, mask, size, seed_from("quilt", source.digest))


def _interior(image: Image.Image, name: str, size: int) -> tuple[Pixels, npt.NDArray[np.bool_]]:
    """Pixels (h, w, 3) of the object and where they may be taken; thin objects are enlarged, at most 8 times."""
    for enlarged in (1, 2, 4, 8):
        fitted = _fitted(image, name, size * enlarged)
        opaque = fitted.getextrema()[-1] == (255, 255)
        mask = inside(np.ones((fitted.height, fitted.width), dtype=np.bool_) if opaque else alpha_mask(fitted, name))
        if mask is not None:
            return np.asarray(fitted)[..., :3], mask
    raise ImageError(f"{name}: the object is too thin to take a texture from")
