"""Pictures from which information is taken away by degrees: colour, detail, layout, contours or surfaces.

After Geirhos et al. 2018 and 2019 (greyscale, contrast, low- and high-pass, phase noise, silhouettes, edges), Zhang and
Zhu 2019 (patch shuffle) and Burgert et al. 2025 (suppression by patches, bilateral smoothing and greyscale).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from clipaudit.errors import DataError, ImageError, nearest
from clipaudit.images import ImageRef, to_rgb
from clipaudit.stimuli.bilateral import bilateral
from clipaudit.stimuli.contours import line_drawing
from clipaudit.stimuli.cutout import alpha_mask, fit_cutout, fit_photograph
from clipaudit.stimuli.patches import shuffled, turned
from clipaudit.stimuli.recipe import recipe_digest, seed_from
from clipaudit.stimuli.spectrum import high_pass, low_pass, phase_noise

if TYPE_CHECKING:
    from PIL import Image

VERSION = 1
SIDE = 224  # px
CLEAN = "clean"
Pixels = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Manipulation:
    """What a level means. clean: the level that leaves a picture as it is. most: the highest that exists."""

    unit: str
    most: float
    clean: float = 0.0
    whole: bool = False


MANIPULATIONS: Mapping[str, Manipulation] = MappingProxyType(
    {
        "silhouette": Manipulation("share of the inside replaced by black", 1),
        "edges": Manipulation("share replaced by a line drawing", 1),
        "greyscale": Manipulation("share of the colour taken away", 1),
        "low-pass": Manipulation("standard deviation of the blur (px)", 100),
        "high-pass": Manipulation("1 / standard deviation of the blur taken away (px)", 10),
        "patch-shuffle": Manipulation("patches a side", 32, clean=1, whole=True),
        "patch-rotation": Manipulation("patches a side", 32, clean=1, whole=True),
        "contrast": Manipulation("share of the contrast taken away", 1),
        "phase-noise": Manipulation("width of the noise (degrees)", 180),
        "bilateral": Manipulation("diameter of the window (px)", 30, whole=True),
    }
)


@dataclass(frozen=True)
class Manipulated:
    """`base` at 224 px with information taken away. An `ImageRef` with the base's attributes, manipulation and level.

    A cut-out is shown whole on white, a photograph as its largest central square. `clean` with level 0, and every
    manipulation at its clean level, is that picture exactly. What is drawn at random follows from (content of the base,
    manipulation, level) alone. Raises DataError for a manipulation or level that does not exist.
    """

    base: ImageRef
    manipulation: str = CLEAN
    level: float = 0.0

    def __post_init__(self) -> None:
        if self.manipulation != CLEAN:
            check_level(self.manipulation, self.level)

    @property
    def id(self) -> str:
        what = CLEAN if self.manipulation == CLEAN else f"{self.manipulation}={self.level:g}"
        return f"{self.base.id}|{what}"

    @property
    def attributes(self) -> Mapping[str, str]:
        return {**self.base.attributes, "manipulation": self.manipulation, "level": f"{self.level:g}"}

    @property
    def digest(self) -> str:
        params = {"manipulation": self.manipulation, "level": self.level, "side": SIDE}
        return recipe_digest("manipulation", VERSION, [self.base.digest], params)

    def load(self) -> Image.Image:
        """RGB, 224 x 224 px. ImageError as the base's, and for a silhouette of what has no outline."""
        from PIL import Image as pil

        square = fitted(self.base.load(), self.base.id)
        if self.manipulation == CLEAN:
            return to_rgb(square)
        seed = seed_from("manipulation", self.base.digest, self.manipulation, f"{self.level:g}")
        if self.manipulation == "silhouette":
            alpha_mask(square, self.base.id)
            pixels = _silhouette(np.asarray(square, dtype=np.float64), self.level)
        else:
            clean = np.asarray(to_rgb(square), dtype=np.float64)
            pixels = manipulated(clean, self.manipulation, self.level, np.random.default_rng(seed))
        return pil.fromarray(np.rint(np.clip(pixels, 0, 255)).astype(np.uint8))


def check_manipulation(manipulation: str) -> None:
    """Raises DataError for one that does not exist."""
    if manipulation not in MANIPULATIONS:
        raise DataError(f"there is no manipulation {manipulation!r}; {nearest(manipulation, MANIPULATIONS)}")


def check_level(manipulation: str, level: float) -> None:
    """Raises DataError for a manipulation or level that does not exist."""
    check_manipulation(manipulation)
    known = MANIPULATIONS[manipulation]
    if not known.clean <= level <= known.most or (known.whole and level != int(level)):
        kind = "whole numbers" if known.whole else "numbers"
        raise DataError(
            f"{manipulation}={level:g} does not exist; levels are {kind} from {known.clean:g} (as it is) to "
            f"{known.most:g}: {known.unit}"
        )


def fitted(image: Image.Image, name: str) -> Image.Image:
    """RGBA, 224 x 224 px: a cut-out whole, anything else as its central square."""
    try:
        return fit_cutout(image, SIDE, name)
    except ImageError:  # no outline
        return fit_photograph(to_rgb(image), SIDE)


def no_outline(image: Image.Image, name: str) -> str | None:
    """Why an image gives no silhouette; None if it does."""
    try:
        alpha_mask(image, name)
    except ImageError as error:
        return str(error)
    return None


def manipulated(pixels: Pixels, manipulation: str, level: float, rng: np.random.Generator) -> Pixels:
    """(side, side, 3) in 0..255, not clipped: any manipulation but the silhouette, which needs an outline."""
    if manipulation in ("patch-shuffle", "patch-rotation"):
        return (shuffled if manipulation == "patch-shuffle" else turned)(pixels, int(level), rng)
    if manipulation == "low-pass":
        return low_pass(pixels, level)
    if manipulation == "high-pass":
        return high_pass(pixels, 1 / level if level else np.inf)
    if manipulation == "phase-noise":
        return phase_noise(pixels, level, rng)
    if manipulation == "bilateral":  # Burgert et al. 2025: windows of 4 to 14 px with 50 to 200, and 75 px
        return bilateral(pixels, int(level), 15 * level - 10, 75) if level > 1 else pixels.copy()
    return np.asarray(pixels + level * (_without(pixels, manipulation) - pixels))


def _without(pixels: Pixels, manipulation: str) -> Pixels:
    """What is left at level 1 of contrast, greyscale and edges; broadcasts to the picture."""
    if manipulation == "contrast":
        return np.asarray(pixels.mean())
    grey = pixels @ np.array([0.299, 0.587, 0.114])  # ITU-R BT.601
    return np.asarray(line_drawing(grey) if manipulation == "edges" else grey)[..., None]


def _silhouette(square: Pixels, level: float) -> Pixels:
    """The object (side, side, 4) darkened towards black, on white."""
    cover = square[..., 3:] / 255
    return np.asarray(cover * (1 - level) * square[..., :3] + (1 - cover) * 255)
