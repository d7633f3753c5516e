"""A model that writes down what it is asked, and that cannot read chosen images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

import numpy as np
from numpy.typing import NDArray

from clipaudit.contract import Need
from clipaudit.images import ImageRef
from clipaudit.models.protocol import DualEncoder, Embedded, Model, Scores
from clipaudit.results import ModelInfo
from clipaudit.zeroshot import prompts

UNREADABLE = "cannot be read (made so by the check)"


@dataclass
class SpyModel:
    """`model`, with every image id and text that it was asked for, and what was called. `broken`: ids it fails on."""

    model: Model
    broken: frozenset[str] = frozenset()
    images: set[str] = field(default_factory=set)
    texts: set[str] = field(default_factory=set)
    used: set[Need] = field(default_factory=set)

    @property
    def info(self) -> ModelInfo:
        return self.model.info

    @property
    def capabilities(self) -> frozenset[Need]:
        return self.model.capabilities

    @property
    def encoder(self) -> DualEncoder:
        """The network of a live model; AttributeError where there is none."""
        self.used.add(Need.GRADIENTS)
        return cast(DualEncoder, self.model.encoder)  # type: ignore[attr-defined]

    def embed_images(self, images: Sequence[ImageRef]) -> Embedded:
        self._saw(images)
        self.used.add(Need.EMBEDDINGS)
        found = self.model.embed_images(images)
        return Embedded(self._spoiled(images, found.vectors), self._errors(images, found.errors))

    def embed_texts(self, texts: Sequence[str]) -> Embedded:
        self.texts.update(texts)
        self.used.add(Need.EMBEDDINGS)
        return self.model.embed_texts(texts)

    def score_labels(self, images: Sequence[ImageRef], labels: Sequence[str], templates: Sequence[str]) -> Scores:
        self._saw(images)
        self.texts.update(prompts(labels, templates))
        self.used.add(Need.SCORES)
        found = self.model.score_labels(images, labels, templates)
        values, errors = self._spoiled(images, found.values), self._errors(images, found.errors)
        return Scores(values, found.kind, errors, found.text_source)

    def _saw(self, images: Sequence[ImageRef]) -> None:
        self.images.update(image.id for image in images)

    def _spoiled(self, images: Sequence[ImageRef], values: NDArray[np.floating]) -> NDArray[np.floating]:
        spoiled = np.array(values, dtype=np.float64)
        spoiled[[image.id in self.broken for image in images]] = np.nan
        return spoiled

    def _errors(self, images: Sequence[ImageRef], errors: Sequence[str | None]) -> tuple[str | None, ...]:
        return tuple(
            f"{image.id}: {UNREADABLE}" if image.id in self.broken else error
            for image, error in zip(images, errors, strict=True)
        )
