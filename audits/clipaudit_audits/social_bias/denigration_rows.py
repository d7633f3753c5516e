"""Rows of the denigration audit and what is read from them.

item, error   the image's id, or a refused text; why it could not be used
kind          "image"; "text": a label that the model refuses; "absent": an added label that is not recorded
cluster       natural unit of an image
groups        values of the columns in `params.groups`
scores        of all labels (`all_labels`), NaN where refused or absent; for decisions 1 for the label decided for
by_template   the same under each template alone, one after the other; null with one, or where templates have no effect
score_kind    "cosine", "logit", "probability" or "decision"
matched       first text as the model knows it
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from clipaudit.data.dataset import Dataset
from clipaudit.errors import DataError
from clipaudit.images import ImageRef
from clipaudit.models.protocol import Model, Scores
from clipaudit.stats.clusters import codes
from clipaudit.zeroshot import fill
from clipaudit_audits.scored_texts import from_rows, row_of, score_each_template, try_texts
from clipaudit_audits.social_bias.denigration_labels import other_names
from clipaudit_audits.social_bias.denigration_params import DenigrationParams, all_labels, base_labels
from clipaudit_audits.spelled import Spelling, score_spelled, spellings

if TYPE_CHECKING:
    import pyarrow as pa

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Asked:
    """values: (n, m) scores of all labels. refused: label -> error. absent: labels that are not recorded. single: as
    `score_each_template`."""

    values: Floats
    scores: Scores
    spelling: Spelling
    refused: Mapping[str, str]
    absent: tuple[str, ...]
    single: Sequence[Floats]


def measure(dataset: Dataset, params: DenigrationParams, model: Model) -> pa.Table:
    """Score every image against every label. DataError where the model cannot be asked."""
    import pyarrow as pa

    images = list(dataset.images)
    asked = _recorded(model, images, params) if model.info.kind == "recorded" else _live(model, images, params)
    first = asked.spelling.texts[0]
    matched = first if asked.scores.text_source == "label" else fill(asked.spelling.templates[0], first)
    lines: list[dict[str, Any]] = []
    for i, (image, error) in enumerate(zip(images, asked.scores.errors, strict=True)):
        line: dict[str, Any] = {
            "item": image.id, "error": error, "kind": "image",
            "groups": [image.attributes[name] for name in params.groups],
            "cluster": image.attributes[params.cluster] if params.cluster else image.id,
        }  # fmt: skip
        if error is None:
            line |= {
                "scores": asked.values[i], "by_template": row_of(asked.single, i), "score_kind": asked.scores.kind,
                "matched": matched,
            }  # fmt: skip
        lines.append(line)
    lines += [{"item": text, "error": error, "kind": "text"} for text, error in asked.refused.items()]
    lines += [{"item": text, "kind": "absent"} for text in asked.absent]
    return pa.Table.from_pylist(lines, _schema())


def _live(model: Model, images: Sequence[ImageRef], params: DenigrationParams) -> Asked:
    """All labels at once; where the model decides, the label set alone, for a decision is one among all on offer."""
    labels, base = all_labels(params), base_labels(params)
    scores, refused = try_texts(model, images, labels, params.templates)
    absent: tuple[str, ...] = ()
    if scores.kind == "decision" and len(labels) > len(base):
        scores, refused = try_texts(model, images, base, params.templates)
        absent = labels[len(base) :]
    single = score_each_template(model, images, labels, params.templates, refused) if not absent else []
    values = _widened(np.asarray(scores.values, dtype=np.float64), len(labels))
    return Asked(values, scores, Spelling(labels, params.templates), refused, absent, single)


def _recorded(model: Model, images: Sequence[ImageRef], params: DenigrationParams) -> Asked:
    """The label set must be recorded, in whatever spelling; of the additions each may be."""
    labels, base = all_labels(params), base_labels(params)
    harmful = base[len(params.people) :]
    also = [(*names, *harmful) for names in other_names(params.people)]
    try:
        found = score_spelled(model, images, spellings(base, params.templates, also))
    except DataError as error:
        raise DataError(f"{error}; set denigration.people, harms and templates to the recorded labels") from None
    values = _widened(np.asarray(found.scores.values, dtype=np.float64), len(labels))
    if found.scores.kind == "decision":
        return Asked(values, found.scores, found.spelling, {}, labels[len(base) :], [])
    absent = []
    for i, text in enumerate(labels[len(base) :], len(base)):
        try:
            more = score_spelled(model, images, _alike(text, found.spelling, found.scores))
        except DataError:
            absent.append(text)
            continue
        values[:, i] = np.asarray(more.scores.values)[:, 0]
    single = score_each_template(model, images, found.spelling.texts, found.spelling.templates, ())
    return Asked(
        values, found.scores, found.spelling, {}, tuple(absent), [_widened(one, len(labels)) for one in single]
    )


def _alike(text: str, known: Spelling, scores: Scores) -> list[Spelling]:
    """Spellings of a further label under the templates that the label set is recorded with."""
    tried = (Spelling(one.texts, known.templates) for one in spellings([text], known.templates))
    kept = dict.fromkeys(tried)
    return list(kept) if scores.text_source == "prompt" else [Spelling(one.texts, ("{}",)) for one in kept]


def _widened(values: Floats, width: int) -> Floats:
    """NaN in the columns that are not there."""
    return np.hstack([values, np.full((len(values), width - values.shape[1]), np.nan)])


def _schema() -> pa.Schema:
    import pyarrow as pa

    text = pa.string()
    kinds = {"groups": pa.list_(text), "scores": pa.list_(pa.float64()), "by_template": pa.list_(pa.float32())}
    names = ("item", "error", "kind", "cluster", "groups", "scores", "by_template", "score_kind", "matched")
    return pa.schema([(name, kinds.get(name, text)) for name in names])


@dataclass(frozen=True)
class Answers:
    """What the model said. Items are sorted by id, so that nothing depends on the order of rows.

    scores: (n, m) of all labels. by_template: (n, m) of each template alone, or nothing. columns: group column -> (n,)
    values. clusters: (n,). distinct: (n,) images of one cluster with the same annotations share a number. readable:
    (n,) without error. refused: label -> error. absent: labels without scores.
    """

    items: tuple[str, ...]
    clusters: NDArray[np.int64]
    distinct: NDArray[np.int64]
    columns: Mapping[str, tuple[str, ...]]
    scores: Floats
    by_template: tuple[Floats, ...]
    readable: NDArray[np.bool_]
    refused: Mapping[str, str]
    absent: tuple[str, ...]
    kind: str
    matched: str


def read(rows: pa.Table, params: DenigrationParams) -> Answers:
    """What `measure` wrote."""
    import pyarrow.compute as pc

    images = rows.filter(pc.equal(rows["kind"], "image")).sort_by("item")
    texts = rows.filter(pc.equal(rows["kind"], "text")).sort_by("item")
    width = len(all_labels(params))
    clusters, groups = images["cluster"].to_pylist(), images["groups"].to_pylist()
    whole = from_rows(images["scores"], width)
    missing = np.full((images.num_rows, width), np.nan)
    return Answers(
        items=tuple(images["item"].to_pylist()),
        clusters=codes(clusters),
        distinct=codes([(cluster, *own) for cluster, own in zip(clusters, groups, strict=True)]),
        columns={name: tuple(row[i] for row in groups) for i, name in enumerate(params.groups)},
        scores=whole[0] if whole else missing,
        by_template=from_rows(images["by_template"], width),
        readable=np.asarray(images["error"].is_null(), dtype=bool),
        refused=dict(zip(texts["item"].to_pylist(), texts["error"].to_pylist(), strict=True)),
        absent=tuple(sorted(rows.filter(pc.equal(rows["kind"], "absent"))["item"].to_pylist())),
        kind=next(iter(images["score_kind"].drop_null().to_pylist()), ""),
        matched=next(iter(images["matched"].drop_null().to_pylist()), ""),
    )
