"""What each image was taken for under every wording, label set and crop."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from clipaudit.errors import DataError, NotSupported
from clipaudit.images import ImageRef
from clipaudit.stimuli.small_changes import Changed
from clipaudit_audits.robustness.labelled import GROUP, Labelled
from clipaudit_audits.robustness.prompts_params import AS_GIVEN, PromptParams

if TYPE_CHECKING:
    import pyarrow as pa

    from clipaudit.models.protocol import Model, Scores

ALL = "all templates"


@dataclass(frozen=True)
class Wording:
    """One label set: its name and (m,) texts, those of the classes first, in their order."""

    name: str
    texts: tuple[str, ...]


def wordings(classes: Sequence[str], params: PromptParams) -> list[Wording]:
    """The labels as given, then each label set. DataError where a set renames an unknown label or repeats a text."""
    found = [Wording(AS_GIVEN, tuple(classes))]
    for name, chosen in params.label_sets.items():
        if unknown := next((label for label in chosen.words if label not in classes), None):
            raise DataError(f"prompts: label set {name!r} has other words for {unknown!r}, which is no class here")
        texts = (*(chosen.words.get(label, label) for label in classes), *chosen.extra)
        if twice := next((text for text in texts if texts.count(text) > 1), None):
            raise DataError(f"prompts: label set {name!r} holds {twice!r} twice")
        found.append(Wording(name, texts))
    return found


def cropped(image: ImageRef, crop: float) -> ImageRef:
    """The image, or its central part."""
    return image if crop == 1.0 else Changed(image, "crop", crop)


def measure(model: Model, shown: Labelled, groups: Sequence[str], params: PromptParams) -> pa.Table:
    """One row per image, with its answer under every combination.

    Raises NotSupported for a recording by bare labels, in which templates have no effect.
    """
    import pyarrow as pa

    answers: list[list[dict[str, object]]] = [[] for _ in shown.images]
    errors: list[str | None] = [None] * len(shown.images)
    for crop in params.crops:
        images = [cropped(image, crop) for image in shown.images]
        for wording, template, scores in _scored(model, images, shown, params):
            errors = [old or new for old, new in zip(errors, scores.errors, strict=True)]
            for i, answer in enumerate(_answers(scores, wording, shown)):
                answers[i].append({"labels": wording.name, "template": template, "crop": crop, **answer})
    records = [
        {
            "item": image.id, "cluster": shown.clusters[i], "label": shown.labels[i], "error": errors[i],
            "answers": answers[i] if errors[i] is None else [],
            **{f"{GROUP}{name}": image.attributes[name] for name in groups},
        }
        for i, image in enumerate(shown.images)
    ]  # fmt: skip
    return pa.Table.from_pylist(records, schema=_schema(groups))


def _scored(
    model: Model, images: Sequence[ImageRef], shown: Labelled, params: PromptParams
) -> Iterator[tuple[Wording, str, Scores]]:
    for wording in wordings(shown.classes, params):
        for template in (ALL, *params.templates):
            used = params.templates if template == ALL else (template,)
            scores = model.score_labels(images, wording.texts, used)
            if scores.text_source == "label":
                raise NotSupported(
                    f"{model.info.name} has scores by bare labels, not by prompts: templates have no effect on them"
                )
            yield wording, template, scores


def _answers(scores: Scores, wording: Wording, shown: Labelled) -> Iterator[Mapping[str, object]]:
    """Prediction in the words of the data set (a further label as it is), and the rank of the right one."""
    position = {name: i for i, name in enumerate(shown.classes)}
    spelled = (*shown.classes, *wording.texts[len(shown.classes) :])
    for i, error in enumerate(scores.errors):
        row = np.asarray(scores.values[i], np.float64)
        if error is not None:
            yield {"prediction": None, "rank": None}
            continue
        prediction = spelled[int(row.argmax())] if row.max() > row.min() else None
        yield {"prediction": prediction, "rank": int((row >= row[position[shown.labels[i]]]).sum())}


def _schema(groups: Sequence[str]) -> pa.Schema:
    import pyarrow as pa

    text = pa.string()
    answer = pa.struct([
        ("labels", text), ("template", text), ("crop", pa.float64()), ("prediction", text), ("rank", pa.int32())
    ])  # fmt: skip
    return pa.schema([
        ("item", text), ("cluster", text), ("label", text), *((f"{GROUP}{name}", text) for name in groups),
        ("answers", pa.list_(answer)), ("error", text),
    ])  # fmt: skip
