"""`--model py:leaky:build`: models that say what they should keep to themselves, and one that looks for the network."""

from __future__ import annotations

import os
import urllib.request
from collections.abc import Sequence

import numpy as np

from clipaudit.contract import Need
from clipaudit.images import ImageRef
from clipaudit.models.protocol import Embedded, Scores
from clipaudit.results import ModelInfo


class Leaky:
    """Errors with a token in the message, as clients of web services have; notes with a password in an address."""

    def __init__(self, way: str) -> None:
        self.capabilities = frozenset({Need.SCORES, Need.EMBEDDINGS})
        self.info = ModelInfo(
            spec="py:leaky:build", name=f"leaky {os.environ.get('MY_API_KEY', '')}", fingerprint="1eaf" * 16,
            kind="python", capabilities=("embeddings", "scores"), embedding_dim=4, logit_scale=100.0,
            warnings=("Weights from https://me:canary-in-address@example.org/w?token=canary-in-query.",),
        )  # fmt: skip
        self.way = way

    def embed_images(self, images: Sequence[ImageRef]) -> Embedded:
        return Embedded(np.ones((len(images), 4), np.float32) / 2, (None,) * len(images))

    def embed_texts(self, texts: Sequence[str]) -> Embedded:
        return Embedded(np.ones((len(texts), 4), np.float32) / 2, (None,) * len(texts))

    def score_labels(self, images: Sequence[ImageRef], labels: Sequence[str], templates: Sequence[str]) -> Scores:
        if self.way == "calls":
            urllib.request.urlopen("http://example.org/", timeout=2)
        if self.way == "fails":
            raise RuntimeError(f"the service refused {os.environ.get('AWS_SECRET_ACCESS_KEY', 'nobody')}")
        values = np.random.default_rng(0).random((len(images), len(labels)))
        values[0] = np.nan
        faults = [f"{images[0].id}: 401 for {os.environ.get('HF_TOKEN', 'nobody')}", *[None] * (len(images) - 1)]
        return Scores(values, "cosine", tuple(faults))


def build() -> Leaky:
    return Leaky("tells")


def failing() -> Leaky:
    return Leaky("fails")


def caller() -> Leaky:
    return Leaky("calls")
