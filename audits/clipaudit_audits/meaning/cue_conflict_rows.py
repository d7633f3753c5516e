"""Showing the stimuli to a model: one row per stimulus, with its decision over the classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from clipaudit.errors import DataError
from clipaudit.images import ImageRef
from clipaudit.zeroshot import probabilities
from clipaudit_audits.meaning.cue_conflict_categories import average_within, imagenet_names
from clipaudit_audits.meaning.cue_conflict_params import STEERED, CueConflictParams, Protocol
from clipaudit_audits.meaning.cue_conflict_stimuli import Selection, Stimulus, unusable

if TYPE_CHECKING:
    import pyarrow as pa

    from clipaudit.models.protocol import Model, Scores

Floats = NDArray[np.float64]


def prompt_sets(params: CueConflictParams) -> dict[str, tuple[str, ...]]:
    """Templates by the row column that holds their decision."""
    asked = {"decision": params.templates}
    if params.protocol == "caption-steered":
        asked |= {f"decision_{cue}": (template,) for cue, template in STEERED.items()}
    return asked


def measure(model: Model, chosen: Selection, params: CueConflictParams) -> pa.Table:
    """Rows: item, kind, pair, shape, texture, shape_id, texture_id, strength, decision, decision_shape and
    decision_texture (steered prompts; null under other protocols), score_shape, score_texture, margin, unusable, error.

    `margin` is score_shape - score_texture. Sources of which no conflict can be made are named in `unusable`, and
    what would be made of them is not shown. Raises DataError if none is left.
    """
    reasons = _reasons(chosen.stimuli)
    shown = [one for one in chosen.stimuli if _reason(one, reasons) is None]
    if not any(one.kind in ("conflict", "published") for one in shown):
        why = next(iter(reasons.values()), "the data set is empty")
        raise DataError(f"cue_conflict: no conflict can be made of this data set; first: {why}")
    images = [one.image for one in shown]
    decisions: dict[str, list[str | None]] = {}
    values: Floats = np.empty((0, 0))
    errors: tuple[str | None, ...] = ()
    for column, templates in prompt_sets(params).items():
        scored, failed = score(model, images, chosen.classes, templates, params.protocol)
        decisions[column] = decide(scored, chosen.classes)
        if column == "decision":
            values, errors = scored, failed
    measured = {
        one.image.id: _measured(one, i, values, chosen.classes, decisions, errors[i]) for i, one in enumerate(shown)
    }
    return _table(
        [{**_known(one), "unusable": _reason(one, reasons), **measured.get(one.image.id, {})} for one in chosen.stimuli]
    )


def score(
    model: Model,
    images: Sequence[ImageRef],
    classes: Sequence[str],
    templates: Sequence[str],
    protocol: Protocol,
) -> tuple[Floats, tuple[str | None, ...]]:
    """(n, m) scores over the classes, as the protocol has them, and errors per image."""
    if protocol != "imagenet1k":
        scores = model.score_labels(images, classes, templates)
        return np.asarray(scores.values, dtype=np.float64), scores.errors
    scores = model.score_labels(images, imagenet_names(), templates)
    info = model.info
    return average_within(_as_probabilities(scores, info.logit_scale, info.name), tuple(classes)), scores.errors


def _as_probabilities(scores: Scores, logit_scale: float | None, name: str) -> Floats:
    """Probabilities as they are; decisions as 0 and 1; logits through a softmax, cosines scaled before it."""
    if scores.kind in ("probability", "decision"):
        return np.asarray(scores.values, dtype=np.float64)
    if scores.kind == "logit":
        return probabilities(scores.values)
    if logit_scale is None:
        raise DataError(f"cue_conflict: protocol imagenet1k needs the logit scale of {name}, which is not known")
    return probabilities(scores.values, logit_scale)


def decide(values: Floats, classes: Sequence[str]) -> list[str | None]:
    """The class with the highest score per row (n, m); None where all are equal or not known."""
    clear = np.nanmax(values, axis=1, initial=-np.inf) > np.nanmin(values, axis=1, initial=np.inf)
    best = np.where(np.isnan(values), -np.inf, values).argmax(axis=1)
    return [classes[i] if found else None for i, found in zip(best.tolist(), clear.tolist(), strict=True)]


def _reasons(stimuli: Sequence[Stimulus]) -> dict[str, str]:
    sources = {source.id: source for one in stimuli for source in one.sources}
    found = {name: unusable(source) for name, source in sources.items()}
    return {name: why for name, why in found.items() if why is not None}


def _reason(one: Stimulus, reasons: dict[str, str]) -> str | None:
    return next((reasons[source.id] for source in one.sources if source.id in reasons), None)


def _known(one: Stimulus) -> dict[str, object]:
    ids = [source.id for source in one.sources]
    return {
        "item": one.image.id,
        "kind": one.kind,
        "pair": one.pair,
        "shape": one.shape,
        "texture": one.texture,
        "shape_id": ids[0] if ids else None,
        "texture_id": ids[-1] if ids else None,
        "strength": one.strength,
    }


def _measured(
    one: Stimulus,
    i: int,
    values: Floats,
    classes: Sequence[str],
    decisions: dict[str, list[str | None]],
    error: str | None,
) -> dict[str, object]:
    if error is not None:
        return {"error": error}
    shape, texture = (float(values[i, classes.index(name)]) for name in (one.shape, one.texture))
    made = {column: chosen[i] for column, chosen in decisions.items()}
    return {**made, "score_shape": shape, "score_texture": texture, "margin": shape - texture}


def _table(records: list[dict[str, object]]) -> pa.Table:
    import pyarrow as pa

    names = "item kind pair shape texture shape_id texture_id decision decision_shape decision_texture unusable error"
    text = names.split()
    numbers = ("strength", "score_shape", "score_texture", "margin")
    fields = [(name, pa.string()) for name in text] + [(name, pa.float64()) for name in numbers]
    return pa.Table.from_pylist(records, schema=pa.schema(fields))
