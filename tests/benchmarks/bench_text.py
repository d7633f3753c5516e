"""ImageNet's class names under 7 templates: texts sorted by length and cut, against encode_text at full context."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import torch
from bench_images import ARCHITECTURE, vit
from numpy.typing import NDArray
from side_by_side import Bench, Side, flops

from clipaudit.embedding.cache import EmbeddingCache
from clipaudit.embedding.live import LiveModel
from clipaudit.models.precision import bfloat16_units
from clipaudit.models.protocol import DualEncoder
from clipaudit.zeroshot import prompts

TEMPLATES = (
    "itap of a {}.", "a bad photo of the {}.", "a origami {}.", "a photo of the large {}.", "a {} in a video game.",
    "art of the {}.", "a photo of the small {}.",
)  # fmt: skip
EVERY = 53  # of the 7,000 prompts: the slow side takes its time
BATCH = 64
Vectors = NDArray[np.floating]


def benches() -> Iterator[Bench]:
    texts = list(prompts(open_clip.IMAGENET_CLASSNAMES, TEMPLATES))[::EVERY]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _, network, _, encoder = vit(folder)
        full = Side(
            "encode_text, full context",
            lambda: full_context(network, texts),
            lambda: len(texts) * flops(lambda: network.encode_text(open_clip.get_tokenizer(ARCHITECTURE)(texts[:1]))),
        )
        yield _bench("text, ViT-B-32", encoder, texts, folder / "float32", full)
        if bfloat16_units(encoder.device):
            half: DualEncoder = encoder.cast("bfloat16")  # type: ignore[attr-defined]
            yield _bench("text, ViT-B-32, bfloat16", half, texts, folder / "bfloat16", full)


def _bench(name: str, encoder: DualEncoder, texts: list[str], folder: Path, theirs: Side) -> Bench:
    turns = count()

    def cut() -> Vectors:
        model = LiveModel(encoder, EmbeddingCache(folder / str(next(turns))))
        return model.embed_texts(texts).vectors

    return Bench(name, Side("sorted and cut", cut, lambda: flops(cut)), theirs, _difference, rounds=4)


def full_context(network: Any, texts: list[str]) -> Vectors:
    """open_clip as its README uses it: unit vectors."""
    tokenizer = open_clip.get_tokenizer(ARCHITECTURE)
    with torch.inference_mode():
        parts = [network.encode_text(tokenizer(texts[i : i + BATCH])) for i in range(0, len(texts), BATCH)]
    return np.asarray(torch.nn.functional.normalize(torch.cat(parts), dim=-1).numpy())


def _difference(ours: Vectors, theirs: Vectors) -> str:
    return f"largest difference of a coordinate {float(np.abs(ours - theirs).max()):.1e}"
