"""Rows of the disparity audit and what is read from them.

item, error   the image's id, or a refused text; why it could not be used
kind          "image"; "unasked": its annotation is none of the classes, it was not shown; "text": refused by the model
cluster       natural unit of an image
target        annotated class (name of an `AskedClass`); null where unasked
groups        values of the columns in `params.groups`
prediction    class, or one of the other texts, that the model chose; "" where it preferred none; null for errors
by_template   the same for each template alone; null with a single template, or where templates have no effect
margin        score of the annotated class less that of the best other text, in the model's own score
matched       "prompt" or "label": which of the two the model knew
asked         the first text as the model knows it
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from clipaudit.data.dataset import Dataset
from clipaudit.errors import DataError
from clipaudit.images import ImageRef
from clipaudit.models.protocol import Model
from clipaudit.stats.clusters import codes
from clipaudit.zeroshot import fill
from clipaudit_audits.scored_texts import score_each_template, try_texts
from clipaudit_audits.social_bias.disparity_params import DisparityParams, classes, texts_asked
from clipaudit_audits.spelled import Spelled, Spelling, score_spelled, spellings

if TYPE_CHECKING:
    import pyarrow as pa

Floats = NDArray[np.float64]


def asked_images(dataset: Dataset, params: DisparityParams) -> list[ImageRef]:
    """The images whose annotation is one of the classes."""
    return [image for image in dataset.images if image.attributes[params.target] in params.labels]


def measure(dataset: Dataset, params: DisparityParams, model: Model) -> pa.Table:
    """Classify every image that has one of the classes. DataError where the model cannot be asked."""
    import pyarrow as pa

    images = asked_images(dataset, params)
    if not images:
        raise DataError(f"disparity: no image of data set {dataset.id!r} has a value of {params.target!r} among labels")
    spelled, faults = _asked(model, images, params)
    scores = spelled.scores
    class_of = {value: one.name for one in classes(params) for value in one.values}
    names = [one.name for one in classes(params) for _ in one.texts] + list(params.others)
    values = np.asarray(scores.values, dtype=np.float64)
    single = _alone(model, images, spelled, faults)
    text = spelled.spelling.texts[0]
    first = text if scores.text_source == "label" else fill(spelled.spelling.templates[0], text)
    lines: list[dict[str, Any]] = []
    for i, (image, error) in enumerate(zip(images, scores.errors, strict=True)):
        line = _about(image, params) | {
            "error": error,
            "kind": "image",
            "target": class_of[image.attributes[params.target]],
        }
        if error is None:
            line |= {
                "prediction": choice(values[i], names),
                "by_template": [choice(one[i], names) for one in single] or None,
                "margin": _margin(values[i], names, str(line["target"])),
                "matched": scores.text_source,
                "asked": first,
            }
        lines.append(line)
    shown = {image.id for image in images}
    lines += [_about(image, params) | {"kind": "unasked"} for image in dataset.images if image.id not in shown]
    lines += [{"item": text, "error": error, "kind": "text"} for text, error in faults.items()]
    return pa.Table.from_pylist(lines, _schema())


def _asked(model: Model, images: Sequence[ImageRef], params: DisparityParams) -> tuple[Spelled, dict[str, str]]:
    """Scores, and refused texts by error. A live model refuses a text that is too long; of a recorded one, what it
    lacks in any spelling is for its user to mend."""
    texts = texts_asked(params)
    if model.info.kind != "recorded":
        scores, faults = try_texts(model, images, texts, params.templates)
        return Spelled(scores, Spelling(tuple(texts), params.templates)), faults
    values = [value for one in classes(params) for value in one.values]
    also = [[*values, *params.others]] if len(values) + len(params.others) == len(texts) else []
    try:
        return score_spelled(model, images, spellings(texts, params.templates, also)), {}
    except DataError as error:
        if " id " in str(error):  # an image is not recorded, which no label mends
            raise
        value = next(iter(params.labels))
        hint = (
            f"say by which text each value of {params.target!r} is asked: disparity.labels={{{value!r} = 'text', ...}}"
        )
        raise DataError(f"{error}; {hint}") from None


def _alone(model: Model, images: Sequence[ImageRef], spelled: Spelled, faults: Collection[str]) -> Sequence[Floats]:
    """Scores by each template alone; nothing with a single one, or where templates have no effect."""
    if spelled.scores.text_source == "label":
        return []
    return score_each_template(model, images, spelled.spelling.texts, spelled.spelling.templates, faults)


def _about(image: ImageRef, params: DisparityParams) -> dict[str, Any]:
    return {
        "item": image.id,
        "cluster": image.attributes[params.cluster] if params.cluster else image.id,
        "groups": [image.attributes[name] for name in params.groups],
    }


def choice(row: Floats, names: Sequence[str]) -> str:
    """The name with the highest score; "" where names tie, or nothing was decided. NaN: a text that was refused."""
    best = {names[i] for i in np.flatnonzero(row == np.nanmax(row)).tolist()}
    return best.pop() if len(best) == 1 else ""


def _margin(row: Floats, names: Sequence[str], target: str) -> float | None:
    """Null where the class, or everything else, was refused."""
    own = np.array([name == target for name in names]) & np.isfinite(row)
    rest = np.isfinite(row) & ~own & np.array([name != target for name in names])
    return float(row[own].max() - row[rest].max()) if own.any() and rest.any() else None


def _schema() -> pa.Schema:
    import pyarrow as pa

    text, texts = pa.string(), pa.list_(pa.string())
    kinds = {"groups": texts, "by_template": texts, "margin": pa.float64()}
    names = (
        "item",
        "error",
        "kind",
        "cluster",
        "target",
        "groups",
        "prediction",
        "by_template",
        "margin",
        "matched",
        "asked",
    )
    return pa.schema([(name, kinds.get(name, text)) for name in names])


@dataclass(frozen=True)
class Answers:
    """What the model answered. Items are sorted by id, so that nothing depends on the order of rows.

    items, clusters, distinct, targets, predictions: (n,) of all images asked, error or not; prediction "" where none.
    distinct: images of one cluster with the same annotations share a number: photographs of one person, or copies.
    columns: group column -> (n,) values. readable: (n,) without error. by_template: (t, n) predictions, or nothing.
    refused: text -> error. unasked: number of images without one of the classes. matched: "prompt" or "label".
    asked: the first text, as asked.
    """

    items: tuple[str, ...]
    clusters: NDArray[np.int64]
    distinct: NDArray[np.int64]
    columns: Mapping[str, tuple[str, ...]]
    targets: NDArray[np.str_]
    predictions: NDArray[np.str_]
    margins: Floats
    readable: NDArray[np.bool_]
    by_template: tuple[NDArray[np.str_], ...]
    refused: Mapping[str, str]
    unasked: int
    matched: str
    asked: str


def read(rows: pa.Table, params: DisparityParams) -> Answers:
    """What `measure` wrote. Images of a class all of whose texts were refused are not among them."""
    import pyarrow.compute as pc

    texts = rows.filter(pc.equal(rows["kind"], "text"))
    refused = dict(sorted(zip(texts["item"].to_pylist(), texts["error"].to_pylist(), strict=True)))
    lost = [one.name for one in classes(params) if set(one.texts) <= set(refused)]
    kept = pc.and_(pc.equal(rows["kind"], "image"), pc.invert(pc.is_in(rows["target"], value_set=_strings(lost))))
    images = rows.filter(kept).sort_by("item")
    groups = images["groups"].to_pylist()
    margins = np.asarray(images["margin"].to_numpy(), dtype=np.float64)
    single = [row for row in images["by_template"].to_pylist() if row is not None]
    width = len(single[0]) if single else 0
    blank = [""] * width
    alone = [row or blank for row in images["by_template"].to_pylist()]
    alike = [
        (cluster, target, *own)
        for cluster, target, own in zip(
            images["cluster"].to_pylist(), images["target"].to_pylist(), groups, strict=True
        )
    ]
    return Answers(
        items=tuple(images["item"].to_pylist()),
        clusters=codes(images["cluster"].to_pylist()),
        distinct=codes(alike),
        columns={name: tuple(row[i] for row in groups) for i, name in enumerate(params.groups)},
        targets=np.array(images["target"].to_pylist(), dtype=str),
        predictions=np.array([name or "" for name in images["prediction"].to_pylist()], dtype=str),
        margins=margins,
        readable=np.asarray(images["error"].is_null(), dtype=bool),
        by_template=tuple(np.array([row[t] for row in alone], dtype=str) for t in range(width)),
        refused=refused,
        unasked=int(pc.sum(pc.equal(rows["kind"], "unasked")).as_py() or 0)
        + int(pc.sum(pc.is_in(rows["target"], value_set=_strings(lost))).as_py() or 0),
        matched=next(iter(images["matched"].drop_null().to_pylist()), "prompt"),
        asked=next(iter(images["asked"].drop_null().to_pylist()), ""),
    )


def _strings(values: Sequence[str]) -> pa.Array:
    import pyarrow as pa

    return pa.array(values, pa.string())
