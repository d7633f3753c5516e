"""What the model, and the probes on its embeddings, took each image for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from clipaudit.contract import Need
from clipaudit.models.protocol import Scores
from clipaudit_audits.robustness.labelled import Labelled
from clipaudit_audits.robustness.zero_shot_params import ZeroShotParams
from clipaudit_audits.robustness.zero_shot_probes import probes, shared_classes

if TYPE_CHECKING:
    import pyarrow as pa

    from clipaudit.models.protocol import Model

TOP = 5


def measure(model: Model, shown: Labelled, params: ZeroShotParams, seed: int) -> pa.Table:
    """One row per image: what it was taken for among all classes, among those that probes can be trained on
    (`shared`), and by every probe that was tested on it."""
    scores = model.score_labels(shown.images, shown.classes, params.templates)
    errors = list(scores.errors)
    vectors = None
    if params.probes and Need.EMBEDDINGS in model.capabilities:
        embedded = model.embed_images(shown.images)
        vectors = np.asarray(embedded.vectors, np.float64)
        errors = [first or second for first, second in zip(errors, embedded.errors, strict=True)]
    readable = np.array([error is None for error in errors])
    shared = _shared(shown, readable, params)
    answers: list[list[dict[str, object]]] = [[] for _ in errors]
    if vectors is not None and len(shared) > 1:
        answers = _probed(shown, vectors, readable, shared, params, seed)
    return _table(shown, scores, errors, shared, answers)


def _shared(shown: Labelled, readable: NDArray[np.bool_], params: ZeroShotParams) -> list[str]:
    used = np.flatnonzero(readable)
    return shared_classes([shown.labels[i] for i in used], [shown.clusters[i] for i in used], params.folds)


def _probed(
    shown: Labelled,
    vectors: NDArray[np.float64],
    readable: NDArray[np.bool_],
    shared: Sequence[str],
    params: ZeroShotParams,
    seed: int,
) -> list[list[dict[str, object]]]:
    """For each image the answers of the probes that were tested on it; none where its class is not shared."""
    number = {name: i for i, name in enumerate(shared)}
    used = [i for i, label in enumerate(shown.labels) if readable[i] and label in number]
    answers: list[list[dict[str, object]]] = [[] for _ in shown.labels]
    found = probes(
        vectors[used], np.array([number[shown.labels[i]] for i in used]), [shown.clusters[i] for i in used],
        params.shots, folds=params.folds, splits=params.splits, penalty=params.penalty, seed=seed,
    )  # fmt: skip
    for probe in found:
        for position, chosen in zip(probe.tested, probe.chosen, strict=True):
            answer = {"shots": probe.shots, "split": probe.split, "prediction": shared[int(chosen)]}
            answers[used[int(position)]].append(answer)
    return answers


def _table(
    shown: Labelled,
    scores: Scores,
    errors: Sequence[str | None],
    shared: Sequence[str],
    answers: Sequence[list[dict[str, object]]],
) -> pa.Table:
    import pyarrow as pa

    position = {name: i for i, name in enumerate(shown.classes)}
    offered = [position[name] for name in shared]
    records = []
    for i, error in enumerate(errors):
        label = shown.labels[i]
        record: dict[str, object] = {
            "item": shown.images[i].id, "cluster": shown.clusters[i], "label": label, "offered": len(shown.classes),
            "shared": len(shared) if label in shared else 0, "probes": answers[i], "error": error,
        }  # fmt: skip
        if error is None:
            row = np.asarray(scores.values[i], np.float64)
            record |= _choices(row, position[label], shown.classes, scores.kind == "decision")
            if label in shared:
                record["prediction_shared"] = choice(row[offered], shared)
        records.append(record)
    return pa.Table.from_pylist(records, schema=_schema())


def _choices(row: NDArray[np.float64], right: int, classes: Sequence[str], decided: bool) -> dict[str, object]:
    rank = int((row >= row[right]).sum())  # of equal scores the label's comes last
    return {
        "prediction": choice(row, classes),
        "top": None if decided or len(classes) <= TOP else rank <= TOP,
        "margin": float(np.delete(row, right).max() - row[right]),
    }


def choice(row: NDArray[np.float64], names: Sequence[str]) -> str | None:
    """The name with the highest score; None where all scores are alike."""
    return names[int(row.argmax())] if row.max() > row.min() else None


def _schema() -> pa.Schema:
    import pyarrow as pa

    text, whole = pa.string(), pa.int32()
    answer = pa.struct([("shots", whole), ("split", whole), ("prediction", text)])
    return pa.schema([
        ("item", text), ("cluster", text), ("label", text), ("offered", whole), ("prediction", text),
        ("top", pa.bool_()), ("margin", pa.float64()), ("shared", whole), ("prediction_shared", text),
        ("probes", pa.list_(answer)), ("error", text),
    ])  # fmt: skip
