"""A network as a control model in which each image lies at a known distance from the border of two classes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from clipaudit.contract import Need
from clipaudit.models.control_chance import uniform
from clipaudit.models.control_params import NetworkParams, Share
from clipaudit.models.control_vectors import holds
from clipaudit.results import ModelInfo

if TYPE_CHECKING:
    import torch
    from PIL import Image

CAPABILITIES = frozenset({Need.SCORES, Need.EMBEDDINGS, Need.GRADIENTS})
LABELS = ("cup", "key")
_BITS = 15  # of the number, after that of the class
_OFF, _ON, _GREY = 64, 191, 128  # pixel values of a bit, and of all else
_STEEP = 10.0  # how fast the cosine turns with the distance


class BorderedParams(NetworkParams):
    """`bordered`: a network of two classes to which each image lies as far from the border as chance puts it.

    An image's class and number are written into its first row of pixels (see `picture`), which the
    network reads by rounding. It is right with probability `accuracy`; then its distance from the other class, as the
    most that a pixel must change, is uniform on 0 to `reach`. So a share `accuracy` (1 - eps / reach) stands at eps.
    """

    accuracy: Share = Field(default=0.9, description="Probability of the right class.")
    reach: float = Field(default=8 / 255, gt=0, le=0.1, description="Largest distance, pixels from 0 to 1.")
    side: int = Field(default=16, ge=16, le=256, description="Side of the input in pixels.")


def picture(number: int, label: str, side: int = 16) -> Image.Image:
    """Grey, with class and number (below 2^15) in its first row."""
    from PIL import Image as pil

    pixels = np.full((side, side, 3), _GREY, np.uint8)
    bits = [LABELS.index(label), *(number >> bit & 1 for bit in range(_BITS))]
    pixels[0, : len(bits)] = np.where(np.array(bits)[:, None] == 1, _ON, _OFF)
    return pil.fromarray(pixels)


class BorderedEncoder:
    """A `DualEncoder`. With d the image's distance, towards its class, and w random signs over their number, an image
    x lies z = d + w . (x - grey) within its class; its embedding turns from one text to the other with z.

    All pixels below the first row count in w, whose absolute values sum to one, so that d is how much every one of
    them must change. Bits of the first row are read by rounding: changes below 1/4 do not touch them.
    """

    def __init__(self, info: ModelInfo, params: BorderedParams) -> None:
        import torch

        self._info, self._params = info, params
        signs = np.random.default_rng(params.seed).choice([-1.0, 1.0], 3 * (params.side - 1) * params.side)
        self.signs = torch.from_numpy((signs / len(signs)).astype(np.float32))
        self.distance = lru_cache(maxsize=None)(self._distance)

    @property
    def info(self) -> ModelInfo:
        return self._info

    @property
    def capabilities(self) -> frozenset[Need]:
        return CAPABILITIES

    @property
    def device(self) -> torch.device:
        return self.signs.device

    def preprocess(self, image: Image.Image) -> torch.Tensor:
        """(3, side, side) in [0, 1]: resized where needed, without smoothing."""
        import torch
        from PIL import Image as pil

        from clipaudit.images import to_rgb

        picture, side = to_rgb(image), self._params.side
        if picture.size != (side, side):
            picture = picture.resize((side, side), pil.Resampling.NEAREST)
        return torch.from_numpy(np.asarray(picture, np.float32) / 255).permute(2, 0, 1).contiguous()

    def normalize(self, pixels: torch.Tensor) -> torch.Tensor:
        return pixels - _GREY / 255

    def encode_pixels(self, pixels: torch.Tensor) -> torch.Tensor:
        import torch

        bits = (pixels[:, 0, 0, : 1 + _BITS] > 0.5).long()
        numbers = (bits[:, 1:] << torch.arange(_BITS)).sum(dim=1).tolist()
        lean = 1.0 - 2.0 * bits[:, 0]  # 1: the first class
        away = torch.tensor([self.distance(number) for number in numbers], dtype=pixels.dtype)
        inside = lean * away + self.normalize(pixels)[:, :, 1:].flatten(1) @ self.signs.to(pixels.dtype)
        turn = _STEEP * inside
        rest = torch.zeros(len(pixels), self._params.dim - 2, dtype=pixels.dtype)
        return torch.cat([torch.stack([1 + turn, 1 - turn], dim=1), rest], dim=1)

    def encode_texts(self, texts: Sequence[str]) -> torch.Tensor:
        import torch

        vectors = torch.zeros(len(texts), self._params.dim)
        for row, text in zip(vectors, texts, strict=True):
            label = holds(text, LABELS)
            row[2 if label is None else LABELS.index(label)] = 1.0
        return vectors

    def text_length(self, text: str) -> int:
        return len(text.split()) + 2

    def _distance(self, number: int) -> float:
        params = self._params
        if uniform(params.seed, "right", str(number)) >= params.accuracy:
            return -params.reach
        return params.reach * uniform(params.seed, "distance", str(number))
