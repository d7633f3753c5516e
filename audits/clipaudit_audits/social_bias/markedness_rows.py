"""Rows of the markedness audit and what is read from them.

item, error   the image's id, or a refused label; why it could not be used
kind          "image"; "text": a label, with its distance to the unmarked one; "absent": a label that is not recorded
cluster       natural unit of an image
groups        values of the columns in `params.groups`
scores        of all labels (`all_labels`), NaN where refused or absent
by_template   the same under each template alone, one after the other; null with one, or where templates have no effect
similar       mean cosine to the images of other units in the same group, per grouping; null without embeddings
distances     of a label to the unmarked one, 1 - cosine, per template; null without embeddings
score_kind    "cosine", "logit" or "probability"
matched       the unmarked label as the model knows it
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from clipaudit.contract import Need
from clipaudit.data.dataset import Dataset
from clipaudit.errors import DataError
from clipaudit.images import ImageRef
from clipaudit.models.protocol import Model
from clipaudit.stats.clusters import codes
from clipaudit.zeroshot import prompts
from clipaudit_audits.scored_texts import from_rows, row_of
from clipaudit_audits.social_bias.groups import groupings
from clipaudit_audits.social_bias.markedness_asked import Asked, ask
from clipaudit_audits.social_bias.markedness_params import MarkednessParams, all_labels
from clipaudit_audits.social_bias.markedness_similarity import mean_to_others

if TYPE_CHECKING:
    import pyarrow as pa

Floats = NDArray[np.float64]


def measure(dataset: Dataset, params: MarkednessParams, model: Model) -> pa.Table:
    """Score every image against every label. DataError where the model cannot be asked."""
    import pyarrow as pa

    images = list(dataset.images)
    asked = ask(model, images, params)
    if params.unmarked in asked.refused:
        raise DataError(f"markedness: the unmarked label cannot be used: {asked.refused[params.unmarked]}")
    similar = _similar(model, dataset, params, asked)
    lines: list[dict[str, Any]] = []
    for i, (image, error) in enumerate(zip(images, asked.errors, strict=True)):
        line: dict[str, Any] = _about(image, params) | {"error": error, "kind": "image"}
        if error is None:
            line |= {
                "scores": asked.values[i], "by_template": row_of(asked.single, i), "score_kind": asked.kind,
                "matched": asked.matched, "similar": None if similar is None else similar[:, i],
            }  # fmt: skip
        lines.append(line)
    lines += [{"item": label, "error": error, "kind": "text"} for label, error in asked.refused.items()]
    lines += [{"item": label, "kind": "absent"} for label in asked.absent]
    lines += [
        {"item": label, "kind": "text", "distances": values} for label, values in _distances(model, params, asked)
    ]
    return pa.Table.from_pylist(lines, _schema())


def _about(image: ImageRef, params: MarkednessParams) -> dict[str, Any]:
    return {
        "item": image.id,
        "cluster": image.attributes[params.cluster] if params.cluster else image.id,
        "groups": [image.attributes[name] for name in params.groups],
    }


def _similar(model: Model, dataset: Dataset, params: MarkednessParams, asked: Asked) -> Floats | None:
    """(groupings, n) mean cosine to the others of the group; None without embeddings."""
    if Need.EMBEDDINGS not in model.capabilities:
        return None
    vectors = np.asarray(model.embed_images(dataset.images).vectors)
    readable = np.array([error is None for error in asked.errors], dtype=bool)
    columns = {name: dataset.column(name) for name in params.groups}
    units = dataset.column(params.cluster) if params.cluster else [image.id for image in dataset.images]
    clusters = np.unique(np.array(units, dtype=str), return_inverse=True)[1]
    several = params.intersections
    found = groupings(columns, readable, 1, pairs=several, whole=several)
    return np.stack([mean_to_others(vectors, grouping.codes, clusters) for grouping in found])


def _distances(model: Model, params: MarkednessParams, asked: Asked) -> list[tuple[str, Floats]]:
    """Label -> (t,) distance to the unmarked one under each template; nothing without embeddings."""
    if Need.EMBEDDINGS not in model.capabilities:
        return []
    embedded = model.embed_texts(prompts(list(asked.spelling.values()), asked.templates))
    vectors = np.asarray(embedded.vectors, dtype=np.float64)
    vectors = vectors.reshape(len(asked.spelling), len(asked.templates), -1)
    cosines = np.einsum("ltd,td->lt", vectors, vectors[0])
    return [(label, 1 - row) for label, row in zip(asked.spelling, cosines, strict=True) if label != params.unmarked]


def _schema() -> pa.Schema:
    import pyarrow as pa

    text, numbers = pa.string(), pa.list_(pa.float64())
    kinds = {
        "groups": pa.list_(text), "scores": numbers, "by_template": pa.list_(pa.float32()), "similar": numbers,
        "distances": numbers,
    }  # fmt: skip
    names = (
        "item", "error", "kind", "cluster", "groups", "scores", "by_template", "similar", "distances", "score_kind",
        "matched",
    )  # fmt: skip
    return pa.schema([(name, kinds.get(name, text)) for name in names])


@dataclass(frozen=True)
class Answers:
    """What the model said. Items are sorted by id, so that nothing depends on the order of rows.

    scores: (n, m) of all labels. by_template: (n, m) of each template alone, or nothing. similar: (n, groupings), or
    None without embeddings. distances: label -> (t,). columns: group column -> (n,) values. clusters: (n,).
    distinct: (n,) images of one cluster with the same annotations share a number.
    """

    items: tuple[str, ...]
    clusters: NDArray[np.int64]
    distinct: NDArray[np.int64]
    columns: Mapping[str, tuple[str, ...]]
    scores: Floats
    by_template: tuple[Floats, ...]
    similar: Floats | None
    distances: Mapping[str, Floats]
    readable: NDArray[np.bool_]
    refused: Mapping[str, str]
    absent: tuple[str, ...]
    kind: str
    matched: str


def read(rows: pa.Table, params: MarkednessParams) -> Answers:
    """What `measure` wrote."""
    import pyarrow.compute as pc

    images = rows.filter(pc.equal(rows["kind"], "image")).sort_by("item")
    texts = rows.filter(pc.equal(rows["kind"], "text")).sort_by("item").to_pylist()
    width, several = len(all_labels(params)), params.intersections
    count = len(groupings(dict.fromkeys(params.groups, ()), np.zeros(0, bool), 1, pairs=several, whole=several))
    clusters, groups = images["cluster"].to_pylist(), images["groups"].to_pylist()
    whole, similar = from_rows(images["scores"], width), from_rows(images["similar"], count)
    return Answers(
        items=tuple(images["item"].to_pylist()),
        clusters=codes(clusters),
        distinct=codes([(cluster, *own) for cluster, own in zip(clusters, groups, strict=True)]),
        columns={name: tuple(row[i] for row in groups) for i, name in enumerate(params.groups)},
        scores=whole[0] if whole else np.full((images.num_rows, width), np.nan),
        by_template=from_rows(images["by_template"], width),
        similar=similar[0] if similar else None,
        distances={row["item"]: np.array(row["distances"]) for row in texts if row["distances"] is not None},
        readable=np.asarray(images["error"].is_null(), dtype=bool),
        refused={row["item"]: row["error"] for row in texts if row["error"] is not None},
        absent=tuple(sorted(rows.filter(pc.equal(rows["kind"], "absent"))["item"].to_pylist())),
        kind=next(iter(images["score_kind"].drop_null().to_pylist()), ""),
        matched=next(iter(images["matched"].drop_null().to_pylist()), ""),
    )
