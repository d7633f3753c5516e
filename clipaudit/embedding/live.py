"""A network as a `Model`: decode threads, batches, precision of the last bit, out-of-memory, cache."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing

import numpy as np
from numpy.typing import NDArray

from clipaudit.contract import Need
from clipaudit.embedding.batches import BatchLimit, by_length, unit_rows, with_lengths
from clipaudit.embedding.cache import EmbeddingCache, Modality, Store
from clipaudit.embedding.decode import content_digests, decoded
from clipaudit.embedding.scoring import score_labels
from clipaudit.embedding.shards import as_keys
from clipaudit.images import ImageRef
from clipaudit.models.protocol import DualEncoder, Embedded, Scores
from clipaudit.results import ModelInfo

IMAGE_BATCH = 32
TEXT_BATCH = 64
_NO_DIGEST = "unreadable"  # hashes to a key that no content has

_log = logging.getLogger(__name__)

Batch = tuple[list[int], NDArray[np.float32]]  # positions, and their unit vectors (with lengths for texts)
OnBatch = Callable[[str, int, int], None]


class LiveModel:
    """Embeds each distinct image and text once, ever: what the cache holds is not computed.

    Attributes:
        encoder: the network; audits that need gradients use it directly.
        counters: images_computed, images_from_cache, texts_computed, texts_from_cache (distinct items per call).

    on_batch is called with ("image" | "text", done, total) after each batch, over the distinct items of one call.
    """

    def __init__(self, encoder: DualEncoder, cache: EmbeddingCache, on_batch: OnBatch | None = None) -> None:
        self.encoder = encoder
        self.cache = cache
        self.on_batch = on_batch
        self.counters = dict.fromkeys(("images_computed", "images_from_cache", "texts_computed", "texts_from_cache"), 0)
        self._workers = min(8, os.cpu_count() or 1)
        self._image_limit = BatchLimit(IMAGE_BATCH, lambda size: self._halved("image", size))
        self._text_limit = BatchLimit(TEXT_BATCH, lambda size: self._halved("text", size))

    @property
    def info(self) -> ModelInfo:
        return self.encoder.info

    @property
    def capabilities(self) -> frozenset[Need]:
        return self.encoder.capabilities

    def embed_images(self, images: Sequence[ImageRef]) -> Embedded:
        """(n, d) float32 unit vectors; an image that cannot be read is an error of that image."""
        digests, errors = content_digests(images, workers=self._workers)

        def compute(missing: list[int]) -> Iterator[Batch]:
            return self._image_batches([images[i] for i in missing], missing, errors)

        return self._embed("image", [digest or _NO_DIGEST for digest in digests], errors, compute)

    def embed_texts(self, texts: Sequence[str]) -> Embedded:
        """(n, d) float32 unit vectors and their lengths; a text longer than the context is an error of that text."""
        errors: list[str | None] = [None] * len(texts)
        digests = [hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest() for text in texts]

        def compute(missing: list[int]) -> Iterator[Batch]:
            return self._text_batches(texts, missing, errors)

        found = self._embed("text", digests, errors, compute)
        return Embedded(found.vectors[:, :-1], found.errors, found.vectors[:, -1])

    def score_labels(self, images: Sequence[ImageRef], labels: Sequence[str], templates: Sequence[str]) -> Scores:
        """Cosine to the renormalised mean of the unit prompt embeddings (Radford 2021, 3.1.4)."""
        return score_labels(self, images, labels, templates)

    def close(self) -> None:
        """Write what the cache still holds in memory, and tidy it."""
        self.cache.close()

    # --- one call ---------------------------------------------------------------------------------------------

    def _embed(
        self,
        modality: Modality,
        digests: Sequence[str],
        errors: list[str | None],
        compute: Callable[[list[int]], Iterator[Batch]],
    ) -> Embedded:
        """Look up, compute what is missing (first occurrence of each content), and fill in the repetitions."""
        keys = as_keys(digests)
        store = self.cache.store(self.info.fingerprint, modality)
        vectors, found = store.get(keys)
        first: dict[str, int] = {}
        source = np.array([first.setdefault(digest, i) for i, digest in enumerate(digests)], np.intp)
        missing = [i for i in first.values() if not found[i] and errors[i] is None]
        done = sum(bool(found[i]) for i in first.values())
        total = done + len(missing)
        self.counters[f"{modality}s_from_cache"] += done
        try:
            for positions, values in compute(missing):
                if vectors.shape[1] == 0:
                    vectors = np.full((len(keys), values.shape[1]), np.nan, np.float32)
                vectors[positions] = values
                done += len(positions)
                self._keep(store, modality, keys, positions, values, errors)
                if self.on_batch is not None:
                    self.on_batch(modality, done, total)
        finally:
            store.flush()
        if vectors.shape[1] == 0:
            width = (self.info.embedding_dim or 0) + (modality == "text")
            vectors = np.full((len(keys), width), np.nan, np.float32)
        repeated = np.flatnonzero(source != np.arange(len(source)))
        vectors[repeated] = vectors[source[repeated]]
        for i in repeated:
            errors[i] = errors[i] or errors[source[i]]
        return Embedded(vectors, tuple(errors))

    def _keep(
        self,
        store: Store,
        modality: Modality,
        keys: NDArray[np.bytes_],
        positions: list[int],
        values: NDArray[np.float32],
        errors: list[str | None],
    ) -> None:
        """Store one batch; a vector that is not finite is an error of its item and is not stored."""
        sound = np.isfinite(values).all(axis=1)
        self.counters[f"{modality}s_computed"] += len(positions)
        for i in np.asarray(positions)[~sound]:
            errors[i] = f"the model gives no finite embedding for this {modality}"
        if sound.any():
            store.put(keys[positions][sound], values[sound])

    # --- forward passes ---------------------------------------------------------------------------------------

    def _image_batches(
        self, images: Sequence[ImageRef], positions: Sequence[int], errors: list[str | None]
    ) -> Iterator[Batch]:
        import torch

        def forward(rows: list[int]) -> NDArray[np.floating]:
            pixels = torch.stack([batch[row] for row in rows]).to(self.encoder.device)
            with torch.inference_mode():
                return self.encoder.encode_pixels(pixels).float().cpu().numpy()

        with closing(decoded(images, self.encoder.preprocess, workers=self._workers, ahead=2 * IMAGE_BATCH)) as stream:
            for start in range(0, len(images), IMAGE_BATCH):
                members, batch = [], []
                for position in positions[start : start + IMAGE_BATCH]:
                    pixels = next(stream)
                    if isinstance(pixels, str):
                        errors[position] = pixels
                    else:
                        members.append(position)
                        batch.append(pixels)
                if members:
                    yield members, unit_rows(self._image_limit.run(forward, len(batch)))

    def _text_batches(
        self, texts: Sequence[str], positions: Sequence[int], errors: list[str | None]
    ) -> Iterator[Batch]:
        import torch

        def forward(rows: list[int]) -> NDArray[np.floating]:
            with torch.inference_mode():
                return self.encoder.encode_texts([texts[members[row]] for row in rows]).float().cpu().numpy()

        lengths = {position: self.encoder.text_length(texts[position]) for position in positions}
        context = self.info.context_length
        fitting = []
        for position, length in lengths.items():
            if context is not None and length > context:
                errors[position] = too_long(texts[position], length, context)
            else:
                fitting.append(position)
        for group in by_length([lengths[position] for position in fitting], TEXT_BATCH):
            members = [fitting[i] for i in group]
            yield members, with_lengths(self._text_limit.run(forward, len(members)))

    def _halved(self, modality: Modality, size: int) -> None:
        _log.warning("out of memory: going on with %s batches of %d", modality, size)


def too_long(text: str, length: int, context: int) -> str:
    """The error of a text that the model cannot read whole."""
    shown = text if len(text) <= 60 else text[:57] + "..."
    return f"text {shown!r} has {length} tokens, but the model reads at most {context}; shorten it"
