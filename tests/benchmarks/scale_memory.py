"""Peak memory of embedding many generated images against few; one process, the few first.

python tests/benchmarks/scale_memory.py [few] [many]
"""

from __future__ import annotations

import hashlib
import resource
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from clipaudit.contract import Need
from clipaudit.embedding.cache import EmbeddingCache
from clipaudit.embedding.live import LiveModel
from clipaudit.results import ModelInfo

SIDE, DIM = 224, 384


class Generated:
    """An image of 320 x 320 px drawn from its number."""

    __slots__ = ("id",)
    attributes: Mapping[str, str] = {}

    def __init__(self, number: int) -> None:
        self.id = str(number)

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.id.encode()).hexdigest()

    def load(self) -> Image.Image:
        pixels = np.random.default_rng(int(self.id)).bytes(20 * 20 * 3)
        return Image.frombytes("RGB", (20, 20), pixels).resize((320, 320))


class Small:
    """A tower small enough that decoding and bookkeeping are what is measured; embeddings as wide as the reference encoder's."""

    device = torch.device("cpu")
    capabilities = frozenset({Need.SCORES, Need.EMBEDDINGS})
    info = ModelInfo(spec="small", name="small", fingerprint="small", kind="python", capabilities=(), embedding_dim=DIM)

    def __init__(self) -> None:
        generator = torch.Generator().manual_seed(0)
        self.kernel = torch.randn(32, 3, 32, 32, generator=generator)
        self.head = torch.randn(32 * 49, DIM, generator=generator)

    def preprocess(self, image: Image.Image) -> torch.Tensor:
        pixels = np.asarray(image.convert("RGB").resize((SIDE, SIDE)), np.float32) / 255
        return torch.from_numpy(pixels).permute(2, 0, 1).contiguous()

    def normalize(self, pixels: torch.Tensor) -> torch.Tensor:
        return pixels

    def encode_pixels(self, pixels: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.conv2d(pixels, self.kernel, stride=32).flatten(1) @ self.head

    def encode_texts(self, texts: Sequence[str]) -> torch.Tensor:
        return torch.ones(len(texts), DIM)

    def text_length(self, text: str) -> int:
        return len(text)


def main() -> None:
    few, many = (int(value) for value in sys.argv[1:3]) if len(sys.argv) > 2 else (2_000, 20_000)
    peaks = [peak(number) for number in (few, many)]
    vectors = (many - few) * DIM * 4 / 2**20
    print(
        f"peak: {peaks[0]:.0f} MiB over {few} images, {peaks[1]:.0f} MiB over {many} (of it {vectors:.0f} MiB vectors)"
    )
    print(f"ratio peak memory, {many} : {few} images = {peaks[1] / peaks[0]:.3f}")


def peak(number: int) -> float:
    """MiB of resident memory at the highest point of this process until now, after embedding `number` images."""
    with tempfile.TemporaryDirectory() as folder:
        model = LiveModel(Small(), EmbeddingCache(Path(folder)))
        found = model.embed_images([Generated(i) for i in range(number)])
        assert not any(found.errors)
        model.close()
    scale = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / scale


if __name__ == "__main__":
    main()
