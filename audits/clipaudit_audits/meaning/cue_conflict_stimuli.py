"""What the cue-conflict audit shows: published stimuli as they are, or conflicts made of cut-outs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np

from clipaudit.data.dataset import Dataset
from clipaudit.errors import DataError, ImageError, nearest
from clipaudit.images import ImageRef
from clipaudit.stimuli.cue_conflict import Control, CueConflict, CueControl, check_source
from clipaudit.stimuli.pairing import choose_pairs
from clipaudit_audits.choosing import largest_classes
from clipaudit_audits.meaning.cue_conflict_categories import CATEGORIES
from clipaudit_audits.meaning.cue_conflict_params import CueConflictParams


@dataclass(frozen=True)
class Stimulus:
    """One image as shown. A control has one class as shape and texture, and one source.

    kind: "published", "conflict", or the controls "intact", "shape-only" and "texture-only".
    pair: the unit of resampling: the published stimulus, or the pair of sources that is shown at several strengths.
    """

    image: ImageRef
    kind: str
    shape: str
    texture: str
    pair: str
    sources: tuple[ImageRef, ...] = ()
    strength: float | None = None


@dataclass(frozen=True)
class Selection:
    """All that is shown, and the classes (m,) to decide between, sorted."""

    stimuli: tuple[Stimulus, ...]
    classes: tuple[str, ...]


def selection(dataset: Dataset, params: CueConflictParams, seed: int) -> Selection:
    """Published stimuli (columns shape and texture), or conflicts of our own (column label).

    Raises DataError if the columns are missing, there are too few classes, or classes do not suit the protocol.
    """
    if "shape" in dataset.columns and "texture" in dataset.columns:
        chosen = _published(dataset)
    else:
        dataset.require("label")
        chosen = _composed(dataset, params, seed)
    if len(chosen.classes) < 2:
        raise DataError(
            f"cue_conflict: data set {dataset.id!r} has {len(chosen.classes)} classes; it needs two or more"
        )
    strange = [name for name in chosen.classes if name not in CATEGORIES]
    if params.protocol == "imagenet1k" and strange:
        raise DataError(
            f"cue_conflict: protocol imagenet1k knows 16 published classes, and {strange[0]!r} of data set "
            f"{dataset.id!r} is none of them ({nearest(strange[0], CATEGORIES)}); use protocol=direct"
        )
    return chosen


def _published(dataset: Dataset) -> Selection:
    stimuli = tuple(
        Stimulus(image, "published", image.attributes["shape"], image.attributes["texture"], image.id)
        for image in dataset.images
    )
    return Selection(stimuli, tuple(sorted({name for one in stimuli for name in (one.shape, one.texture)})))


def _composed(dataset: Dataset, params: CueConflictParams, seed: int) -> Selection:
    sources = _sources(dataset, params, seed)
    classes = sorted({image.attributes["label"] for image in sources})
    if len(classes) < 2:
        return Selection((), tuple(classes))
    pairs = _pairs(sources, classes, params.pairs, seed)
    conflicts = [
        _conflict(shape, texture, strength, params) for shape, texture in pairs for strength in params.strengths
    ]
    controls = [_control(image, kind) for image in sources for kind in get_args(Control)]
    return Selection((*conflicts, *controls), tuple(classes))


def _pairs(
    sources: Sequence[ImageRef], classes: Sequence[str], wanted: int, seed: int
) -> list[tuple[ImageRef, ImageRef]]:
    """`wanted` pairs, or as many of them as the sources give without making one twice."""
    n = wanted
    while n > len(classes):
        try:
            return choose_pairs(sources, classes, n, seed)
        except DataError:  # some two classes ran out of images
            n = n * 4 // 5
    return choose_pairs(sources, classes, n, seed)  # each class is an outline once: never too many


def _sources(dataset: Dataset, params: CueConflictParams, seed: int) -> list[ImageRef]:
    """The classes with most images (ties by `seed`), and `per_class` images of each, drawn with `seed`."""
    labels = dataset.column("label")
    members: dict[str, list[ImageRef]] = {
        name: [] for name in largest_classes(labels, params.classes, seed, params.per_class)
    }
    for label, image in zip(labels, dataset.images, strict=True):
        if label in members:
            members[label].append(image)
    rng = np.random.default_rng(seed)
    return [image for images in members.values() for image in _some(images, params.per_class, rng)]


def _some(images: Sequence[ImageRef], most: int, rng: np.random.Generator) -> list[ImageRef]:
    return [images[i] for i in sorted(rng.permutation(len(images))[:most].tolist())]


def _conflict(shape: ImageRef, texture: ImageRef, strength: float, params: CueConflictParams) -> Stimulus:
    image = CueConflict(shape, texture, params.method, strength)
    names = image.attributes
    return Stimulus(
        image, "conflict", names["shape"], names["texture"], f"{shape.id}|{texture.id}", (shape, texture), strength
    )


def _control(source: ImageRef, kind: Control) -> Stimulus:
    label = source.attributes["label"]
    return Stimulus(CueControl(source, kind), kind, label, label, source.id, (source,))


def unusable(source: ImageRef) -> str | None:
    """Why no conflict can be made of a source: no outline, or too thin for a texture. None if it can, or is unreadable.

    Reads pixels. A file that cannot be read is left to fail when it is shown, for that is an error.
    """
    try:
        image = source.load()
    except ImageError:
        return None
    try:
        check_source(image, source.id)
    except ImageError as error:
        return str(error)
    return None
