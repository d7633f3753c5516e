"""Controls that only decide: a label for each image, by what is known about the image."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from clipaudit.contract import Need
from clipaudit.errors import NotSupported
from clipaudit.images import ImageRef
from clipaudit.models.control_chance import pick, uniform
from clipaudit.models.control_params import ClassifierParams, ReaderParams, ShapeParams
from clipaudit.models.protocol import Embedded, Scores
from clipaudit.results import ModelInfo

#: The class an image would be decided for, given the labels on offer (tidy form to label); None: nothing is known.
Rule = Callable[[ImageRef, Mapping[str, str]], str | None]


class DecisionControl:
    """A model that decides: one label per image, one-hot. It has no embeddings, and templates have no effect."""

    capabilities = frozenset({Need.SCORES})

    def __init__(self, info: ModelInfo, rule: Rule, params: ClassifierParams) -> None:
        self.info = info
        self._rule = rule
        self._params = params

    def embed_images(self, images: Sequence[ImageRef]) -> Embedded:
        raise NotSupported(f"{self.info.name} gives decisions and has no embeddings")

    def embed_texts(self, texts: Sequence[str]) -> Embedded:
        raise NotSupported(f"{self.info.name} gives decisions and has no embeddings")

    def score_labels(self, images: Sequence[ImageRef], labels: Sequence[str], templates: Sequence[str]) -> Scores:
        """(n, m) one-hot. An image of which the rule knows nothing is an error."""
        offered = {tidy(label): label for label in labels}
        column = {label: j for j, label in enumerate(labels)}
        values = np.zeros((len(images), len(labels)))
        errors: list[str | None] = [None] * len(images)
        for i, image in enumerate(images):
            answer = self._rule(image, offered)
            if answer is None:
                values[i] = np.nan
                errors[i] = (
                    f"{image.id}: {self.info.name} needs a label; known are {', '.join(sorted(image.attributes))}"
                )
                continue
            values[i, column[self._decide(image.id, answer, labels)]] = 1.0
        return Scores(values, "decision", tuple(errors), "label")

    def _decide(self, item: str, answer: str, labels: Sequence[str]) -> str:
        """`answer` with probability `accuracy`, else another; any label where the answer is not on offer."""
        seed = self._params.seed
        others = [label for label in labels if label != answer]
        right = len(others) < len(labels) and (not others or uniform(seed, "accuracy", item) < self._params.accuracy)
        return answer if right else pick(others, seed, "other", item)


def classify(params: ClassifierParams) -> Rule:
    """By the image's label."""
    return lambda image, offered: known(image, "label", offered)


def read(params: ReaderParams) -> Rule:
    """By the written word with probability `weight`, else by the label."""

    def rule(image: ImageRef, offered: Mapping[str, str]) -> str | None:
        written = offered.get(tidy(image.attributes.get("written", "")))
        if written is not None and uniform(params.seed, "read", image.id) < params.weight:
            return written
        return known(image, "label", offered)

    return rule


def follow_shape(params: ShapeParams) -> Rule:
    """By shape with probability `q`, else by texture; without these, by the label."""

    def rule(image: ImageRef, offered: Mapping[str, str]) -> str | None:
        if "shape" not in image.attributes or "texture" not in image.attributes:
            return known(image, "label", offered)
        cue = "shape" if uniform(params.seed, "cue", image.id) < params.q else "texture"
        return known(image, cue, offered)

    return rule


def known(image: ImageRef, attribute: str, offered: Mapping[str, str]) -> str | None:
    """An attribute's value, spelled as the label on offer; None where the image has no such attribute."""
    value = image.attributes.get(attribute)
    return None if value is None else offered.get(tidy(value), value)


def tidy(label: str) -> str:
    """Labels as people write them: case, underscores and hyphens make no difference."""
    return " ".join(label.casefold().replace("_", " ").replace("-", " ").split())
