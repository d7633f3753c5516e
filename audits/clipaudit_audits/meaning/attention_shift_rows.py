"""Rows of the attention-shift audit: one per image and prompt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

Record = dict[str, Any]

_TEXT = ("item", "cluster", "label", "misled", "role", "prompt", "method", "reason", "error")
_LISTS = ("relevance", "mask", "occlusion", "shuffled", "deletion", "insertion", "random_deletion", "random_insertion")


def schema() -> pa.Schema:
    """item, cluster, label, misled (the label that the misleading prompt names), role, prompt, method, reason (why
    this one); cosine of the picture, and blank: of the picture all covered; relevance (G * G, signed) and mask (G * G,
    share of each patch on the object; null without outline). Where maps are checked: occlusion, and shuffled (the map
    of meaningless weights), G * G each; deletion and insertion, the scores on the way of the map's order, and of random
    orders; picture, the file of what was shown. error."""
    import pyarrow as pa

    fields = [pa.field(name, pa.string()) for name in _TEXT]
    fields += [pa.field("cosine", pa.float64()), pa.field("blank", pa.float64())]
    fields += [pa.field(name, pa.list_(pa.float64())) for name in _LISTS]
    return pa.schema([*fields, pa.field("picture", pa.binary())])


def table(records: Sequence[Record]) -> pa.Table:
    """Rows from records; what a record lacks is null."""
    import pyarrow as pa

    return pa.Table.from_pylist(list(records), schema=schema())
