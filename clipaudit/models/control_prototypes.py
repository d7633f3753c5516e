"""A control whose images lie around the centres of their labels: probes can learn what its texts do not know."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from clipaudit.contract import Need
from clipaudit.embedding.scoring import score_labels
from clipaudit.images import ImageRef
from clipaudit.models.control_chance import direction, uniform
from clipaudit.models.control_params import PrototypeParams
from clipaudit.models.control_vectors import holds
from clipaudit.models.protocol import Embedded, Scores
from clipaudit.results import ModelInfo


class PrototypeControl:
    """See PrototypeParams."""

    capabilities = frozenset({Need.SCORES, Need.EMBEDDINGS})

    def __init__(self, info: ModelInfo, params: PrototypeParams) -> None:
        self.info = info.model_copy(update={"embedding_dim": params.dim, "logit_scale": 100.0})
        self._params = params
        ranked = sorted(params.labels, key=lambda label: uniform(params.seed, "known", label))
        self.known = frozenset(ranked[: round(params.known * len(ranked))])

    def embed_images(self, images: Sequence[ImageRef]) -> Embedded:
        rows = [self._centre(image.attributes.get("label", "")) + self._own(image) for image in images]
        vectors = np.array(rows).reshape(len(rows), self._params.dim)
        return Embedded(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), (None,) * len(rows))

    def embed_texts(self, texts: Sequence[str]) -> Embedded:
        return Embedded(np.array([self._text(text) for text in texts]), (None,) * len(texts))

    def score_labels(self, images: Sequence[ImageRef], labels: Sequence[str], templates: Sequence[str]) -> Scores:
        return score_labels(self, images, labels, templates)

    def _centre(self, label: str) -> NDArray[np.float64]:
        return direction(self._params.dim, self._params.seed, "centre", label)

    def _own(self, image: ImageRef) -> NDArray[np.float64]:
        return self._params.spread * direction(self._params.dim, self._params.seed, "image", image.id)

    def _text(self, prompt: str) -> NDArray[np.float64]:
        label = holds(prompt, self._params.labels)
        if label in self.known:
            return self._centre(str(label))
        return direction(self._params.dim, self._params.seed, "text", prompt if label is None else label)
