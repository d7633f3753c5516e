"""What is shown, and what the model took it for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from clipaudit.errors import DataError, ImageError
from clipaudit.images import ImageRef
from clipaudit.stimuli.manipulation import Manipulated, no_outline
from clipaudit_audits.meaning.manipulations_params import ManipulationParams
from clipaudit_audits.robustness.labelled import Labelled
from clipaudit_audits.robustness.zero_shot_rows import choice

if TYPE_CHECKING:
    import pyarrow as pa

    from clipaudit.models.protocol import Model

CHUNK = 512  # pictures asked for at once: references only, so that memory stays flat
SILHOUETTE = "silhouette"


@dataclass(frozen=True)
class Shown:
    """One picture of the image with the number `base`."""

    image: Manipulated
    base: int


def pictures(shown: Labelled, params: ManipulationParams) -> Iterator[Shown]:
    """Every picture, image by image, the clean one first."""
    levels = params.levels()
    for i, image in enumerate(shown.images):
        yield Shown(Manipulated(image), i)
        for name, steps in levels.items():
            for level in steps:
                yield Shown(Manipulated(image, name, level), i)


def measure(model: Model, shown: Labelled, params: ManipulationParams) -> pa.Table:
    """One row per picture. Silhouettes of images without outline are named in `unusable` and not shown.

    Raises DataError where silhouettes are asked for by name and no image has an outline.
    """
    import pyarrow as pa

    reasons = _outlines(shown, params)
    everything = list(pictures(shown, params))
    records: list[dict[str, object]] = []
    for start in range(0, len(everything), CHUNK):
        part = [(one, _reason(one, reasons)) for one in everything[start : start + CHUNK]]
        made = [one for one, why in part if why is None]
        measured = _measured(model, made, shown, params)
        for one, why in part:
            records.append({**_known(one, shown), **({"unusable": why} if why else next(measured))})
    return pa.Table.from_pylist(records, schema=_schema())


def _measured(
    model: Model, part: list[Shown], shown: Labelled, params: ManipulationParams
) -> Iterator[dict[str, object]]:
    scores = model.score_labels([one.image for one in part], shown.classes, params.templates)
    position = {name: i for i, name in enumerate(shown.classes)}
    for one, row, error in zip(part, scores.values, scores.errors, strict=True):
        if error is not None:
            yield {"error": error}
            continue
        values = np.asarray(row, np.float64)
        right = position[shown.labels[one.base]]
        lead = float(values[right] - np.delete(values, right).max())
        yield {"prediction": choice(values, shown.classes), "lead": lead}


def _known(one: Shown, shown: Labelled) -> dict[str, object]:
    image = one.image
    return {
        "item": image.id, "base": shown.images[one.base].id, "cluster": shown.clusters[one.base],
        "label": shown.labels[one.base], "manipulation": image.manipulation, "level": image.level,
        "offered": len(shown.classes),
    }  # fmt: skip


def _outlines(shown: Labelled, params: ManipulationParams) -> dict[int, str]:
    """Why images, by number, give no silhouette. Reads pixels; a file that cannot be read fails when it is shown."""
    if SILHOUETTE not in params.levels():
        return {}
    found = {i: why for i, image in enumerate(shown.images) if (why := _why(image)) is not None}
    if len(found) == len(shown.images) and params.manipulations:
        raise DataError(
            f"manipulations: silhouettes need images with an outline (alpha channel); first: {found[0]}. "
            "Leave 'silhouette' out of the manipulations, or give cut-outs"
        )
    return found


def _why(image: ImageRef) -> str | None:
    try:
        return no_outline(image.load(), image.id)
    except ImageError:
        return None


def _reason(one: Shown, reasons: dict[int, str]) -> str | None:
    return reasons.get(one.base) if one.image.manipulation == SILHOUETTE else None


def _schema() -> pa.Schema:
    import pyarrow as pa

    text, number = pa.string(), pa.float64()
    return pa.schema([
        ("item", text), ("base", text), ("cluster", text), ("label", text), ("manipulation", text), ("level", number),
        ("offered", pa.int32()), ("prediction", text), ("lead", number), ("unusable", text), ("error", text),
    ])  # fmt: skip
