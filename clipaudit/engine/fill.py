"""Embeddings ahead of a run: what a plan shows the model, into the cache, in shares that many machines can take.

Cells are few and of unequal size; images are many and alike. After this a run makes no forward pass but for attacks.
"""

from __future__ import annotations

from dataclasses import dataclass

from clipaudit.embedding.live import LiveModel
from clipaudit.engine.plan import Plan
from clipaudit.engine.shard import Shard
from clipaudit.errors import UsageError
from clipaudit.models.protocol import Model

CHUNK = 4096  # items whose vectors are in memory at once


@dataclass(frozen=True)
class Filled:
    """Distinct items of a share, and how many of them the model was shown."""

    images: int
    texts: int
    computed: int


def fill(plan: Plan, model: Model, shard: Shard) -> Filled:
    """Embed a share of the plan's distinct images and texts that is not in the cache yet. What cannot be read is passed
    over: it is an error of the cell that shows it. UsageError for a model that computes nothing."""
    if not isinstance(model, LiveModel):
        raise UsageError(f"model {model.info.spec!r} computes no embeddings: there is nothing to do ahead of the run")
    images, texts = shard.items(list(plan.images().values())), shard.items(plan.texts())
    before = _computed(model)
    for start in range(0, len(images), CHUNK):
        model.embed_images(images[start : start + CHUNK])
    for start in range(0, len(texts), CHUNK):
        model.embed_texts(texts[start : start + CHUNK])
    return Filled(len(images), len(texts), _computed(model) - before)


def _computed(model: LiveModel) -> int:
    return model.counters["images_computed"] + model.counters["texts_computed"]
