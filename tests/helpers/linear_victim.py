"""A linear dual encoder, pictures for it, and the exact distance of each to the nearest other class."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from clipaudit_audits.robustness.attacks.ensemble import Subjects
from clipaudit_audits.robustness.attacks.victim import Victim
from PIL import Image

from clipaudit.data.dataset import Dataset
from clipaudit.models.load import load_encoder
from clipaudit.results import DataInfo

SIDE, DIM, CLASSES = 12, 16, ("cup", "hat", "key", "leaf", "moon")
SPEC = f"control:linear?dim={DIM}&side={SIDE}"


@dataclass(frozen=True)
class Drawn:
    """A picture held in memory."""

    id: str
    pixels: np.ndarray = field(repr=False)
    label: str

    @property
    def attributes(self) -> Mapping[str, str]:
        return {"label": self.label}

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.pixels.tobytes()).hexdigest()

    def load(self) -> Image.Image:
        return Image.fromarray(self.pixels)


def class_weights(spec: str = SPEC) -> torch.Tensor:
    return load_encoder(spec).encode_texts([f"a photo of a {name}." for name in CLASSES])


def pictures(n: int, seed: int = 0) -> list[Drawn]:
    """Pictures that lean to their class by more or less, no pixel near 0 or 1."""
    rng, weights, matrix = np.random.default_rng(seed), class_weights(), load_encoder(SPEC).matrix
    found = []
    for i in range(n):
        label = i % len(CLASSES)
        lean = (rng.uniform(0.2, 1.0) * weights[label] @ matrix).numpy()
        grain = rng.uniform(-0.05, 0.05, lean.shape)
        pixels = (0.5 + lean + grain).clip(0.25, 0.75).reshape(3, SIDE, SIDE).transpose(1, 2, 0)
        found.append(Drawn(f"{i:03d}", (pixels * 255).round().astype(np.uint8), CLASSES[label]))
    return found


def dataset(n: int, seed: int = 0, thumbnails: bool = True) -> Dataset:
    info = DataInfo(
        id="drawn", title="Drawn", digest=f"{n}-{seed}", items=n, licence="CC0-1.0", consent="none needed",
        thumbnails=thumbnails,
    )  # fmt: skip
    return Dataset(info, pictures(n, seed), columns=("label",))


def victim(batch: int = 16, scale: float = 1.0) -> Victim:
    return Victim(load_encoder(SPEC), class_weights(), scale, batch)


def subjects(n: int, seed: int = 0) -> Subjects:
    """Those of n pictures that the model gets right."""
    encoder, drawn = load_encoder(SPEC), pictures(n, seed)
    pixels = torch.stack([encoder.preprocess(one.load()) for one in drawn])
    labels = torch.tensor([CLASSES.index(one.label) for one in drawn])
    scores = victim().scores(pixels)
    right = torch.nonzero(scores.argmax(dim=1) == labels)[:, 0]
    return Subjects(pixels[right], labels[right], scores[right], tuple(right.tolist()))


def exact_distances(pixels: torch.Tensor, labels: torch.Tensor, norm: str) -> np.ndarray:
    """(n,) closed form: min over c of (u_y - u_c) . A (x - 1/2) over the dual norm of A' (u_y - u_c); float64.

    Negative for images of another class. Holds as long as no pixel leaves [0, 1].
    """
    matrix, weights = load_encoder(SPEC).matrix.double().numpy(), class_weights().double().numpy()
    flat = pixels.double().flatten(1).numpy() - 0.5
    found = np.full(len(flat), np.inf)
    for i, label in enumerate(labels.tolist()):
        for other in range(len(weights)):
            if other != label:
                way = (weights[label] - weights[other]) @ matrix
                dual = np.abs(way).sum() if norm == "linf" else np.linalg.norm(way)
                found[i] = min(found[i], float(flat[i] @ way / dual))
    return found
