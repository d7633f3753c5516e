"""Models of captions with planted effects: they know words, or the truth, and look at no pixel."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import numpy as np

from clipaudit.contract import Need
from clipaudit.embedding.scoring import score_labels
from clipaudit.images import ImageRef
from clipaudit.models.control_chance import direction, uniform
from clipaudit.models.protocol import Embedded, Scores
from clipaudit.results import ModelInfo

DIM = 64


def _info(name: str, capabilities: tuple[str, ...]) -> ModelInfo:
    return ModelInfo(spec=f"test:{name}", name=name, fingerprint=name, kind="python", capabilities=capabilities)


class CaptionModel:
    """Embeds texts by `text`, images by `image`; a text among `refused` is an error of its own."""

    capabilities = frozenset({Need.SCORES, Need.EMBEDDINGS})

    def __init__(
        self, text: Callable[[str], np.ndarray], image: Callable[[ImageRef], np.ndarray], refused: Collection[str] = ()
    ) -> None:
        self.info = _info("captions", ("scores", "embeddings"))
        self._text, self._image, self._refused = text, image, refused

    def embed_images(self, images: Sequence[ImageRef]) -> Embedded:
        return _unit([self._image(image) for image in images], [None] * len(images))

    def embed_texts(self, texts: Sequence[str]) -> Embedded:
        errors = ["too long: 99 tokens, at most 77" if text in self._refused else None for text in texts]
        return _unit([self._text(text) for text in texts], errors)

    def score_labels(self, images: Sequence[ImageRef], labels: Sequence[str], templates: Sequence[str]) -> Scores:
        return score_labels(self, images, labels, templates)


def bag_of_words(text: str) -> np.ndarray:
    """The sum of what its words are, each a direction of its own: blind to their order."""
    words = sorted(word.strip(".,!?").casefold() for word in text.split())
    return np.sum([direction(DIM, 0, "word", word) for word in words], axis=0)


def own(image: ImageRef) -> np.ndarray:
    """A direction of the image's own, by its id."""
    return direction(DIM, 0, "image", image.id)


class Knowing:
    """Scores alone: with probability q a pair's true caption wins, else the false one. truth: image id -> captions."""

    capabilities = frozenset({Need.SCORES})

    def __init__(self, q: float, truth: dict[str, set[str]]) -> None:
        self.info = _info(f"knowing {q}", ("scores",))
        self._q, self._truth = q, truth

    def embed_images(self, images: Sequence[ImageRef]) -> Embedded:
        raise AssertionError("has no embeddings")

    def embed_texts(self, texts: Sequence[str]) -> Embedded:
        raise AssertionError("has no embeddings")

    def score_labels(self, images: Sequence[ImageRef], labels: Sequence[str], templates: Sequence[str]) -> Scores:
        assert tuple(templates) == ("{}",)
        values = np.array([[self._score(image, label, labels) for label in labels] for image in images])
        return Scores(values, "probability", (None,) * len(images))

    def _score(self, image: ImageRef, label: str, labels: Sequence[str]) -> float:
        true = label in self._truth[image.id]
        knows = uniform(0, image.id, *sorted(labels)) < self._q
        return 0.9 if true == knows else 0.1


def _unit(vectors: Sequence[np.ndarray], errors: Sequence[str | None]) -> Embedded:
    array = np.array(vectors, dtype=np.float64)
    array /= np.linalg.norm(array, axis=1, keepdims=True)
    array[[error is not None for error in errors]] = np.nan
    return Embedded(array, tuple(errors))
