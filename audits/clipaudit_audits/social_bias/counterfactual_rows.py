"""Rows of the counterfactual audit.

item, error     the image's id, or a phrase that the model refuses (longer than its context, for instance); why
kind            "image" or "phrase"
<cluster>, <attributes>
cosines         one per phrase, in the order of `words_of`; NaN for a refused phrase
alone           the same under each template alone, one after the other; null for one template
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from clipaudit.errors import NotSupported
from clipaudit.images import ImageRef
from clipaudit.models.protocol import Model
from clipaudit_audits.scored_texts import row_of, score_each_template, try_texts
from clipaudit_audits.social_bias.counterfactual_lexicon import words_of

if TYPE_CHECKING:
    import pyarrow as pa

    from clipaudit_audits.social_bias.counterfactual import CounterfactualParams


def measure(images: Sequence[ImageRef], params: CounterfactualParams, model: Model) -> pa.Table:
    """Score every image against every phrase. NotSupported for a model that gives no cosines."""
    import pyarrow as pa

    words = words_of(params.categories)
    scores, refused = try_texts(model, images, words, params.templates)
    if scores.kind != "cosine":
        raise NotSupported(f"the audit compares cosines; this model gives {scores.kind}s")
    each = score_each_template(model, images, words, params.templates, refused)
    columns = (params.cluster, *params.attributes)
    lines: list[dict[str, Any]] = [
        {
            "item": image.id,
            "error": error,
            "kind": "image",
            **{name: image.attributes[name] for name in columns},
            "cosines": None if error else row,
            "alone": None if error else row_of(each, i),
        }
        for i, (image, error, row) in enumerate(zip(images, scores.errors, scores.values, strict=True))
    ]
    lines += [{"item": word, "error": error, "kind": "phrase"} for word, error in refused.items()]
    texts = [(name, pa.string()) for name in ("item", "error", "kind", *columns)]
    lists = [("cosines", pa.list_(pa.float64())), ("alone", pa.list_(pa.float32()))]
    return pa.Table.from_pylist(lines, pa.schema([*texts, *lists]))
