"""Drawn objects with captions, for the audits of captions: nothing is downloaded, and nothing is drawn unless asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from clipaudit.data.dataset import Dataset
from clipaudit.data.registry import DataRegistry
from clipaudit.images import ImageRef


@dataclass(frozen=True)
class Captioned:
    """An image under another name, with other attributes."""

    id: str
    attributes: Mapping[str, str]
    base: ImageRef

    @property
    def digest(self) -> str:
        return self.base.digest

    def load(self) -> Any:
        return self.base.load()


def captioned(limit: int = 40) -> Dataset:
    """The first drawings of each class, with the columns caption1, caption2 and label."""
    dataset = DataRegistry({}).open("objects")
    images = [_with_captions(image, i) for i, image in enumerate(sorted(dataset.images, key=_turn)[:limit])]
    return replace(dataset, images=images, columns=("label", "caption1", "caption2"))


def negated(limit: int = 40) -> Dataset:
    """Two pairs of a true and a false caption for each of some drawings: another object, and another place."""
    dataset = captioned(limit)
    labels = [image.attributes["label"] for image in dataset.images]
    items = []
    for i, image in enumerate(dataset.images):
        other = next(label for label in labels[i:] + labels if label != labels[i])
        true = f"a {labels[i]} on a table near a wall"
        for kind, false in (("replace object", true.replace(labels[i], other)), ("swap", f"a table on a {labels[i]}")):
            columns = {"image": image.id, "caption": true, "negative": false, "kind": kind}
            items.append(Captioned(f"{kind}/{i}", columns, image))
    return replace(dataset, images=items, columns=("image", "caption", "negative", "kind"), cluster="image")


def paired(examples: int = 24) -> Dataset:
    """Drawings in twos, each with its own caption, as in Winoground."""
    dataset = captioned(2 * examples)
    items = []
    for i, image in enumerate(dataset.images):
        tag = "object" if i % 4 < 2 else "relation"
        columns = {"example": str(i // 2), "caption": f"a {image.attributes['label']}, drawn as {i}", "tag": tag}
        items.append(Captioned(f"{i // 2}/{i % 2}", columns, image))
    return replace(dataset, images=items, columns=("example", "caption", "tag"), cluster="example")


def _turn(image: ImageRef) -> tuple[int, str]:
    return int(image.attributes["variant"]), image.attributes["label"]


def _with_captions(image: ImageRef, i: int) -> Captioned:
    label = image.attributes["label"]
    first, second = f"a {label} lies on a plain white ground", f"somebody has drawn one {label} number {i} with care"
    return Captioned(image.id, {"label": label, "caption1": first, "caption2": second}, image)
