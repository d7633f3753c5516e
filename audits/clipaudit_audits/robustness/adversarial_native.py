"""Small pictures attacked at their own size: enlarging them is part of the attacked network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn import functional

from clipaudit.contract import Need
from clipaudit.errors import DataError, ModelError
from clipaudit.images import to_rgb
from clipaudit.models.protocol import DualEncoder
from clipaudit.results import ModelInfo

if TYPE_CHECKING:
    from PIL import Image


class NativeEncoder:
    """A `DualEncoder` whose pixels are those of the picture itself, square and no larger than the model's input.

    Raises ModelError for a model that does not say its input size, DataError for a picture of another size or form.
    """

    def __init__(self, inner: DualEncoder) -> None:
        if inner.info.image_size is None:
            raise ModelError(f"{inner.info.spec}: does not say the size of its input; leave out native = true")
        self.inner, self.input_side = inner, inner.info.image_size
        self.side: int | None = None

    @property
    def info(self) -> ModelInfo:
        return self.inner.info

    @property
    def capabilities(self) -> frozenset[Need]:
        return self.inner.capabilities

    @property
    def device(self) -> torch.device:
        return self.inner.device

    def preprocess(self, image: Image.Image) -> torch.Tensor:
        """(3, side, side) in [0, 1], as stored."""
        picture = to_rgb(image)
        width, height = picture.size
        self.side = self.side or width
        if not width == height == self.side <= self.input_side:
            raise DataError(
                f"adversarial: native = true needs square pictures of one size, at most {self.input_side} px; "
                f"here is one of {width} x {height} px"
            )
        return torch.from_numpy(np.asarray(picture, np.float32) / 255).permute(2, 0, 1).contiguous()

    def normalize(self, pixels: torch.Tensor) -> torch.Tensor:
        return self.inner.normalize(pixels)

    def encode_pixels(self, pixels: torch.Tensor) -> torch.Tensor:
        size = (self.input_side, self.input_side)
        large = functional.interpolate(pixels, size, mode="bicubic", align_corners=False).clamp(0, 1)
        return self.inner.encode_pixels(large)

    def encode_texts(self, texts: Sequence[str]) -> torch.Tensor:
        return self.inner.encode_texts(texts)

    def text_length(self, text: str) -> int:
        return self.inner.text_length(text)
