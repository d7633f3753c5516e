"""A linear network as a control model: its robust accuracy is known in closed form, for attacks to be measured by."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from clipaudit.contract import Need
from clipaudit.models.control_params import LinearParams
from clipaudit.results import ModelInfo

if TYPE_CHECKING:
    import torch
    from PIL import Image

CAPABILITIES = frozenset({Need.SCORES, Need.EMBEDDINGS, Need.GRADIENTS})


class LinearEncoder:
    """A `DualEncoder`: an image's embedding is A (x - 1/2), a text's a random unit vector u of its own.

    The rows of A (dim, 3 side side) are orthonormal. The class with the largest u_c . A (x - 1/2) wins, whatever the
    norm of the embedding, so the distance from x to class c is (u_y - u_c) . A (x - 1/2) over the dual norm of
    A' (u_y - u_c), as long as no pixel leaves [0, 1].
    """

    def __init__(self, info: ModelInfo, params: LinearParams) -> None:
        import torch

        self._info, self._params = info, params
        rng = np.random.default_rng(params.seed)
        basis, _ = np.linalg.qr(rng.standard_normal((3 * params.side**2, params.dim)))
        self.matrix = torch.from_numpy(np.ascontiguousarray(basis.T).astype(np.float32))

    @property
    def info(self) -> ModelInfo:
        return self._info

    @property
    def capabilities(self) -> frozenset[Need]:
        return CAPABILITIES

    @property
    def device(self) -> torch.device:
        return self.matrix.device

    def preprocess(self, image: Image.Image) -> torch.Tensor:
        """(3, side, side) in [0, 1]: resized where needed, not cropped."""
        import torch
        from PIL import Image as pil

        from clipaudit.images import to_rgb

        picture, side = to_rgb(image), self._params.side
        if picture.size != (side, side):
            picture = picture.resize((side, side), pil.Resampling.BICUBIC)
        return torch.from_numpy(np.asarray(picture, np.float32) / 255).permute(2, 0, 1).contiguous()

    def normalize(self, pixels: torch.Tensor) -> torch.Tensor:
        return pixels - 0.5

    def encode_pixels(self, pixels: torch.Tensor) -> torch.Tensor:
        if self._params.masked:
            levels = self._params.masked
            pixels = (pixels * levels).round() / levels  # its gradient is zero everywhere
        return self.normalize(pixels).flatten(1) @ self.matrix.T

    def encode_texts(self, texts: Sequence[str]) -> torch.Tensor:
        import torch

        return torch.from_numpy(np.stack([self._vector(text) for text in texts]).astype(np.float32))

    def text_length(self, text: str) -> int:
        return len(text.split()) + 2

    def _vector(self, text: str) -> NDArray[np.float64]:
        digest = hashlib.sha256(f"{self._params.seed}\0{text}".encode("utf-8", "surrogatepass")).digest()
        vector = np.random.default_rng(int.from_bytes(digest[:8], "big")).standard_normal(self._params.dim)
        return np.asarray(vector / np.linalg.norm(vector))
