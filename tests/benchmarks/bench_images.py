"""Embedding photographs, decoding included: the pipeline, cold and warm, against a loop over open_clip."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import chdir
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import torch
from numpy.typing import NDArray
from PIL import Image
from side_by_side import Bench, Side, flops

from clipaudit.data.files import FileImage
from clipaudit.embedding.cache import EmbeddingCache
from clipaudit.embedding.live import LiveModel
from clipaudit.models.load import load_encoder
from clipaudit.models.precision import bfloat16_units
from clipaudit.models.protocol import DualEncoder

IMAGES, BATCH = 64, 32
ARCHITECTURE = "ViT-B-32"
Vectors = NDArray[np.floating]


def benches() -> Iterator[Bench]:
    logging.disable(logging.WARNING)  # open_clip says that random weights are random
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = photographs(folder, IMAGES)
        yield from _of_model(*vit(folder), paths, folder)
        yield from _of_model(*reference(), paths, folder)


def _of_model(
    title: str, network: Any, preprocess: Callable[[Image.Image], torch.Tensor], encoder: DualEncoder,
    paths: Sequence[Path], folder: Path,
) -> Iterator[Bench]:  # fmt: skip
    """Cold, warm, and cold in bfloat16 where the hardware has it; theirs is the same loop in float32 each time."""
    pixels = torch.rand(1, 3, 224, 224, requires_grad=True)
    work = len(paths) * flops(lambda: network.encode_image(pixels))
    theirs = Side("open_clip loop", lambda: plain(network, preprocess, paths), lambda: work)
    run = Pipeline(encoder, paths, folder / title)
    yield Bench(f"images, {title}, cold", Side("clipaudit", run.cold, lambda: work), theirs, same_direction)
    yield Bench(f"images, {title}, warm", Side("clipaudit", run.warm, lambda: 0.0), theirs, same_direction, rounds=3)
    if bfloat16_units(encoder.device):
        half = Pipeline(encoder.cast("bfloat16"), paths, folder / f"{title}-bfloat16")  # type: ignore[attr-defined]
        ours = Side("clipaudit, bfloat16", half.cold, lambda: work)
        yield Bench(f"images, {title}, cold, bfloat16", ours, theirs, same_direction, rounds=3)


class Pipeline:
    """Images embedded as in a run: digests, decoding threads, batches, the cache written."""

    def __init__(self, encoder: DualEncoder, paths: Sequence[Path], folder: Path) -> None:
        self.encoder, self.folder = encoder, folder
        self.images = [FileImage(path.name, {}, path) for path in paths]
        self._turn = count()

    def cold(self) -> Vectors:
        """With an empty cache."""
        return self._run(self.folder / f"cold-{next(self._turn)}")

    def warm(self) -> Vectors:
        """With what the first call left."""
        return self._run(self.folder / "warm")

    def _run(self, cache: Path) -> Vectors:
        model = LiveModel(self.encoder, EmbeddingCache(cache))
        found = model.embed_images(self.images)
        model.close()
        return found.vectors


def plain(network: Any, preprocess: Callable[[Image.Image], torch.Tensor], paths: Sequence[Path]) -> Vectors:
    """What one writes without the toolkit: open, preprocess, stack, encode."""
    parts = []
    with torch.inference_mode():
        for first in range(0, len(paths), BATCH):
            batch = [preprocess(Image.open(path)) for path in paths[first : first + BATCH]]
            vectors = network.encode_image(torch.stack(batch))
            parts.append(torch.nn.functional.normalize(vectors, dim=-1).numpy())
    return np.concatenate(parts)


def vit(folder: Path) -> tuple[str, Any, Any, DualEncoder]:
    """ViT-B/32 with seeded random weights: time does not depend on them."""
    torch.manual_seed(0)
    network, _, preprocess = open_clip.create_model_and_transforms(
        ARCHITECTURE, load_weights=False, pretrained_text=False, pretrained_image=False
    )
    weights = folder / "weights.pt"
    torch.save(network.state_dict(), weights)
    return ARCHITECTURE, network.eval(), preprocess, load_encoder(f"{ARCHITECTURE}@{weights}")


def reference() -> tuple[str, Any, Any, DualEncoder]:
    """The reference encoder as open_clip loads it, and as we do."""
    from clipaudit.models.reference import ensure_reference

    with chdir(ensure_reference()):  # its configuration names the text tower's files relative to the folder
        network, _, preprocess = open_clip.create_model_and_transforms("local-dir:.")
    return "reference", network.eval(), preprocess, load_encoder("reference")


def same_direction(ours: Vectors, theirs: Vectors) -> str:
    return f"smallest cosine {float((ours * theirs).sum(axis=1).min()):.6f}"


def photographs(folder: Path, number: int) -> list[Path]:
    """JPEG files of 640 x 480 px whose content decodes about as slowly as a photograph's."""
    rng = np.random.default_rng(0)
    paths = []
    for i in range(number):
        coarse = Image.fromarray(rng.integers(0, 256, (30, 40, 3), np.uint8)).resize(
            (640, 480), Image.Resampling.BICUBIC
        )
        grain = rng.normal(0, 6, (480, 640, 1))
        path = folder / f"{i}.jpg"
        Image.fromarray(np.clip(np.asarray(coarse) + grain, 0, 255).astype(np.uint8)).save(path, quality=90)
        paths.append(path)
    return paths
