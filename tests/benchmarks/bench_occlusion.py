"""Occlusion maps, and Grad-CAM that stands in for them, against a loop with one forward pass per covered patch."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import torch
from bench_images import reference
from clipaudit_audits.meaning.attention_shift_choices import Choice, choose, occluded
from clipaudit_audits.meaning.attention_shift_params import AttentionShiftParams
from clipaudit_audits.meaning.attention_shift_run import resized
from clipaudit_audits.meaning.relevance.methods import method_for
from clipaudit_audits.meaning.relevance.occlusion import cell_edges, occlusion
from numpy.typing import NDArray
from PIL import Image
from side_by_side import Bench, Side, flops

from clipaudit.data.registry import DataRegistry
from clipaudit.embedding.cache import EmbeddingCache
from clipaudit.embedding.live import LiveModel
from clipaudit.images import ImageRef

PICTURES = 2
PARAMS = AttentionShiftParams(fill="mean", method="occlusion")
Maps = NDArray[np.float64]  # (PICTURES, P, G, G)


def benches() -> Iterator[Bench]:
    _, network, preprocess, encoder = reference()
    choices = choose(DataRegistry({}).open("objects"), PARAMS, 0)[:PICTURES]
    images = len(choices) * (PARAMS.grid**2 + 1)
    pixels = torch.rand(1, 3, 224, 224, requires_grad=True)
    forward = flops(lambda: network.encode_image(pixels))
    both = flops(lambda: torch.autograd.backward(encoder.encode_pixels(pixels).sum()))
    vectors = _directions(encoder, choices)
    naive = Side(
        "one forward pass per patch",
        lambda: np.stack([loop(network, preprocess, one, v) for one, v in zip(choices, vectors, strict=True)]),
        lambda: images * forward,
    )
    with tempfile.TemporaryDirectory() as folder:
        ours = Covering(encoder, choices, Path(folder))
        yield Bench("occlusion", Side("clipaudit", ours.occlusion, lambda: images * forward), naive, _same)
        relevance = Side("Grad-CAM", lambda: ours.gradcam(vectors), lambda: len(choices) * both)
        yield Bench("Grad-CAM instead of occlusion", relevance, naive, _alike)


class Covering:
    """Maps as the audit makes them, with an empty cache each time."""

    def __init__(self, encoder: Any, choices: list[Choice], folder: Path) -> None:
        self.encoder, self.choices, self.folder = encoder, choices, folder
        self._turn = count()

    def occlusion(self) -> Maps:
        model = LiveModel(self.encoder, EmbeddingCache(self.folder / str(next(self._turn))))
        maps = []
        for choice in self.choices:
            images: list[ImageRef] = [choice.shown, *occluded(choice, PARAMS)[:-1]]
            texts = list(choice.prompts.values())
            values = np.asarray(model.score_labels(images, texts, ("{}",)).values, np.float64)
            maps.append(occlusion(values[0], values[1:]))
        return np.stack(maps)

    def gradcam(self, vectors: torch.Tensor) -> Maps:
        """vectors: (PICTURES, P, d) unit vectors of the prompts."""
        model = LiveModel(self.encoder, EmbeddingCache(self.folder / "unused"))
        inside = method_for(model).inside
        assert inside is not None
        pixels = torch.stack([self.encoder.preprocess(choice.shown.load()) for choice in self.choices])
        return resized(inside.maps(pixels, vectors), PARAMS.grid)


def loop(network: Any, preprocess: Any, choice: Choice, vectors: torch.Tensor) -> Maps:
    """What one writes: cover a patch with the mean colour, preprocess, one forward pass, the drop of the cosine."""
    picture = np.asarray(choice.shown.load())
    mean = picture.astype(np.float32).mean(axis=(0, 1)).round().astype(np.uint8)
    edges = cell_edges(len(picture), PARAMS.grid)

    def scores(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
        with torch.inference_mode():
            found = network.encode_image(preprocess(Image.fromarray(pixels))[None], normalize=True)
        return np.asarray((found @ vectors.T)[0].double().numpy())

    whole, covered = scores(picture), []
    for row in range(PARAMS.grid):
        for column in range(PARAMS.grid):
            pixels = picture.copy()
            pixels[edges[row] : edges[row + 1], edges[column] : edges[column + 1]] = mean
            covered.append(scores(pixels))
    return occlusion(whole, np.stack(covered))


def _directions(encoder: Any, choices: list[Choice]) -> torch.Tensor:
    """(PICTURES, P, d) unit vectors of the prompts."""
    with torch.no_grad():
        parts = [encoder.encode_texts(list(choice.prompts.values())) for choice in choices]
    return torch.nn.functional.normalize(torch.stack(parts), dim=-1)


def _same(ours: Maps, theirs: Maps) -> str:
    return f"largest difference of a drop {np.abs(ours - theirs).max():.1e}, largest drop {np.abs(theirs).max():.2f}"


def _alike(ours: Maps, theirs: Maps) -> str:
    return f"another question, so the maps differ: correlation {np.corrcoef(ours.ravel(), theirs.ravel())[0, 1]:.2f}"
