"""The common corruptions of Hendrycks & Dietterich 2019, each picture with luck of its own.

Drawn by the package `imagecorruptions-imaug` (extra `corruptions`). It draws from numpy's global generator, which is
seeded from (image, corruption, severity) for each picture, under a lock, and put back: so a picture is the same in
every process, thread and order, and costs a little parallelism.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from clipaudit.errors import DataError, DataUnavailable, nearest
from clipaudit.images import ImageRef, to_rgb
from clipaudit.stimuli.recipe import recipe_digest, seed_from

if TYPE_CHECKING:
    from PIL import Image

VERSION = 1
PACKAGE = "imagecorruptions-imaug"
SIDE = 224  # px, as in ImageNet-C; the strengths are made for it
CLEAN = "clean"
SEVERITIES = (1, 2, 3, 4, 5)

FAMILIES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "noise": ("gaussian_noise", "shot_noise", "impulse_noise"),
        "blur": ("defocus_blur", "glass_blur", "motion_blur", "zoom_blur"),
        "weather": ("snow", "frost", "fog", "brightness"),
        "digital": ("contrast", "elastic_transform", "pixelate", "jpeg_compression"),
    }
)
COMMON = tuple(name for names in FAMILIES.values() for name in names)
FURTHER = ("speckle_noise", "gaussian_blur", "spatter", "saturate")  # made to tune on; no part of the mean error
_OWN_SEED = ("glass_blur", "impulse_noise")  # take a seed of their own beside the global generator
_LOCK = threading.Lock()


def require_package() -> None:
    """Raises DataUnavailable where the package that draws corruptions is not installed."""
    _package_version()


@dataclass(frozen=True)
class Corrupted:
    """The central square of `base` at 224 px, corrupted. An `ImageRef` with the base's attributes and its own two.

    Corruption "clean" with severity 0 is the square as it is, the other half of each pair. Raises DataError for a
    corruption or severity that does not exist.
    """

    base: ImageRef
    corruption: str = CLEAN
    severity: int = 0

    def __post_init__(self) -> None:
        if self.corruption not in (CLEAN, *COMMON, *FURTHER):
            near = nearest(self.corruption, (CLEAN, *COMMON, *FURTHER))
            raise DataError(f"there is no corruption {self.corruption!r}; {near}")
        if self.severity not in ((0,) if self.corruption == CLEAN else SEVERITIES):
            raise DataError(f"severity {self.severity} of {self.corruption!r} does not exist; there are 1 to 5")

    @property
    def id(self) -> str:
        return f"{self.base.id}|{self.corruption}={self.severity}"

    @property
    def attributes(self) -> Mapping[str, str]:
        return {**self.base.attributes, "corruption": self.corruption, "severity": str(self.severity)}

    @property
    def digest(self) -> str:
        params: dict[str, object] = {"corruption": self.corruption, "severity": self.severity, "side": SIDE}
        if self.corruption != CLEAN:
            params["package"] = _package_version()
        return recipe_digest("corruption", VERSION, [self.base.digest], params)

    def load(self) -> Image.Image:
        """RGB, 224 x 224 px. ImageError as the base's; DataUnavailable without the package."""
        square = central_square(to_rgb(self.base.load()))
        if self.corruption == CLEAN:
            return square
        from PIL import Image as pil

        seed = seed_from("corruption", self.base.digest, self.corruption, self.severity) % 2**32
        return pil.fromarray(_corrupt(np.asarray(square), self.corruption, self.severity, seed))


def central_square(image: Image.Image) -> Image.Image:
    """The largest central square, bicubically at 224 px."""
    from PIL import Image as pil

    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    return image.crop((left, top, left + side, top + side)).resize((SIDE, SIDE), pil.Resampling.BICUBIC)


def _corrupt(
    pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], corruption: str, severity: int, seed: int
) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    _package_version()
    from imagecorruptions import corrupt

    own = {"seed": seed} if corruption in _OWN_SEED else {}
    with _seeded(seed):
        return np.asarray(corrupt(pixels, severity=severity, corruption_name=corruption, **own), dtype=np.uint8)


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """numpy's global generator, seeded, for one thread at a time; afterwards as it was."""
    with _LOCK:
        before = np.random.get_state()
        np.random.seed(seed)
        try:
            yield
        finally:
            np.random.set_state(before)


@cache
def _package_version() -> str:
    try:
        return version(PACKAGE)
    except PackageNotFoundError:
        raise DataUnavailable(f"corruptions are drawn with {PACKAGE}: pip install 'clipaudit[corruptions]'") from None
