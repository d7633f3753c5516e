"""A control that prefers some labels for some images, more often for one group than for the others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from clipaudit.contract import Need
from clipaudit.errors import NotSupported
from clipaudit.images import ImageRef
from clipaudit.models.control_chance import uniform
from clipaudit.models.control_decisions import tidy
from clipaudit.models.control_params import PreferringParams
from clipaudit.models.protocol import Embedded, Scores
from clipaudit.results import ModelInfo


class PreferringControl:
    """See PreferringParams. It has no embeddings, and templates have no effect."""

    capabilities = frozenset({Need.SCORES})

    def __init__(self, info: ModelInfo, params: PreferringParams) -> None:
        self.info = info
        self._params = params

    def embed_images(self, images: Sequence[ImageRef]) -> Embedded:
        raise NotSupported(f"{self.info.name} gives scores and has no embeddings")

    def embed_texts(self, texts: Sequence[str]) -> Embedded:
        raise NotSupported(f"{self.info.name} gives scores and has no embeddings")

    def score_labels(self, images: Sequence[ImageRef], labels: Sequence[str], templates: Sequence[str]) -> Scores:
        """(n, m) in [-1, 1]: labels that are preferred for an image above 0, the others below, by chance each."""
        params, seed = self._params, self._params.seed
        words = {tidy(word) for word in params.words}
        chosen = np.array([tidy(label) in words for label in labels])
        first = np.array([self._prefers(image) for image in images])
        sign = np.where(first[:, None] == chosen[None], 1.0, -1.0)
        size = np.array([[uniform(seed, "score", image.id, label) for label in labels] for image in images])
        values = (sign * (0.1 + 0.9 * size)).reshape(len(images), len(labels))
        return Scores(values, "cosine", (None,) * len(images), "label")

    def _prefers(self, image: ImageRef) -> bool:
        params = self._params
        inside = image.attributes.get(params.attribute) in params.level
        return uniform(params.seed, "prefers", image.id) < (params.rate if inside else params.otherwise)
