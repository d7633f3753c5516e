"""A control that fails on changed texts: on misspelt words, or on other words around them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import Field

from clipaudit.contract import Need
from clipaudit.errors import NotSupported
from clipaudit.images import ImageRef
from clipaudit.models.control_chance import uniform
from clipaudit.models.control_decisions import tidy
from clipaudit.models.control_params import ControlParams, Share, Words
from clipaudit.models.control_vectors import holds
from clipaudit.models.protocol import Embedded, Scores
from clipaudit.results import ModelInfo
from clipaudit.zeroshot import fill

_LOST, _OTHER, _FOUND = 0.1, 0.3, 0.5  # scores of texts that fail, of those of other labels, and of the right one's


class MisreaderParams(ControlParams):
    """`misreader`: the text of an image's label scores above those of all other labels, but for changed texts.

    For a share `misspelt` of the images every text that holds no label as it is written scores below all others, else
    it is read as what it means; for a share `reworded` every text that holds the label in another prompt than
    `template`. Both are independent of each other, and the same for all such texts.
    """

    labels: Words = Field(description="Labels that are known, comma-separated.")
    misspelt: Share = Field(default=0.5, description="Share of the images for which misspelt labels fail.")
    reworded: Share = Field(default=0.1, description="Share of the images for which other wordings fail.")
    template: str = Field(default="a photo of a {}.", pattern=r"\{\}", description="The prompt that is always read.")


class MisreaderControl:
    """See MisreaderParams. It has no embeddings."""

    capabilities = frozenset({Need.SCORES})

    def __init__(self, info: ModelInfo, params: MisreaderParams) -> None:
        self.info = info
        self._params = params
        self._plain = {tidy(fill(params.template, label)): tidy(label) for label in params.labels}

    def embed_images(self, images: Sequence[ImageRef]) -> Embedded:
        raise NotSupported(f"{self.info.name} gives scores and has no embeddings")

    def embed_texts(self, texts: Sequence[str]) -> Embedded:
        raise NotSupported(f"{self.info.name} gives scores and has no embeddings")

    def score_labels(self, images: Sequence[ImageRef], labels: Sequence[str], templates: Sequence[str]) -> Scores:
        """(n, m) scores, the mean over the templates. An image without a label is an error."""
        asked = [[self._read(fill(template, label)) for template in templates] for label in labels]
        values = np.zeros((len(images), len(labels)))
        errors: list[str | None] = [None] * len(images)
        for i, image in enumerate(images):
            if "label" not in image.attributes:
                values[i], errors[i] = np.nan, f"{image.id}: {self.info.name} needs an image with a label"
                continue
            scores = self._scores(image)
            values[i] = [sum(scores[self._case(image, *read)] for read in texts) / len(texts) for texts in asked]
        return Scores(values, "cosine", tuple(errors))

    def _read(self, text: str) -> tuple[str | None, bool]:
        """The label that a text holds, and whether it is the plain prompt of it."""
        plain = self._plain.get(tidy(text))
        if plain is not None:
            return plain, True
        label = holds(text, self._params.labels)
        return (None if label is None else tidy(label)), False

    def _case(self, image: ImageRef, label: str | None, plain: bool) -> str:
        if label is None:
            return "misspelt"
        return "other" if label != tidy(image.attributes["label"]) else "plain" if plain else "reworded"

    def _scores(self, image: ImageRef) -> dict[str, float]:
        """By case."""
        params = self._params
        failed = {
            name: uniform(params.seed, name, image.id) < share
            for name, share in (("misspelt", params.misspelt), ("reworded", params.reworded))
        }
        return {"plain": _FOUND, "other": _OTHER} | {name: _LOST if lost else _FOUND for name, lost in failed.items()}
