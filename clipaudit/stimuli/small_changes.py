"""Small changes that leave a picture what it is: mirrored, cropped, saved as JPEG, resized and back."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from clipaudit.errors import UsageError
from clipaudit.images import ImageRef, to_rgb
from clipaudit.stimuli.recipe import recipe_digest

if TYPE_CHECKING:
    from PIL import Image

VERSION = 1
Change = Literal["flip", "crop", "jpeg", "nearest", "bilinear", "lanczos"]
AMOUNTS: Mapping[str, tuple[float, float]] = {
    "flip": (1, 1),  # nothing to choose
    "crop": (0.05, 1.0),  # share of each side that is kept, centred
    "jpeg": (1, 100),  # quality
    "nearest": (8, 4096),  # px of the shorter side; by that interpolation
    "bilinear": (8, 4096),
    "lanczos": (8, 4096),
}


@dataclass(frozen=True)
class Changed:
    """`base` changed a little. An `ImageRef` with the base's attributes and `change`.

    `amount` is the share of each side that is kept (crop), the quality (jpeg), or the shorter side in px to which the
    image is resized by that interpolation; 1 for flip. Raises UsageError for a change or amount that does not exist.
    """

    base: ImageRef
    change: Change
    amount: float = 1

    def __post_init__(self) -> None:
        low, high = AMOUNTS.get(self.change, (1, 0))
        if not low <= self.amount <= high:
            allowed = ", ".join(f"{name} {least:g} to {most:g}" for name, (least, most) in AMOUNTS.items())
            raise UsageError(f"there is no change {self.change!r} by {self.amount:g}; there are {allowed}")

    @property
    def name(self) -> str:
        """Change and amount: "crop=0.9"."""
        return self.change if self.change == "flip" else f"{self.change}={self.amount:g}"

    @property
    def id(self) -> str:
        return f"{self.base.id}|{self.name}"

    @property
    def attributes(self) -> Mapping[str, str]:
        return {**self.base.attributes, "change": self.name}

    @property
    def digest(self) -> str:
        return recipe_digest("small_changes", VERSION, [self.base.digest], {"change": self.name})

    def load(self) -> Image.Image:
        """RGB. ImageError as the base's."""
        image = to_rgb(self.base.load())
        if self.change == "flip":
            from PIL import ImageOps

            return ImageOps.mirror(image)
        if self.change == "crop":
            return _crop(image, self.amount)
        return _jpeg(image, round(self.amount)) if self.change == "jpeg" else _resized(image, self.change, self.amount)


def _crop(image: Image.Image, share: float) -> Image.Image:
    width, height = (max(1, round(side * share)) for side in image.size)
    left, top = (image.width - width) // 2, (image.height - height) // 2
    return image.crop((left, top, left + width, top + height))


def _jpeg(image: Image.Image, quality: int) -> Image.Image:
    from PIL import Image as pil

    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return pil.open(buffer).convert("RGB")


def _resized(image: Image.Image, interpolation: str, short: float) -> Image.Image:
    from PIL import Image as pil

    scale = short / min(image.size)
    size = tuple(max(1, round(side * scale)) for side in image.size)
    return image.resize((size[0], size[1]), pil.Resampling[interpolation.upper()])
