"""From images to rows: what surrounds each of them, by the model and by its looks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from clipaudit.errors import DataError, ImageError
from clipaudit.images import ImageRef
from clipaudit_audits.meaning.similarity_looks import Cue, looks
from clipaudit_audits.meaning.similarity_triplets import Anchor, anchors

if TYPE_CHECKING:
    import pyarrow as pa

    from clipaudit.models.protocol import Model

Floats = NDArray[np.float64]
TEXTS = (
    "item", "image", "cue", "label", "match", "look", "look_label", "nearest", "nearest_label", "cue_nearest_label",
    "error",
)  # fmt: skip
NUMBERS = ("to_match", "to_look", "cue_to_match", "cue_to_look", "alike", "chance")
Look = Mapping[Cue, Floats]


def measure(images: Sequence[ImageRef], cues: Sequence[Cue], model: Model) -> pa.Table:
    """One row per image and cue. Raises DataError where no image's pixels are at hand."""
    import pyarrow as pa

    seen = model.embed_images(images)
    found, faults = _looks(images)
    errors = [first or second for first, second in zip(seen.errors, faults, strict=True)]
    good = [i for i, error in enumerate(errors) if error is None]
    lines = [
        {"item": f"{image.id}, {cue}", "image": image.id, "cue": cue, "label": image.attributes["label"],
         "error": error}
        for image, error in zip(images, errors, strict=True) if error is not None
        for cue in cues
    ]  # fmt: skip
    if len(good) > 1:
        vectors = np.asarray(seen.vectors, dtype=np.float64)[good]
        for cue in cues:
            lines += _lines([images[i] for i in good], vectors, np.array([found[i][cue] for i in good]), cue)
    schema = [(name, pa.string()) for name in TEXTS] + [(name, pa.float64()) for name in NUMBERS]
    return pa.Table.from_pylist(lines, pa.schema(schema))


def _looks(images: Sequence[ImageRef]) -> tuple[list[Look], list[str | None]]:
    found: list[Look] = []
    errors: list[str | None] = []
    for image in images:
        try:
            found.append(looks(image.load()))
            errors.append(None)
        except ImageError as error:
            found.append({})
            errors.append(str(error))
    if images and None not in errors:
        raise DataError(f"similarity compares looks: it needs the images, with recorded models too ({errors[0]})")
    return found, errors


def _lines(images: Sequence[ImageRef], vectors: Floats, cue_vectors: Floats, cue: Cue) -> list[dict[str, Any]]:
    model, alike = vectors @ vectors.T, cue_vectors @ cue_vectors.T
    labels = [image.attributes["label"] for image in images]
    return [
        _line(i, anchor, images, labels, model[i], alike[i], cue)
        for i, anchor in enumerate(anchors(model, alike, labels))
    ]


def _line(
    i: int, anchor: Anchor, images: Sequence[ImageRef], labels: Sequence[str], model: Floats, alike: Floats, cue: Cue
) -> dict[str, Any]:
    line: dict[str, Any] = {
        "item": f"{images[i].id}, {cue}", "image": images[i].id, "cue": cue, "label": labels[i],
        "nearest": images[anchor.nearest].id, "nearest_label": labels[anchor.nearest],
        "cue_nearest_label": labels[anchor.nearest_by_cue], "alike": anchor.alike, "chance": anchor.chance,
    }  # fmt: skip
    if anchor.match is not None and anchor.look is not None:
        line |= {
            "match": images[anchor.match].id, "look": images[anchor.look].id, "look_label": labels[anchor.look],
            "to_match": float(model[anchor.match]), "to_look": float(model[anchor.look]),
            "cue_to_match": float(alike[anchor.match]), "cue_to_look": float(alike[anchor.look]),
        }  # fmt: skip
    return line
