"""Rows of the retrieval audit and what is read from them.

item, error   the image's id, or a query's text; why it could not be used
kind          "image" or "query": queries have a row only where the model refuses them
unit, cluster the pool and the natural unit of an image
groups        values of the columns in `params.groups`
queries       texts asked of the image's pool; null with a single pool, where the parameters say them
scores        one per query of the image's pool; null for errors, NaN for a refused query
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from clipaudit.data.dataset import Dataset
from clipaudit.images import ImageRef
from clipaudit.models.protocol import Model
from clipaudit_audits.scored_texts import score_texts
from clipaudit_audits.social_bias.retrieval_skew_params import RetrievalSkewParams
from clipaudit_audits.social_bias.retrieval_skew_queries import Query, by_unit, queries

if TYPE_CHECKING:
    import pyarrow as pa

Floats = NDArray[np.float64]


def pools(dataset: Dataset, params: RetrievalSkewParams) -> dict[str, list[ImageRef]]:
    """Unit -> its images; one entry "" without units."""
    found: dict[str, list[ImageRef]] = {}
    for image in dataset.images:
        found.setdefault(image.attributes[params.unit] if params.unit else "", []).append(image)
    return found


def measure(dataset: Dataset, params: RetrievalSkewParams, model: Model) -> pa.Table:
    """Score every pool against its queries."""
    import pyarrow as pa

    asked = by_unit(params, dataset)
    lines: list[dict[str, Any]] = []
    faults: dict[str, str] = {}
    for unit, images in pools(dataset, params).items():
        texts = [query.text for query in asked[unit]]
        values, _, errors, refused = score_texts(model, images, texts)
        faults |= refused
        for image, error, row in zip(images, errors, values, strict=True):
            lines.append(
                {
                    "item": image.id,
                    "error": error,
                    "kind": "image",
                    "unit": unit,
                    "cluster": image.attributes[params.cluster] if params.cluster else image.id,
                    "groups": [image.attributes[name] for name in params.groups],
                    "queries": texts if params.unit else None,
                    "scores": None if error else row,
                }
            )
    lines += [{"item": text, "error": error, "kind": "query"} for text, error in faults.items()]
    text_columns = [(name, pa.string()) for name in ("item", "error", "kind", "unit", "cluster")]
    strings, numbers = pa.list_(pa.string()), pa.list_(pa.float64())
    schema = pa.schema([*text_columns, ("groups", strings), ("queries", strings), ("scores", numbers)])
    return pa.Table.from_pylist(lines, schema)


@dataclass(frozen=True)
class Measured:
    """Rows, ready to be ranked. Items are sorted by id, so that nothing depends on the order of rows.

    columns: group column -> value of each of n items. scores: (n, t) against the t queries of the item's unit; NaN
    where unreadable or refused. asked: unit -> its queries. by_template: scores under each template alone, where they
    were measured apart.
    """

    items: tuple[str, ...]
    units: tuple[str, ...]
    clusters: tuple[str, ...]
    columns: Mapping[str, tuple[str, ...]]
    scores: Floats
    asked: Mapping[str, Sequence[Query]]
    refused: tuple[str, ...]
    by_template: tuple[Floats, ...] = ()

    @property
    def readable(self) -> NDArray[np.bool_]:
        return np.asarray(np.isfinite(self.scores).any(axis=1))


def read(rows: pa.Table, params: RetrievalSkewParams) -> Measured:
    """What `measure` wrote."""
    import pyarrow.compute as pc

    refused = rows.filter(pc.equal(rows["kind"], "query")).column("item").to_pylist()
    images = rows.filter(pc.equal(rows["kind"], "image")).sort_by("item")
    units, texts = images["unit"].to_pylist(), images["queries"].to_pylist()
    own = dict(zip(units, texts, strict=True))
    asked = {unit: _asked(params, lines) for unit, lines in own.items()}
    groups = images["groups"].to_pylist()
    return Measured(
        items=tuple(images["item"].to_pylist()),
        units=tuple(units),
        clusters=tuple(images["cluster"].to_pylist()),
        columns={name: tuple(row[i] for row in groups) for i, name in enumerate(params.groups)},
        scores=matrix(images["scores"].combine_chunks(), len(next(iter(asked.values()), ()))),
        asked=asked,
        refused=tuple(sorted(refused)),
    )


def _asked(params: RetrievalSkewParams, texts: Sequence[str] | None) -> list[Query]:
    """The queries of a pool. With units their texts are stored; template and concept follow from the order."""
    if texts is None:
        return queries(params)
    concepts = params.concepts or ("",)
    pairs = [(template, concept) for template in params.templates for concept in concepts]
    return [Query(text, template, concept) for text, (template, concept) in zip(texts, pairs, strict=True)]


def matrix(lists: pa.Array, width: int) -> Floats:
    """(n, width) from a column of lists: whole rows of NaN where null. Without a Python object for each number."""
    present = np.asarray(lists.is_valid())
    values = np.full((len(lists), width), np.nan)
    values[present] = np.asarray(lists.flatten(), dtype=np.float64).reshape(-1, width)
    return values
