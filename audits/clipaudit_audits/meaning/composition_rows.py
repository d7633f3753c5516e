"""Pairs of captions, one true of an image and one not, as a model and the texts alone judge them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from clipaudit.contract import Need
from clipaudit.errors import DataError
from clipaudit.images import ImageRef

if TYPE_CHECKING:
    import pyarrow as pa
    from PIL import Image

    from clipaudit.models.protocol import Embedded, Model

Floats = NDArray[np.float64]
WHOLE = ("{}",)  # captions are asked as they are
TEXTS = ("item", "image", "kind", "caption", "negative", "error")
NUMBERS = ("true", "false", "typical_true", "typical_false", "average_true", "average_false")


@dataclass(frozen=True)
class SharedImage:
    """The image that several items of a data set show, under its own name."""

    id: str
    base: ImageRef

    @property
    def attributes(self) -> Mapping[str, str]:
        return self.base.attributes

    @property
    def digest(self) -> str:
        return self.base.digest

    def load(self) -> Image.Image:
        return self.base.load()


@dataclass(frozen=True)
class Pair:
    """What is asked: of `image`, is `caption` true or `negative`? `kind`: how the two differ."""

    item: str
    image: ImageRef
    kind: str
    caption: str
    negative: str

    @property
    def fault(self) -> str | None:
        """Why nothing can be asked."""
        if not self.caption or not self.negative:
            return "a caption is empty; each pair needs two"
        if self.caption.casefold() == self.negative.casefold():
            return f"the two captions are the same ({self.caption!r}); nothing can be chosen"
        return None


def images_of(pairs: Sequence[Pair]) -> list[ImageRef]:
    """The images of the pairs that can be asked, each once."""
    return list({pair.image.id: pair.image for pair in pairs if pair.fault is None}.values())


def texts_of(pairs: Sequence[Pair]) -> list[str]:
    """The captions of the pairs that can be asked, each once."""
    return list(dict.fromkeys(text for pair in pairs if not pair.fault for text in (pair.caption, pair.negative)))


def measure(pairs: Sequence[Pair], model: Model, text_only: bool = False) -> pa.Table:
    """One row per pair: scores of the image with the true and the false caption; with embeddings also those of the
    captions with the mean caption (typical) and with the mean image (average) of the *other* images.

    text_only: no image is shown, and what needs one is null.
    """
    import pyarrow as pa

    lines: list[dict[str, Any]] = [
        {"item": p.item, "image": p.image.id, "kind": p.kind, "caption": p.caption, "negative": p.negative,
         "error": p.fault} for p in pairs
    ]  # fmt: skip
    asked = [i for i, pair in enumerate(pairs) if pair.fault is None]
    able = Need.EMBEDDINGS in model.capabilities
    if asked and (able or not text_only):
        good = [pairs[i] for i in asked]
        for i, found in zip(asked, _embedded(good, model, text_only) if able else _scored(good, model), strict=True):
            lines[i].update(found)
    schema = [(name, pa.string()) for name in TEXTS] + [(name, pa.float64()) for name in NUMBERS]
    return pa.Table.from_pylist(lines, pa.schema(schema))


def _scored(pairs: Sequence[Pair], model: Model) -> list[dict[str, Any]]:
    """Pair by pair, so that a model that only decides decides between these two."""
    found: list[dict[str, Any]] = []
    for pair in pairs:
        try:
            scores = model.score_labels([pair.image], [pair.caption, pair.negative], WHOLE)
        except DataError as error:
            found.append({"error": " ".join(str(error).split())})
            continue
        fault, (true, false) = scores.errors[0], np.asarray(scores.values, dtype=np.float64)[0]
        found.append({"error": fault} if fault else {"true": float(true), "false": float(false)})
    return found


def _embedded(pairs: Sequence[Pair], model: Model, text_only: bool) -> list[dict[str, Any]]:
    images, texts = images_of(pairs), texts_of(pairs)
    read = model.embed_texts(texts)
    seen = _unseen(images, read) if text_only else model.embed_images(images)
    place, number = {text: i for i, text in enumerate(texts)}, {image.id: i for i, image in enumerate(images)}
    at = np.array([number[pair.image.id] for pair in pairs])
    true, false = (np.array([place[getattr(pair, name)] for pair in pairs]) for name in ("caption", "negative"))
    vectors, pictures = _filled(read), _filled(seen)
    good = np.array([error is None for error in read.errors])
    written = {(image, text): 1 for image, text in zip(at.tolist(), true.tolist(), strict=True) if good[text]}
    by_image = np.zeros((len(images), vectors.shape[1]))
    for image, text in written:
        by_image[image] += vectors[text]
    columns: dict[str, Floats] = {}
    for name, text in (("true", true), ("false", false)):
        columns[name] = np.einsum("nd,nd->n", pictures[at], vectors[text])
        columns[f"typical_{name}"] = _against_others(vectors[text], by_image, at)
        columns[f"average_{name}"] = _against_others(vectors[text], pictures, at)
    return [
        _line(columns, i, [read.errors[true[i]], read.errors[false[i]], seen.errors[at[i]]], text_only)
        for i in range(len(pairs))
    ]


def _filled(found: Embedded) -> Floats:
    """Unit vectors; zeros for what could not be read, so that it moves no mean."""
    return np.nan_to_num(np.asarray(found.vectors, dtype=np.float64))


def _against_others(texts: Floats, by_image: Floats, at: NDArray[np.int64]) -> Floats:
    """(n,) cosine of each text with the sum of the vectors of all images but its own; NaN where there is none."""
    others = by_image.sum(axis=0) - by_image[at]
    length = np.linalg.norm(others, axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(length > 1e-9, np.einsum("nd,nd->n", texts, others) / length, np.nan))


def _unseen(images: Sequence[ImageRef], read: Embedded) -> Embedded:
    return replace(read, vectors=np.zeros((len(images), read.vectors.shape[1])), errors=(None,) * len(images))


def _line(columns: Mapping[str, Floats], i: int, errors: Sequence[str | None], text_only: bool) -> dict[str, Any]:
    fault = next((error for error in errors if error), None)
    if fault:
        return {"error": fault}
    kept = [name for name in NUMBERS if not text_only or name.startswith("typical")]
    return {name: None if np.isnan(columns[name][i]) else float(columns[name][i]) for name in kept}
