"""Images against texts, where a text that the model refuses becomes an error of that text and not of everything."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from clipaudit.errors import DataError, NotSupported
from clipaudit.images import ImageRef
from clipaudit.models.protocol import Model, ScoreKind, Scores

if TYPE_CHECKING:
    import pyarrow as pa

WHOLE = ("{}",)  # the texts are whole prompts


def score_texts(
    model: Model, images: Sequence[ImageRef], texts: Sequence[str], templates: Sequence[str] = WHOLE
) -> tuple[NDArray[np.float64], ScoreKind, tuple[str | None, ...], dict[str, str]]:
    """(n, m) scores of images against texts filled into `templates`; their kind; errors of the images; errors by text,
    whose column is NaN.

    Raises NotSupported for a model that gives decisions only: these rank nothing. Raises the model's DataError where
    every text fails.
    """
    scores, faults = try_texts(model, images, texts, templates)
    if scores.kind == "decision":
        raise NotSupported("the audit ranks images by their scores; this model gives decisions only")
    return np.asarray(scores.values, dtype=np.float64), scores.kind, scores.errors, faults


def score_each_template(
    model: Model, images: Sequence[ImageRef], texts: Sequence[str], templates: Sequence[str], refused: Collection[str]
) -> list[NDArray[np.float64]]:
    """(n, m) scores under each template alone, as far as they can differ: none for one template, or for scores that
    were recorded by label. Columns of `refused` texts, and rows of failed images, are NaN."""
    asked = list(dict.fromkeys(templates))
    if len(asked) < 2:
        return []
    known = [text for text in texts if text not in refused]
    found = []
    for template in asked:
        scores = model.score_labels(images, known, (template,))
        if scores.text_source == "label":
            return []
        found.append(np.asarray(_spread(scores, texts, refused), dtype=np.float64))
    return found


def row_of(found: Sequence[NDArray[np.float64]], image: int) -> NDArray[np.float32] | None:
    """One image's scores under all templates (templates x texts), one after the other: a row of a table."""
    return np.concatenate([values[image] for values in found]).astype(np.float32) if found else None


def from_rows(column: pa.ChunkedArray, texts: int) -> tuple[NDArray[np.float64], ...]:
    """What `row_of` wrote for all images, as one (n, texts) per template; rows of failed images (null) are NaN."""
    lists = column.combine_chunks()
    present = np.asarray(lists.is_valid())
    flat = np.asarray(lists.flatten(), dtype=np.float64)
    if not flat.size:
        return ()
    full = np.full((len(lists), flat.size // int(present.sum())), np.nan)
    full[present] = flat.reshape(-1, full.shape[1])
    return tuple(full[:, start : start + texts] for start in range(0, full.shape[1], texts))


def try_texts(
    model: Model, images: Sequence[ImageRef], texts: Sequence[str], templates: Sequence[str] = WHOLE
) -> tuple[Scores, dict[str, str]]:
    """Scores, or decisions, with a column of NaN for each text that the model refuses; and the errors by text.

    Raises the model's DataError where every text fails.
    """
    try:
        return model.score_labels(images, texts, templates), {}
    except DataError as error:
        faults = _faults(model, images, texts, templates)
        if not faults or len(faults) == len(set(texts)):
            raise error from None
    scores = model.score_labels(images, [text for text in texts if text not in faults], templates)
    return replace(scores, values=_spread(scores, texts, faults)), faults


def _faults(model: Model, images: Sequence[ImageRef], texts: Sequence[str], templates: Sequence[str]) -> dict[str, str]:
    """Each text is tried alone, with one image."""
    faults = {}
    for text in dict.fromkeys(texts):
        try:
            model.score_labels(images[:1], [text], templates)
        except DataError as error:
            faults[text] = " ".join(str(error).split())
    return faults


def _spread(scores: Scores, texts: Sequence[str], faults: Collection[str]) -> NDArray[np.float64]:
    values = np.full((len(scores.errors), len(texts)), np.nan)
    values[:, [text not in faults for text in texts]] = scores.values
    return values
