"""Rows of the occupation audit on images.

item, error        the image's id, or a text that the model refuses; why
kind               "image" or "text"
cluster, side      natural unit; "men" or "women", as annotated
occupation         that is shown, or null
scores             per occupation asked for, relative to the neutral phrase; NaN for a refused text
alone              scores under each template alone, one after the other; null for one template
pronouns           scores of the captions with his, her, their; null without an occupation
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from clipaudit.errors import DataError
from clipaudit.images import ImageRef
from clipaudit.models.protocol import Model
from clipaudit.stats.clusters import codes
from clipaudit_audits.scored_texts import from_rows, row_of, score_each_template, score_texts
from clipaudit_audits.social_bias.occupation import ImageOccupationParams, caption, phrases, side_of

if TYPE_CHECKING:
    import pyarrow as pa

Floats = NDArray[np.float64]


def measure(images: Sequence[ImageRef], params: ImageOccupationParams, model: Model) -> pa.Table:
    """Score every image against all occupations, and against its own three captions."""
    import pyarrow as pa

    values, _, errors, refused = score_texts(model, images, phrases(params), params.templates)
    if params.neutral in refused:
        raise DataError(f"occupation: the model refuses the neutral phrase: {refused[params.neutral]}")
    relative = values[:, :-1] - values[:, -1:]
    each = score_each_template(model, images, phrases(params), params.templates, refused)
    each = [scores[:, :-1] - scores[:, -1:] for scores in each]
    own = _pronouns(images, params, model, refused) if params.occupation else None
    lines: list[dict[str, Any]] = [
        {
            "item": image.id,
            "error": errors[i],
            "kind": "image",
            "cluster": image.attributes[params.cluster] if params.cluster else image.id,
            "side": side_of(params, image.attributes[params.gender]),
            "occupation": image.attributes[params.occupation] if params.occupation else None,
            "scores": None if errors[i] else relative[i],
            "alone": None if errors[i] else row_of(each, i),
            "pronouns": None if errors[i] or own is None else own[i],
        }
        for i, image in enumerate(images)
    ]
    lines += [{"item": text, "error": error, "kind": "text"} for text, error in refused.items()]
    text_columns = [(name, pa.string()) for name in ("item", "error", "kind", "cluster", "side", "occupation")]
    lists = [(name, pa.list_(pa.float64())) for name in ("scores", "pronouns")] + [("alone", pa.list_(pa.float32()))]
    return pa.Table.from_pylist(lines, pa.schema([*text_columns, *lists]))


def _pronouns(
    images: Sequence[ImageRef], params: ImageOccupationParams, model: Model, refused: dict[str, str]
) -> Floats:
    """(n, 3) scores of each image's captions: images with the same captions are asked for together."""
    alike: dict[tuple[str, ...], list[int]] = {}
    for i, image in enumerate(images):
        texts = tuple(caption(params, image.attributes, word) for word in params.pronouns)
        alike.setdefault(texts, []).append(i)
    result = np.full((len(images), 3), np.nan)
    for texts, places in alike.items():
        values, _, _, faults = score_texts(model, [images[i] for i in places], texts)
        result[places] = values
        refused.update(faults)
    return result


@dataclass(frozen=True)
class Measured:
    """Readable images, sorted by id. labels: 0 men, 1 women. scores: (n, m); pronouns: (n, 3), NaN where not asked.
    by_template: scores under each template alone, (n, m) each; none for one template."""

    items: tuple[str, ...]
    labels: NDArray[np.int64]
    clusters: NDArray[np.int64]
    occupations: tuple[str | None, ...]
    scores: Floats
    pronouns: Floats
    by_template: tuple[Floats, ...] = ()

    def size(self, side: int) -> int:
        return int((self.labels == side).sum())


def read(rows: pa.Table) -> Measured:
    """What `measure` wrote, in whatever order."""
    import pyarrow.compute as pc

    readable = rows.filter(pc.and_(pc.equal(rows["kind"], "image"), pc.is_null(rows["error"]))).sort_by("item")
    scores, pronouns = readable["scores"].to_pylist(), readable["pronouns"].to_pylist()
    return Measured(
        items=tuple(readable["item"].to_pylist()),
        labels=np.array([0 if side == "men" else 1 for side in readable["side"].to_pylist()], np.int64),
        clusters=codes(readable["cluster"].to_pylist()),
        occupations=tuple(readable["occupation"].to_pylist()),
        scores=np.array(scores, np.float64).reshape(len(scores), -1),
        pronouns=np.array([row or (np.nan,) * 3 for row in pronouns], np.float64).reshape(-1, 3),
        by_template=from_rows(readable["alone"], len(scores[0])) if scores else (),
    )
