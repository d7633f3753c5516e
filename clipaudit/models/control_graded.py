"""A control whose confidence varies from image to image, and says as much about its answers as is planted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import Field

from clipaudit.contract import Need
from clipaudit.errors import NotSupported
from clipaudit.images import ImageRef
from clipaudit.models.control_chance import pick, uniform
from clipaudit.models.control_decisions import known, tidy
from clipaudit.models.control_params import ControlParams, Share
from clipaudit.models.protocol import Embedded, Scores
from clipaudit.results import ModelInfo


class GradedParams(ControlParams):
    """`graded`: an image's confidence c is uniform on `low` to `high`, whose middle is m; its answer is right with
    probability accuracy + slope (c - m).

    With slope 1 the calibration error is |m - accuracy|, at every confidence; with accuracy m as well the model is
    calibrated. Leaving out the less sure half gains slope (high - low) / 4. The label that is decided for gets the
    confidence, the others share the rest evenly.
    """

    low: Share = Field(default=0.5, description="Least confidence; more than one over the number of labels.")
    high: Share = Field(default=0.9, description="Largest confidence.")
    accuracy: Share = Field(default=0.7, description="Probability of the right label, in the mean.")
    slope: float = Field(default=1.0, ge=-5, le=5, description="How much surer answers are more often right.")


class GradedControl:
    """See GradedParams. It has no embeddings, and templates have no effect."""

    capabilities = frozenset({Need.SCORES})

    def __init__(self, info: ModelInfo, params: GradedParams) -> None:
        self.info = info
        self._params = params

    def embed_images(self, images: Sequence[ImageRef]) -> Embedded:
        raise NotSupported(f"{self.info.name} gives probabilities and has no embeddings")

    def embed_texts(self, texts: Sequence[str]) -> Embedded:
        raise NotSupported(f"{self.info.name} gives probabilities and has no embeddings")

    def score_labels(self, images: Sequence[ImageRef], labels: Sequence[str], templates: Sequence[str]) -> Scores:
        """(n, m) probabilities. An image without one of the labels is an error."""
        offered = {tidy(label): label for label in labels}
        values = np.zeros((len(images), len(labels)))
        errors: list[str | None] = [None] * len(images)
        for i, image in enumerate(images):
            right = known(image, "label", offered)
            if right not in labels:
                values[i], errors[i] = np.nan, f"{image.id}: {self.info.name} needs an image with one of the labels"
                continue
            sure, answer = self._decide(image.id, str(right), labels)
            values[i] = (1 - sure) / max(1, len(labels) - 1)
            values[i, list(labels).index(answer)] = sure
        return Scores(values, "probability", tuple(errors), "label")

    def _decide(self, item: str, right: str, labels: Sequence[str]) -> tuple[float, str]:
        params, seed = self._params, self._params.seed
        sure = params.low + (params.high - params.low) * uniform(seed, "confidence", item)
        chance = params.accuracy + params.slope * (sure - (params.low + params.high) / 2)
        others = [label for label in labels if label != right]
        hit = not others or uniform(seed, "right", item) < chance
        return sure, right if hit else pick(others, seed, "other", item)
