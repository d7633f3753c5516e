"""A control whose images lie nearer to their own caption than to any other text."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from clipaudit.contract import Need
from clipaudit.embedding.scoring import score_labels
from clipaudit.images import ImageRef
from clipaudit.models.control_chance import direction
from clipaudit.models.control_params import ControlParams
from clipaudit.models.protocol import Embedded, Scores
from clipaudit.results import ModelInfo


class CaptionParams(ControlParams):
    """`captions`: a text is a random unit vector of its own, an image r times that of its own caption and, for the
    rest of its length, a random one, with r = lead / sqrt(lead^2 + dim).

    Then the cosine with the own caption is normal with mean `lead` and any other with mean 0, in units of their common
    standard deviation (for many dimensions): the own caption beats one other with probability Phi(lead / sqrt(2)).
    """

    lead: float = Field(default=1.0, ge=0, le=20, description="By how many standard deviations.")
    column: str = Field(default="caption", min_length=1, description="Column that holds the own caption.")
    dim: int = Field(default=256, ge=16, le=4096, description="Dimensions.")


class CaptionControl:
    """See CaptionParams."""

    capabilities = frozenset({Need.SCORES, Need.EMBEDDINGS})

    def __init__(self, info: ModelInfo, params: CaptionParams) -> None:
        self.info = info.model_copy(update={"embedding_dim": params.dim, "logit_scale": 100.0})
        self._params = params

    def embed_images(self, images: Sequence[ImageRef]) -> Embedded:
        vectors = np.array([self._image(image) for image in images]).reshape(len(images), self._params.dim)
        return Embedded(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), (None,) * len(images))

    def embed_texts(self, texts: Sequence[str]) -> Embedded:
        vectors = np.array([self._text(text) for text in texts]).reshape(len(texts), self._params.dim)
        return Embedded(vectors, (None,) * len(texts))

    def score_labels(self, images: Sequence[ImageRef], labels: Sequence[str], templates: Sequence[str]) -> Scores:
        return score_labels(self, images, labels, templates)

    def _image(self, image: ImageRef) -> NDArray[np.float64]:
        lead, dim = self._params.lead, self._params.dim
        own = direction(dim, self._params.seed, "image", image.id)
        text = self._text(" ".join(image.attributes.get(self._params.column, "").split()))
        return np.asarray(np.sqrt(dim) * own + lead * text)

    def _text(self, text: str) -> NDArray[np.float64]:
        return direction(self._params.dim, self._params.seed, "text", text)
