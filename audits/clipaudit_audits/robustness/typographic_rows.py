"""Showing the images to a model: one row per image, with both kinds of choice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from clipaudit.errors import DataError, NotSupported
from clipaudit_audits.robustness.labelled import GROUP
from clipaudit_audits.robustness.typographic_params import TypographicParams
from clipaudit_audits.robustness.typographic_scores import LABEL, Scored, scored
from clipaudit_audits.robustness.typographic_stimuli import Exhibition, Shown

if TYPE_CHECKING:
    import pyarrow as pa

    from clipaudit.models.protocol import Model

WORD = "word"  # the kind of rows that are no image of the set but a word alone
TEXT = (
    "item", "base", "cluster", "kind", "factor", "level", "label", "written", "prediction", "two_way",
    "plain_prediction", "plain_two_way", "average", "error",
)  # fmt: skip
NUMBERS = ("area", "score_label", "score_written", "margin")


def measure(model: Model, exhibits: Exhibition, params: TypographicParams) -> pa.Table:
    """Rows: item, base, cluster, kind, factor, level, area, label, written, prediction (among all classes), two_way
    (between label and written), both null where the model prefers none, whole (all classes were scored), plain_* (the
    choices without the prefix, where there is one), beaten_by (of a photographed note: those words written on pictures
    of its label that lead the label), score_label, score_written, margin, correct, average (of templates; of a word
    alone the kind of score), scores (of a word alone, against all such words in their order), annotated groups, error.

    `margin` is score_written - score_label, in the model's own score (cosine, logit, probability or 0/1).
    """
    images = [shown.image for shown in exhibits.shown]
    with_prefix = scored(model, images, exhibits.classes, params.prompts, params)
    plain = None
    if params.prefix:
        if with_prefix.average == LABEL:
            raise NotSupported(f"{model.info.spec} knows labels and no prompts, so that a prefix has no effect on it")
        plain = scored(model, images, exhibits.classes, params.templates, params)
    records = image_records(exhibits.shown, exhibits.classes, with_prefix, plain)
    return _table([*records, *_words(model, exhibits)])


def table(shown: Sequence[Shown], classes: Sequence[str], found: Scored, plain: Scored | None = None) -> pa.Table:
    """Rows from scores (n, m) of the n images shown against the m classes."""
    return _table(image_records(shown, classes, found, plain))


def image_records(
    shown: Sequence[Shown], classes: Sequence[str], found: Scored, plain: Scored | None
) -> list[dict[str, Any]]:
    """One record an image."""
    place = {name: column for column, name in enumerate(classes)}
    words = _words_by_label(shown)
    records = []
    for i, one in enumerate(shown):
        record: dict[str, Any] = {
            "item": one.image.id, "base": one.base, "cluster": one.cluster, "kind": one.kind, "factor": one.factor,
            "level": one.level, "area": one.area, "label": one.label, "written": one.written,
            "average": found.average, "error": found.errors[i],
            **{f"{GROUP}{name}": value for name, value in one.groups.items()},
        }  # fmt: skip
        row, label, written = found.values[i], found.values[i][place[one.label]], found.values[i][place[one.written]]
        if record["error"] is None and not np.isfinite([label, written]).all():
            text = one.written if np.isfinite(label) else one.label
            record["error"] = f"{one.image.id}: no score is known for {text!r}"
        if record["error"] is None:
            record |= _choices(classes, row, float(label), float(written), one)
            if one.kind == "real":
                record["beaten_by"] = _leading(row, float(label), words[one.label], place)
            if plain is not None and plain.errors[i] is None:
                other = plain.values[i]
                choices = _choices(
                    classes, other, float(other[place[one.label]]), float(other[place[one.written]]), one
                )
                record |= {f"plain_{name}": choices[name] for name in ("prediction", "two_way")}
        records.append(record)
    return records


def _choices(classes: Sequence[str], row: Any, label: float, written: float, one: Shown) -> dict[str, Any]:
    whole = bool(np.isfinite(row).all())
    prediction = classes[int(row.argmax())] if whole and row.max() > row.min() else None
    return {
        "prediction": prediction,
        "two_way": None if label == written else one.label if label > written else one.written,
        "whole": whole,
        "score_label": label,
        "score_written": written,
        "margin": written - label,
        "correct": prediction == one.label if whole else label > written,
    }


def _words_by_label(shown: Sequence[Shown]) -> dict[str, list[str]]:
    """The words that are written on photographs of each label, sorted."""
    found: dict[str, set[str]] = {}
    for one in shown:
        if one.kind == "real":
            found.setdefault(one.label, set()).add(one.written)
    return {label: sorted(words) for label, words in found.items()}


def _leading(row: Any, label: float, words: Sequence[str], place: Mapping[str, int]) -> list[str] | None:
    """Those of `words` that score above the label; None where one has no score."""
    scores = {word: float(row[place[word]]) for word in words}
    return [word for word in words if scores[word] > label] if np.isfinite(list(scores.values())).all() else None


def _words(model: Model, exhibits: Exhibition) -> list[dict[str, Any]]:
    """One record a word shown alone; none for a recorded model that was not shown them."""
    if len(exhibits.words) < 2:
        return []
    names = [word.text for word in exhibits.words]
    try:
        found = model.score_labels(exhibits.words, names, ("{}",))
    except (DataError, NotSupported):
        if model.info.kind != "recorded":
            raise
        return []
    records = []
    for word, own, error in zip(exhibits.words, np.asarray(found.values, np.float64), found.errors, strict=True):
        record = {
            "item": word.id, "base": word.id, "cluster": word.id, "kind": WORD, "factor": "", "level": "",
            "label": word.text, "written": word.text, "average": found.kind, "error": error,
        }  # fmt: skip
        records.append(record | ({"scores": own.tolist()} if error is None else {}))
    return records


def _table(records: Sequence[dict[str, Any]]) -> pa.Table:
    import pyarrow as pa

    groups = dict.fromkeys(name for record in records for name in record if name.startswith(GROUP))
    types = {name: pa.string() for name in (*TEXT[:-1], *groups)} | {name: pa.float64() for name in NUMBERS}
    types |= {"whole": pa.bool_(), "correct": pa.bool_(), "scores": pa.list_(pa.float64())}
    types |= {"beaten_by": pa.list_(pa.string()), "error": pa.string()}
    return pa.Table.from_pylist(list(records), schema=pa.schema(list(types.items())))
