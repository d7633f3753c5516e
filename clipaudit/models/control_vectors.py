"""Controls with embeddings: random unit vectors with a common axis, on which effects are planted."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from clipaudit.contract import Need
from clipaudit.embedding.scoring import score_labels
from clipaudit.images import ImageRef
from clipaudit.models.control_chance import direction, normal
from clipaudit.models.control_params import AssociationParams, CounterfactualParams, LeaningParams, NullParams
from clipaudit.models.protocol import Embedded, Scores
from clipaudit.results import ModelInfo

_WORD_HEIGHT = 0.8  # of planted words; the rest of their length is their own
_MAX_HEIGHT = 0.99


@dataclass(frozen=True)
class Place:
    """A vector: `height` on the common axis, the rest in a direction of its own, by `name`, within dimensions
    [first, last) of those off the axis. Two places with the same name and height are the same vector."""

    height: float
    name: tuple[str, ...]
    first: int
    last: int


@dataclass(frozen=True)
class Layout:
    """Where images and texts lie."""

    dim: int
    image: Callable[[ImageRef], Place]
    text: Callable[[str], Place]


class VectorControl:
    """A model that gives embeddings."""

    capabilities = frozenset({Need.SCORES, Need.EMBEDDINGS})

    def __init__(self, info: ModelInfo, layout: Layout, seed: int) -> None:
        self.info = info
        self._layout = layout
        self._seed = seed

    def embed_images(self, images: Sequence[ImageRef]) -> Embedded:
        return self._embedded([self._layout.image(image) for image in images])

    def embed_texts(self, texts: Sequence[str]) -> Embedded:
        return self._embedded([self._layout.text(text) for text in texts])

    def score_labels(self, images: Sequence[ImageRef], labels: Sequence[str], templates: Sequence[str]) -> Scores:
        return score_labels(self, images, labels, templates)

    def _embedded(self, places: Sequence[Place]) -> Embedded:
        vectors = np.zeros((len(places), self._layout.dim))
        for row, place in zip(vectors, places, strict=True):
            _draw(row, place, self._seed)
        return Embedded(vectors, (None,) * len(places))


def _draw(row: NDArray[np.float64], place: Place, seed: int) -> None:
    height = float(np.clip(place.height, -_MAX_HEIGHT, _MAX_HEIGHT))
    own = direction(place.last - place.first, seed, *place.name)
    row[0] = height
    row[1 + place.first : 1 + place.last] = np.sqrt(1 - height**2) * own


def nothing(params: NullParams) -> Layout:
    """No axis at all: directions in every dimension but the first, which nobody uses."""
    size = params.dim
    return Layout(
        size + 1,
        lambda image: Place(0.0, ("image", image.id), 0, size),
        lambda text: Place(0.0, ("text", text), 0, size),
    )


def associate(params: AssociationParams) -> Layout:
    """See AssociationParams. Items take the first half of the dimensions, words of the poles the second half."""
    rest, seed = params.dim - 1, params.seed
    half = rest // 2
    delta = params.d * params.spread / np.sqrt(1 - params.d**2 / 4)
    sides = ((params.x, delta / 2), (params.y, -delta / 2))

    def item(mean: float, *name: str) -> Place:
        return Place(mean + params.spread * normal(seed, "height", *name), name, 0, half)

    def image(ref: ImageRef) -> Place:
        value = ref.attributes.get(params.attribute) if params.attribute else None
        mean = next((mean for values, mean in sides if value in values), 0.0)
        return item(mean, "image", ref.id)

    def text(prompt: str) -> Place:
        for words, height in ((params.a, _WORD_HEIGHT), (params.b, -_WORD_HEIGHT)):
            if (word := holds(prompt, words)) is not None:
                return Place(height, ("pole", word), half, rest)
        if not params.attribute:
            for words, mean in sides:
                if (word := holds(prompt, words)) is not None:
                    return item(mean, "word", word)
        return Place(0.0, ("text", prompt), 0, rest)

    return Layout(params.dim, image, text)


def shift(params: CounterfactualParams) -> Layout:
    """See CounterfactualParams."""
    rest = params.dim - 1

    def image(ref: ImageRef) -> Place:
        shifted = ref.attributes.get(params.attribute) in params.level
        return Place(params.effect / _WORD_HEIGHT if shifted else 0.0, ("image", ref.id), 0, rest)

    def text(prompt: str) -> Place:
        word = holds(prompt, params.words)
        if word is None:
            return Place(0.0, ("text", prompt), 0, rest)
        # By the word, not the prompt: the same in all templates, so that averaging these leaves the effect as it is.
        return Place(_WORD_HEIGHT, ("word", word), 0, rest)

    return Layout(params.dim, image, text)


def lean(params: LeaningParams) -> Layout:
    """See LeaningParams."""
    rest = params.dim - 1

    def text(prompt: str) -> Place:
        height = 0.0
        if holds(prompt, params.towards) is not None:
            height = _WORD_HEIGHT
        elif holds(prompt, params.words) is not None:
            height = params.effect / _WORD_HEIGHT
        return Place(height, ("text", prompt), 0, rest)

    return Layout(params.dim, lambda image: Place(0.0, ("image", image.id), 0, rest), text)


def holds(prompt: str, words: Sequence[str]) -> str | None:
    """The one of the words that the prompt holds as a whole word, in any case: the leftmost, of these the longest.

    >>> holds("A photo of a Thief.", ["cat", "thief"])
    'thief'
    """
    pattern, spelled = _matcher(tuple(words))
    found = pattern.search(prompt.casefold())
    return None if found is None else spelled[found[0]]


@lru_cache(maxsize=64)
def _matcher(words: tuple[str, ...]) -> tuple[re.Pattern[str], dict[str, str]]:
    spelled = {word.casefold(): word for word in words}
    longest_first = "|".join(re.escape(word) for word in sorted(spelled, key=len, reverse=True))
    return re.compile(rf"(?<!\w)(?:{longest_first})(?!\w)"), spelled
