"""Rows of the lexicon audit: item, error, kind ("image", or "word" where the model refuses one), cluster, groups
(values of the columns in `params.groups`), scores (one per word, by category; NaN for a refused word) and alone (the
same under each template alone, one after the other; null for one template)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from clipaudit.data.dataset import Dataset
from clipaudit.models.protocol import Model
from clipaudit_audits.scored_texts import from_rows, row_of, score_each_template, score_texts
from clipaudit_audits.social_bias.retrieval_skew_queries import Query
from clipaudit_audits.social_bias.retrieval_skew_rows import Measured, matrix

if TYPE_CHECKING:
    import pyarrow as pa

    from clipaudit_audits.social_bias.lexicon import LexiconParams


def measure(dataset: Dataset, params: LexiconParams, model: Model) -> pa.Table:
    """Score every image against every word."""
    import pyarrow as pa

    words = [word for category in params.categories for word in category.words]
    values, _, errors, refused = score_texts(model, dataset.images, words, params.templates)
    each = score_each_template(model, dataset.images, words, params.templates, refused)
    lines: list[dict[str, Any]] = [
        {
            "item": image.id,
            "error": error,
            "kind": "image",
            "cluster": image.attributes[params.cluster] if params.cluster else image.id,
            "groups": [image.attributes[name] for name in params.groups],
            "scores": None if error else row,
            "alone": None if error else row_of(each, i),
        }
        for i, (image, error, row) in enumerate(zip(dataset.images, errors, values, strict=True))
    ]
    lines += [{"item": word, "error": error, "kind": "word"} for word, error in refused.items()]
    text_columns = [(name, pa.string()) for name in ("item", "error", "kind", "cluster")]
    lists = [("groups", pa.list_(pa.string())), ("scores", pa.list_(pa.float64())), ("alone", pa.list_(pa.float32()))]
    return pa.Table.from_pylist(lines, pa.schema([*text_columns, *lists]))


def read(rows: pa.Table, params: LexiconParams) -> Measured:
    """What `measure` wrote: every word is a query whose template is its category."""
    import pyarrow.compute as pc

    images = rows.filter(pc.equal(rows["kind"], "image")).sort_by("item")
    groups = images["groups"].to_pylist()
    asked = [Query(word, category.name, word) for category in params.categories for word in category.words]
    return Measured(
        items=tuple(images["item"].to_pylist()),
        units=("",) * images.num_rows,
        clusters=tuple(images["cluster"].to_pylist()),
        columns={name: tuple(row[i] for row in groups) for i, name in enumerate(params.groups)},
        scores=matrix(images["scores"].combine_chunks(), len(asked)),
        asked={"": asked},
        refused=tuple(sorted(rows.filter(pc.equal(rows["kind"], "word"))["item"].to_pylist())),
        by_template=from_rows(images["alone"], len(asked)),
    )
