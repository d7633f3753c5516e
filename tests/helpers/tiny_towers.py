"""Small encoders with an image tower that relevance methods can look into, or one that they cannot."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from open_clip.transformer import VisionTransformer
from torch import nn
from torchvision import transforms

from clipaudit.embedding.cache import EmbeddingCache
from clipaudit.embedding.live import LiveModel
from clipaudit.models.encoder import TorchEncoder, Towers
from clipaudit.models.pixels import Normalize, Preprocess
from clipaudit.results import ModelInfo

DIM, SIDE = 16, 32


class HashedTexts:
    """Each text a random vector of its own."""

    def encode(self, texts: Sequence[str]) -> torch.Tensor:
        return torch.stack([self._vector(text) for text in texts])

    def length(self, text: str) -> int:
        return len(text.split()) + 2

    def _vector(self, text: str) -> torch.Tensor:
        seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
        return torch.from_numpy(np.random.default_rng(seed).standard_normal(DIM)).float()


class Clipped(nn.Module):
    """Sees the left half of a picture only: the rest is black to it."""

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        kept = torch.zeros_like(pixels)
        kept[..., : pixels.shape[-1] // 2] = pixels[..., : pixels.shape[-1] // 2]
        return kept


def transformer() -> nn.Module:
    torch.manual_seed(0)
    return VisionTransformer(SIDE, 8, 16, 2, 2, 2.0, output_dim=DIM)


def convolutional(*, left_only: bool = False) -> nn.Module:
    """A map of 4 x 4 places, none of which sees beyond itself; biases are zero, so black gives nothing."""
    torch.manual_seed(0)
    layers = [nn.Conv2d(3, 12, 8, 8, bias=False), nn.ReLU(), nn.Conv2d(12, 12, 1, bias=False)]
    head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(12, DIM, bias=False)]
    return nn.Sequential(*([Clipped()] if left_only else []), *layers, *head)


def live(vision: nn.Module, folder: Path, *, seen: bool = True) -> LiveModel:
    """The model of a tower; `seen`: whether relevance methods may look into it."""

    def split(network: nn.Module) -> Towers:
        return Towers(network, HashedTexts(), network if seen else None)

    resize = transforms.Compose(
        [transforms.Resize((SIDE, SIDE), transforms.InterpolationMode.NEAREST), transforms.ToTensor()]
    )
    info = ModelInfo(
        spec="tiny", name="tiny", fingerprint=f"tiny-{type(vision).__name__}-{sum(p.numel() for p in vision.parameters())}-{seen}",
        kind="python", capabilities=("attention", "embeddings", "gradients", "scores"), embedding_dim=DIM,
        image_size=SIDE, context_length=40,
    )  # fmt: skip
    encoder = TorchEncoder(vision, split, Preprocess(resize), Normalize((0.0,) * 3, (1.0,) * 3), info)
    return LiveModel(encoder, EmbeddingCache(folder))
