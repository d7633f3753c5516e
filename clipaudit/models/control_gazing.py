"""A control whose score is a sum over the patches of a picture that are not covered."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from clipaudit.contract import Need
from clipaudit.errors import NotSupported
from clipaudit.images import ImageRef
from clipaudit.models.control_chance import uniform
from clipaudit.models.control_params import ControlParams, Share
from clipaudit.models.control_vectors import holds
from clipaudit.models.protocol import Embedded, Scores
from clipaudit.results import ModelInfo
from clipaudit.zeroshot import fill

Floats = NDArray[np.float64]


class GazingParams(ControlParams):
    """`gazing`: the score of a text is the sum of its weights over the patches of a picture that are not covered.

    The weights of a text on an image are 1 - `wording` times those that the image has for every text, plus `wording`
    times those of this text alone; both are random and sum to one. Of a text that does not hold the image's label a
    share `moved` goes to weights that all such texts have in common. So a relevance map that is right is these weights,
    and with moved = 0 another word moves it as far as another wording does. Which patches are covered stands in the
    picture's attribute `covered`, a digit for each, 1 where it is; what follows "#" in its id is left out of its name.
    """

    moved: Share = Field(default=0.5, description="Share of the weights that another word moves.")
    wording: Share = Field(default=0.3, description="Share of the weights that hangs on the wording.")
    grid: int = Field(default=4, ge=2, le=28, description="Patches on a side.")


class GazingControl:
    """See GazingParams. It has no embeddings."""

    capabilities = frozenset({Need.SCORES})

    def __init__(self, info: ModelInfo, params: GazingParams) -> None:
        self.info = info
        self._params = params
        self._drawn = lru_cache(maxsize=None)(self._draw)
        self.weights = lru_cache(maxsize=None)(self._weights)

    def embed_images(self, images: Sequence[ImageRef]) -> Embedded:
        raise NotSupported(f"{self.info.name} gives scores and has no embeddings")

    def embed_texts(self, texts: Sequence[str]) -> Embedded:
        raise NotSupported(f"{self.info.name} gives scores and has no embeddings")

    def score_labels(self, images: Sequence[ImageRef], labels: Sequence[str], templates: Sequence[str]) -> Scores:
        """(n, m) scores, the mean over the templates. An image without a label is an error."""
        texts = [[fill(template, label) for template in templates] for label in labels]
        values = np.zeros((len(images), len(labels)))
        errors: list[str | None] = [None] * len(images)
        for i, image in enumerate(images):
            name, label = image.id.partition("#")[0], image.attributes.get("label")
            if label is None:
                values[i], errors[i] = np.nan, f"{image.id}: {self.info.name} needs an image with a label"
                continue
            seen = self._seen(image)
            values[i] = [float(np.mean([self.weights(name, label, text) @ seen for text in some])) for some in texts]
        return Scores(values, "cosine", tuple(errors))

    def _seen(self, image: ImageRef) -> Floats:
        """(grid * grid,) 1 where a patch is not covered."""
        covered = image.attributes.get("covered", "0" * self._params.grid**2)
        return np.array([digit == "0" for digit in covered], dtype=np.float64)

    def _weights(self, name: str, label: str, text: str) -> Floats:
        """(grid * grid,) of a text on an image."""
        params = self._params
        common, own = self._drawn(name, "every text"), self._drawn(name, f"text {text}")
        weights = (1 - params.wording) * common + params.wording * own
        if holds(text, [label]) is None:
            weights = (1 - params.moved) * weights + params.moved * self._drawn(name, "other words")
        return weights

    def _draw(self, name: str, what: str) -> Floats:
        """(grid * grid,) uniform over all weights that sum to one."""
        seed = int(uniform(self._params.seed, name, what) * 2**53)
        drawn = np.random.default_rng(seed).standard_exponential(self._params.grid**2)
        return np.asarray(drawn / drawn.sum())
