"""What the model took each image for, and how sure it said it was."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from clipaudit.errors import DataError, NotSupported
from clipaudit.models.protocol import Scores
from clipaudit.zeroshot import probabilities
from clipaudit_audits.robustness.calibration_params import CalibrationParams
from clipaudit_audits.robustness.labelled import GROUP, Labelled

if TYPE_CHECKING:
    import pyarrow as pa

    from clipaudit.models.protocol import Model


def measure(model: Model, shown: Labelled, groups: Sequence[str], params: CalibrationParams) -> pa.Table:
    """One row per image. Raises NotSupported for a model whose scores are no basis for a probability."""
    import pyarrow as pa

    scores = model.score_labels(shown.images, shown.classes, params.templates)
    values = confidences(scores, model.info.logit_scale, model.info.name)
    position = {name: i for i, name in enumerate(shown.classes)}
    records = []
    for i, error in enumerate(scores.errors):
        label = shown.labels[i]
        record: dict[str, object] = {
            "item": shown.images[i].id, "cluster": shown.clusters[i], "label": label, "offered": len(shown.classes),
            "error": error,
        }  # fmt: skip
        record |= {f"{GROUP}{name}": shown.images[i].attributes[name] for name in groups}
        if error is None:
            record |= _answer(values[i], position[label], shown.classes)
        records.append(record)
    return pa.Table.from_pylist(records, schema=_schema(groups))


def confidences(scores: Scores, logit_scale: float | None, model: str) -> NDArray[np.float64]:
    """(n, m) probabilities over the labels, rows of failed images NaN.

    Raises NotSupported for decisions, and for cosines without a logit scale.
    """
    if scores.kind == "decision":
        raise NotSupported("the audit asks how sure a model is; this one gives decisions only")
    if scores.kind == "probability":
        values = np.asarray(scores.values, np.float64)
        if np.nanmin(values, initial=0.0) < 0:
            raise DataError(f"calibration: {model} gives probabilities below 0")
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(values / values.sum(axis=1, keepdims=True))
    if scores.kind == "cosine" and logit_scale is None:
        raise NotSupported(f"{model} gives cosines and no logit scale (in a recording: logit_scale in its manifest)")
    scale = float(logit_scale or 1.0) if scores.kind == "cosine" else 1.0
    return probabilities(scores.values, scale)


def _answer(row: NDArray[np.float64], right: int, classes: Sequence[str]) -> dict[str, object]:
    truth = np.zeros(len(row))
    truth[right] = 1.0
    return {
        "prediction": classes[int(row.argmax())], "confidence": float(row.max()), "p_label": float(row[right]),
        "brier": float(((row - truth) ** 2).sum()),
    }  # fmt: skip


def _schema(groups: Sequence[str]) -> pa.Schema:
    import pyarrow as pa

    text, number = pa.string(), pa.float64()
    return pa.schema([
        ("item", text), ("cluster", text), ("label", text), ("offered", pa.int32()), ("prediction", text),
        ("confidence", number), ("p_label", number), ("brier", number),
        *((f"{GROUP}{name}", text) for name in groups), ("error", text),
    ])  # fmt: skip
