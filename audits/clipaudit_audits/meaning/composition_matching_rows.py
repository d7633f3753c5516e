"""Examples of two images and two captions, and the four scores of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from clipaudit.contract import Need
from clipaudit.errors import DataError, NotSupported
from clipaudit.images import ImageRef
from clipaudit_audits.meaning.composition_rows import WHOLE

if TYPE_CHECKING:
    import pyarrow as pa

    from clipaudit.data.dataset import Dataset
    from clipaudit.models.protocol import Model

TEXTS = ("item", "image_0", "image_1", "caption_0", "caption_1", "tag", "error")
SCORES = ("s00", "s01", "s10", "s11")  # image, caption


@dataclass(frozen=True)
class Example:
    """Two images, each with the caption that is true of it."""

    name: str
    images: tuple[ImageRef, ImageRef]
    captions: tuple[str, str]
    tag: str

    @property
    def fault(self) -> str | None:
        """Why nothing can be asked."""
        if not all(self.captions):
            return "a caption is empty; each example needs two"
        if self.captions[0].casefold() == self.captions[1].casefold():
            return f"the two captions are the same ({self.captions[0]!r}); nothing can be matched"
        return None


def examples(dataset: Dataset) -> list[Example]:
    """Those of which both images are there (a limit on the items may have parted them), in the order of the data.

    Raises DataError where an example has more than two images, or none has two.
    """
    groups: dict[str, list[ImageRef]] = {}
    for image in dataset.images:
        groups.setdefault(image.attributes["example"], []).append(image)
    found = []
    for name, images in groups.items():
        if len(images) > 2:
            raise DataError(
                f"composition_matching: example {name!r} of {dataset.id!r} has {len(images)} images, not two"
            )
        if len(images) == 2:
            first, second = (" ".join(image.attributes["caption"].split()) for image in images)
            found.append(Example(name, (images[0], images[1]), (first, second), images[0].attributes.get("tag", "")))
    if not found:
        raise DataError(f"composition_matching: no two items of {dataset.id!r} have the same value in column 'example'")
    return found


def asked(found: Sequence[Example]) -> list[Example]:
    return [example for example in found if example.fault is None]


def measure(found: Sequence[Example], model: Model) -> pa.Table:
    """One row per example with the scores s01 (image 0, caption 1) and so on."""
    import pyarrow as pa

    lines: list[dict[str, Any]] = [
        {"item": e.name, "image_0": e.images[0].id, "image_1": e.images[1].id, "caption_0": e.captions[0],
         "caption_1": e.captions[1], "tag": e.tag, "error": e.fault} for e in found
    ]  # fmt: skip
    at = [i for i, example in enumerate(found) if example.fault is None]
    ask = _embedded if Need.EMBEDDINGS in model.capabilities else _scored
    if at:
        for i, scores in zip(at, ask([found[i] for i in at], model), strict=True):
            lines[i].update(scores)
    schema = [(name, pa.string()) for name in TEXTS] + [(name, pa.float64()) for name in SCORES]
    return pa.Table.from_pylist(lines, pa.schema(schema))


def _embedded(found: Sequence[Example], model: Model) -> list[dict[str, Any]]:
    seen = model.embed_images([image for example in found for image in example.images])
    texts = list(dict.fromkeys(text for example in found for text in example.captions))
    read = model.embed_texts(texts)
    place = {text: i for i, text in enumerate(texts)}
    lines = []
    for i, example in enumerate(found):
        at = [place[text] for text in example.captions]
        errors = [*seen.errors[2 * i : 2 * i + 2], *(read.errors[j] for j in at)]
        pixels, words = (np.asarray(v, dtype=np.float64) for v in (seen.vectors[2 * i : 2 * i + 2], read.vectors[at]))
        lines.append(_line(pixels @ words.T, errors))
    return lines


def _scored(found: Sequence[Example], model: Model) -> list[dict[str, Any]]:
    lines = []
    for example in found:
        try:
            scores = model.score_labels(example.images, example.captions, WHOLE)
        except DataError as error:
            lines.append({"error": " ".join(str(error).split())})
            continue
        if scores.kind == "decision":
            raise NotSupported("images are compared under one caption, which decisions alone do not say")
        lines.append(_line(np.asarray(scores.values, dtype=np.float64), scores.errors))
    return lines


def _line(scores: Any, errors: Sequence[str | None]) -> dict[str, Any]:
    fault = next((error for error in errors if error), None)
    return {"error": fault} if fault else dict(zip(SCORES, np.ravel(scores).tolist(), strict=True))
