"""A control that gives probabilities, whose accuracy depends on the wording or on what is known of the image."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from clipaudit.contract import Need
from clipaudit.errors import NotSupported
from clipaudit.images import ImageRef
from clipaudit.models.control_chance import pick, uniform
from clipaudit.models.control_decisions import tidy
from clipaudit.models.control_params import VariedParams
from clipaudit.models.control_vectors import holds
from clipaudit.models.protocol import Embedded, Scores
from clipaudit.results import ModelInfo


class VariedControl:
    """See VariedParams. It has no embeddings."""

    capabilities = frozenset({Need.SCORES})

    def __init__(self, info: ModelInfo, params: VariedParams) -> None:
        self.info = info
        self._params = params

    def embed_images(self, images: Sequence[ImageRef]) -> Embedded:
        raise NotSupported(f"{self.info.name} gives probabilities and has no embeddings")

    def embed_texts(self, texts: Sequence[str]) -> Embedded:
        raise NotSupported(f"{self.info.name} gives probabilities and has no embeddings")

    def score_labels(self, images: Sequence[ImageRef], labels: Sequence[str], templates: Sequence[str]) -> Scores:
        """(n, m) probabilities, the mean over the templates. An image without a label is an error."""
        offered = {tidy(label): j for j, label in enumerate(labels)}
        values = np.zeros((len(images), len(labels)))
        errors: list[str | None] = [None] * len(images)
        rest = (1 - self._params.confidence) / max(1, len(labels) - 1)
        for i, image in enumerate(images):
            name = image.attributes.get("label")
            if name is None:
                values[i], errors[i] = np.nan, f"{image.id}: {self.info.name} needs an image with a label"
                continue
            right = offered.get(tidy(name), _reworded(name, labels))
            for template in templates:
                row = np.full(len(labels), rest if len(labels) > 1 else 0.0)
                row[self._decide(image, right, labels, template)] = self._params.confidence if len(labels) > 1 else 1.0
                values[i] += row / len(templates)
        return Scores(values, "probability", tuple(errors))

    def _decide(self, image: ImageRef, right: int | None, labels: Sequence[str], template: str) -> int:
        params = self._params
        met = params.when and all(
            word in image.attributes.values() or holds(template, [word]) is not None for word in params.when
        )
        named = (image.id,) if params.luck == "image" else (image.id, template)
        luck = uniform(params.seed, "accuracy", *named)
        if right is not None and (luck < (params.then if met else params.accuracy) or len(labels) == 1):
            return right
        others = [label for j, label in enumerate(labels) if j != right]
        return list(labels).index(pick(others, params.seed, "other", *named))


def _reworded(name: str, labels: Sequence[str]) -> int | None:
    """The first label that holds the name as a whole word."""
    return next((j for j, label in enumerate(labels) if holds(label, [name]) is not None), None)
