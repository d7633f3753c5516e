"""What a plan costs, before it is run: forward passes not yet in the cache, seconds from a measured rate, disk."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from clipaudit.embedding.cache import Modality
from clipaudit.embedding.live import LiveModel
from clipaudit.embedding.shards import as_keys
from clipaudit.engine.plan import Plan
from clipaudit.errors import ImageError
from clipaudit.images import ImageRef
from clipaudit.models.protocol import Model

PROBE_ITEMS = 16  # embedded to measure the rate


@dataclass(frozen=True)
class Cost:
    """Forward passes still to be made, and what they take. Rates are None for models that compute nothing.

    `beyond` are the seconds of work that is more than embedding, such as attacks, as the audits foresee them.
    """

    images: int
    images_cached: int
    texts: int
    texts_cached: int
    images_per_second: float | None
    texts_per_second: float | None
    disk_bytes: int
    beyond: float = 0.0

    @property
    def seconds(self) -> float:
        """Passes through the network alone; drawing, decoding and statistics come on top where they do not overlap."""
        rates = (
            (self.images - self.images_cached, self.images_per_second),
            (self.texts - self.texts_cached, self.texts_per_second),
        )
        return self.beyond + sum(count / rate for count, rate in rates if rate)


def estimate_cost(plan: Plan, model: Model) -> Cost:
    """Look the plan's content up in the cache and time a batch of the model on the plan's own data."""
    images, texts = list(plan.images().values()), plan.texts()
    if not isinstance(model, LiveModel):
        return Cost(len(images), len(images), len(texts), len(texts), None, None, 0)
    wanted = {
        "image": {digest for image in images if (digest := _digest(image))},
        "text": {_sha256(text) for text in texts},
    }
    cached = {kind: _count_cached(model, kind, digests) for kind, digests in wanted.items()}
    new = sum(len(digests) - cached[kind] for kind, digests in wanted.items())
    return Cost(
        images=len(wanted["image"]),
        images_cached=cached["image"],
        texts=len(wanted["text"]),
        texts_cached=cached["text"],
        images_per_second=_image_rate(model, images[:PROBE_ITEMS]),
        texts_per_second=_text_rate(model, texts[:PROBE_ITEMS]),
        disk_bytes=new * 4 * (model.info.embedding_dim or 512),
        beyond=sum(p.audit.seconds(p.cell, model) for p in plan.cells if p.cell.spec.needs <= model.capabilities),
    )


def _count_cached(model: LiveModel, kind: str, digests: set[str]) -> int:
    modality: Modality = "image" if kind == "image" else "text"
    _, found = model.cache.store(model.info.fingerprint, modality).get(as_keys(sorted(digests)))
    return int(found.sum())


def _image_rate(model: LiveModel, images: Sequence[ImageRef]) -> float | None:
    """Images per second, drawing and decoding included; None where none can be read."""
    import torch

    started, pixels = time.perf_counter(), []
    for image in images:
        with suppress(ImageError):
            pixels.append(model.encoder.preprocess(image.load()))
    if not pixels:
        return None
    batch = torch.stack(pixels).to(model.encoder.device)
    drawn = time.perf_counter() - started
    seconds = _seconds(lambda: model.encoder.encode_pixels(batch))
    return len(pixels) / (seconds + drawn)


def _text_rate(model: LiveModel, texts: Sequence[str]) -> float | None:
    if not texts:
        return None
    return len(texts) / _seconds(lambda: model.encoder.encode_texts(texts))


def _seconds(forward: Callable[[], object]) -> float:
    """Time of one pass after a warm-up."""
    import torch

    with torch.inference_mode():
        forward()
        started = time.perf_counter()
        forward()
        return time.perf_counter() - started


def _digest(image: ImageRef) -> str | None:
    try:
        return image.digest
    except ImageError:
        return None


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
