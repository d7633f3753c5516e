"""Scores of the markedness audit's labels: from a live model, or from what was recorded in whatever spelling."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clipaudit.errors import DataError, NotSupported
from clipaudit.images import ImageRef
from clipaudit.models.protocol import Model
from clipaudit.zeroshot import fill
from clipaudit_audits.scored_texts import score_each_template, score_texts
from clipaudit_audits.social_bias.markedness_params import MarkednessParams, all_labels
from clipaudit_audits.spelled import Spelled, score_spelled, spellings

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Asked:
    """values: (n, m) scores of all labels, NaN where refused or absent. errors: (n,) of the images. single: as
    `score_each_template`. spelling: known label -> text, filled into `templates`."""

    values: Floats
    errors: Sequence[str | None]
    kind: str
    matched: str
    refused: Mapping[str, str]
    absent: tuple[str, ...]
    single: Sequence[Floats]
    spelling: Mapping[str, str]
    templates: tuple[str, ...]


def ask(model: Model, images: Sequence[ImageRef], params: MarkednessParams) -> Asked:
    """NotSupported for a model that gives decisions only; DataError where it cannot be asked."""
    return _recorded(model, images, params) if model.info.kind == "recorded" else _live(model, images, params)


def _live(model: Model, images: Sequence[ImageRef], params: MarkednessParams) -> Asked:
    labels = all_labels(params)
    values, kind, errors, refused = score_texts(model, images, labels, params.templates)
    single = score_each_template(model, images, labels, params.templates, refused)
    known = {label: label for label in labels if label not in refused}
    matched = fill(params.templates[0], params.unmarked)
    return Asked(values, errors, kind, matched, refused, (), single, known, params.templates)


def _recorded(model: Model, images: Sequence[ImageRef], params: MarkednessParams) -> Asked:
    """The unmarked label must be recorded, in whatever spelling, and of the others whatever there is."""
    labels = all_labels(params)
    first = _unmarked(model, images, params)
    spelling = {params.unmarked: first.spelling.texts[0]}
    templates = ("{}",) if first.scores.text_source == "label" else first.spelling.templates
    for label in labels[1:]:
        if (text := _recorded_as(model, images[:1], label, params, templates)) is not None:
            spelling[label] = text
    absent = tuple(label for label in labels if label not in spelling)
    if len(spelling) < 3:
        raise DataError(
            f"{model.info.spec}: beside {first.spelling.texts[0]!r}, fewer than two labels of groups are recorded, "
            f"{absent[0]!r} for one is not; set markedness.terms to the recorded labels"
        )
    texts, places = list(spelling.values()), [i for i, label in enumerate(labels) if label in spelling]
    scores = model.score_labels(images, texts, templates)
    single = [_spread(one, places, len(labels)) for one in score_each_template(model, images, texts, templates, ())]
    values = _spread(np.asarray(scores.values, dtype=np.float64), places, len(labels))
    matched = fill(templates[0], texts[0])
    return Asked(values, scores.errors, scores.kind, matched, {}, absent, single, spelling, templates)


def _unmarked(model: Model, images: Sequence[ImageRef], params: MarkednessParams) -> Spelled:
    try:
        found = score_spelled(model, images, spellings([params.unmarked], params.templates))
    except DataError as error:
        raise DataError(f"{error}; set markedness.unmarked, terms and templates to the recorded labels") from None
    if found.scores.kind == "decision":
        raise NotSupported("the audit compares scores of labels; this model gives decisions only")
    return found


def _recorded_as(
    model: Model, images: Sequence[ImageRef], label: str, params: MarkednessParams, templates: tuple[str, ...]
) -> str | None:
    """The spelling of a label that is recorded under the templates of the unmarked one; None: it is not there."""
    values = [value for value, term in params.terms.items() if term == label]
    also = [[name] for value in values for name in (f"{value} person", value, value.replace("_", " "))]
    for text in dict.fromkeys(tried.texts[0] for tried in spellings([label], templates, also)):
        try:
            model.score_labels(images, [text], templates)
        except DataError:
            continue
        return text
    return None


def _spread(values: Floats, places: Sequence[int], width: int) -> Floats:
    full = np.full((len(values), width), np.nan)
    full[:, places] = values
    return full
