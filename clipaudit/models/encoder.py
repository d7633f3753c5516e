"""One dual encoder of torch, put together from parts that adapters supply."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from clipaudit.contract import Need
from clipaudit.models.fingerprint import with_precision
from clipaudit.models.pixels import Normalize
from clipaudit.results import ModelInfo

if TYPE_CHECKING:
    import torch
    from PIL import Image
    from torch import nn

CAPABILITIES = frozenset({Need.SCORES, Need.EMBEDDINGS, Need.GRADIENTS})


class TextTower(Protocol):
    """Strings to vectors."""

    def encode(self, texts: Sequence[str]) -> torch.Tensor:
        """(B, d), not normalised."""
        ...

    def length(self, text: str) -> int:
        """Tokens with special tokens, untruncated."""
        ...


@dataclass(frozen=True)
class Towers:
    """The two halves of a network. `image` maps normalised pixels (B, 3, H, W) to (B, d).

    `vision` is the module behind `image` whose inner layers relevance methods may read; None where none may.
    """

    image: Callable[[torch.Tensor], torch.Tensor]
    text: TextTower
    vision: nn.Module | None = None


class TorchEncoder:
    """A `DualEncoder` over a torch module.

    `split` gives the towers of a network: it is called again on the copy that `cast` makes.
    The network is put into evaluation mode, and its weights need no gradients (pixels may).
    """

    def __init__(
        self,
        network: nn.Module,
        split: Callable[[nn.Module], Towers],
        preprocess: Callable[[Image.Image], torch.Tensor],
        normalize: Normalize,
        info: ModelInfo,
    ) -> None:
        self._memory_format = _memory_format(network)
        self._network = network.eval().requires_grad_(False).to(memory_format=self._memory_format)
        self._split = split
        self._towers = split(self._network)
        self._preprocess = preprocess
        self._normalize = normalize
        self._info = info
        first = next(self._network.parameters())
        self._device, self._dtype = first.device, first.dtype

    @property
    def info(self) -> ModelInfo:
        return self._info

    @property
    def capabilities(self) -> frozenset[Need]:
        return frozenset(map(Need, self._info.capabilities))

    @property
    def vision(self) -> nn.Module | None:
        """The image tower, for methods that read its inner layers (Need.ATTENTION)."""
        return self._towers.vision

    @property
    def device(self) -> torch.device:
        return self._device

    def preprocess(self, image: Image.Image) -> torch.Tensor:
        return self._preprocess(image)

    def normalize(self, pixels: torch.Tensor) -> torch.Tensor:
        return self._normalize(pixels)

    def encode_pixels(self, pixels: torch.Tensor) -> torch.Tensor:
        pixels = self._normalize(pixels.to(self._device)).to(self._dtype)
        return self._towers.image(pixels.contiguous(memory_format=self._memory_format)).float()

    def encode_texts(self, texts: Sequence[str]) -> torch.Tensor:
        return self._towers.text.encode(texts).float()

    def text_length(self, text: str) -> int:
        return self._towers.text.length(text)

    def cast(self, precision: str) -> TorchEncoder:
        """A copy that computes in `precision` ("bfloat16" or "float32"); itself if it does already."""
        import torch

        dtype = {"float32": torch.float32, "bfloat16": torch.bfloat16}[precision]
        if dtype == self._dtype:
            return self
        network = copy.deepcopy(self._network).to(dtype)
        info = self._info.model_copy(
            update={"precision": precision, "fingerprint": with_precision(self._info.fingerprint, precision)}
        )
        return TorchEncoder(network, self._split, self._preprocess, self._normalize, info)

    def with_info(self, **changes: object) -> TorchEncoder:
        """The same encoder, described otherwise."""
        twin = copy.copy(self)
        twin._info = self._info.model_copy(update=changes)
        return twin


def _memory_format(network: nn.Module) -> torch.memory_format:
    """Channels last for convolutional towers; a patch embedding (one convolution) gains nothing."""
    import torch

    convolutions = sum(isinstance(module, torch.nn.Conv2d) for module in network.modules())
    return torch.channels_last if convolutions > 1 else torch.contiguous_format
