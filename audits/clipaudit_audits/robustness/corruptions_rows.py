"""What is shown, and what the model took it for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from clipaudit.images import ImageRef
from clipaudit.stimuli.corruption import CLEAN, Corrupted
from clipaudit_audits.robustness.corruptions_params import CorruptionParams, small_change
from clipaudit_audits.robustness.corruptions_reference import ReferenceCells
from clipaudit_audits.robustness.labelled import GROUP, Labelled
from clipaudit_audits.robustness.zero_shot_rows import choice

if TYPE_CHECKING:
    import pyarrow as pa

    from clipaudit.models.protocol import Model

CHUNK = 512  # pictures asked for at once: references only, so that memory stays flat


@dataclass(frozen=True)
class Shown:
    """One picture. condition: "clean", a corruption, or a small change; severity: 0 but for corruptions."""

    image: ImageRef
    base: int
    condition: str
    severity: int
    small: bool


def pictures(shown: Labelled, params: CorruptionParams) -> Iterator[Shown]:
    """Every picture, image by image."""
    for i, image in enumerate(shown.images):
        clean = Corrupted(image)
        yield Shown(clean, i, CLEAN, 0, False)
        for name in params.corruptions:
            for severity in params.severities:
                yield Shown(Corrupted(image, name, severity), i, name, severity, False)
        for text in params.changes:
            yield Shown(small_change(clean, text), i, text, 0, True)


def measure(
    model: Model, shown: Labelled, groups: Sequence[str], params: CorruptionParams, reference: ReferenceCells | None
) -> pa.Table:  # fmt: skip
    """One row per picture. groups: columns of annotated groups."""
    import pyarrow as pa

    position = {name: i for i, name in enumerate(shown.classes)}
    everything = list(pictures(shown, params))
    records: list[dict[str, object]] = []
    for start in range(0, len(everything), CHUNK):
        part = everything[start : start + CHUNK]
        scores = model.score_labels([one.image for one in part], shown.classes, params.templates)
        for one, row, error in zip(part, scores.values, scores.errors, strict=True):
            label = shown.labels[one.base]
            record: dict[str, object] = {
                "item": one.image.id, "base": shown.images[one.base].id, "cluster": shown.clusters[one.base],
                "label": label, "condition": one.condition, "severity": one.severity, "small": one.small,
                "error": error,
                **{f"{GROUP}{name}": shown.images[one.base].attributes[name] for name in groups},
                **_reference(one, reference),
            }  # fmt: skip
            if error is None:
                values = np.asarray(row, np.float64)
                right = position[label]
                lead = float(values[right] - np.delete(values, right).max())
                record |= {"prediction": choice(values, shown.classes), "lead": lead}
            records.append(record)
    return pa.Table.from_pylist(records, schema=_schema(groups))


def _reference(one: Shown, cells: ReferenceCells | None) -> dict[str, object]:
    if cells is None or one.small:
        return {}
    if one.condition == CLEAN:
        return {"reference": cells.model, "reference_error": cells.clean}
    known = cells.errors.get(one.condition)
    return {"reference": cells.model, "reference_error": None if known is None else known[one.severity - 1]}


def _schema(groups: Sequence[str]) -> pa.Schema:
    import pyarrow as pa

    text, number = pa.string(), pa.float64()
    return pa.schema([
        ("item", text), ("base", text), ("cluster", text), ("label", text), ("condition", text),
        ("severity", pa.int32()), ("small", pa.bool_()), ("prediction", text), ("lead", number), ("reference", text),
        ("reference_error", number), *((f"{GROUP}{name}", text) for name in groups), ("error", text),
    ])  # fmt: skip
