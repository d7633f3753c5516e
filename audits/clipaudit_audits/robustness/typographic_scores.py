"""How the model's scores are obtained: the published ways to average templates, and tables that hold two texts an
image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from clipaudit.contract import Need
from clipaudit.errors import DataError, NotSupported
from clipaudit.images import ImageRef
from clipaudit.models.protocol import KnowsSome
from clipaudit.zeroshot import ensemble, prompts
from clipaudit_audits.robustness.typographic_params import TypographicParams

if TYPE_CHECKING:
    from clipaudit.models.protocol import Model, Scores

# How the templates of a class became one score.
RAW_MEAN, UNIT_MEAN, SCORE_MEAN, LABEL = "raw mean", "unit mean", "mean of scores", "label"


@dataclass(frozen=True)
class Scored:
    """(n, m) scores, NaN where not known; one line per failed image; and how the templates were averaged."""

    values: NDArray[np.float64]
    errors: tuple[str | None, ...]
    average: str


def scored(
    model: Model,
    images: Sequence[ImageRef],
    classes: Sequence[str],
    templates: Sequence[str],
    params: TypographicParams,
) -> Scored:
    """Scores of n images against m classes.

    Raises NotSupported where the protocol averages text embeddings before normalisation, and the model knows only
    those after it; or where the choice is among all classes, and a recording holds some of them an image.
    """
    found = _found(model, images, classes, templates, params)
    average = LABEL if found.text_source == "label" else SCORE_MEAN
    if Need.EMBEDDINGS in model.capabilities and found.text_source == "prompt":
        if params.protocol == "scam":
            return _by_raw_mean(model, images, classes, templates)
        average = UNIT_MEAN
    return Scored(np.asarray(found.values, np.float64), found.errors, average)


def _found(
    model: Model,
    images: Sequence[ImageRef],
    classes: Sequence[str],
    templates: Sequence[str],
    params: TypographicParams,
) -> Scores:
    if not isinstance(model, KnowsSome):
        return model.score_labels(images, classes, templates)
    if params.two_way:
        return model.score_known(images, classes, templates)
    try:
        return model.score_labels(images, classes, templates)
    except DataError as error:
        if not np.isfinite(model.score_known(images, classes, templates).values).any():
            raise
        raise NotSupported(
            f"{model.info.spec} does not hold the scores of all {len(classes)} classes ({error}); protocol two-way "
            "needs those of the right and the written label only"
        ) from error


def _by_raw_mean(model: Model, images: Sequence[ImageRef], classes: Sequence[str], templates: Sequence[str]) -> Scored:
    """Cosines to the normalised mean of text embeddings as the model gives them (Westerhoff et al. 2025)."""
    texts = model.embed_texts(prompts(classes, templates))
    failed = next((error for error in texts.errors if error is not None), None)
    if failed is not None:
        raise DataError(failed)
    if texts.lengths is None:
        raise NotSupported(
            f"{model.info.spec} gives text embeddings after normalisation only, and protocol scam averages them before "
            "it; record them as they are or with a column 'length', or choose protocol two-way"
        )
    raw = np.asarray(texts.vectors, np.float64) * np.asarray(texts.lengths, np.float64)[:, None]
    shown = model.embed_images(images)
    weights = ensemble(raw, len(classes), unit_first=False)
    return Scored(np.asarray(shown.vectors, np.float64) @ weights.T, shown.errors, RAW_MEAN)
