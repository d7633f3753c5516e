"""What the typographic audit shows: a real attacked set as it is, or clean images with notes of ours on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from clipaudit.data.dataset import Dataset
from clipaudit.errors import DataError
from clipaudit.images import ImageRef
from clipaudit.stimuli.overlay import Kind, Overlay
from clipaudit.stimuli.written import random_string, wrong_labels
from clipaudit_audits.choosing import largest_classes, spread
from clipaudit_audits.robustness.typographic_params import TypographicParams

CONTROLS: tuple[Kind, ...] = ("blank", "random", "right")


@dataclass(frozen=True)
class Shown:
    """One image as shown. `written` is the attack's word, also where the image shows a control of that attack.

    kind: "clean", "wrong" (the attack), the controls "blank", "random" and "right", or "real" (attacked elsewhere).
    area: share of the central square that the note covers; None where unknown or where there is no note.
    """

    image: ImageRef
    base: str
    cluster: str
    kind: str
    area: float | None
    label: str
    written: str


@dataclass(frozen=True)
class Exhibition:
    """Everything shown, and the classes (m,) among which the model chooses, sorted."""

    shown: tuple[Shown, ...]
    classes: tuple[str, ...]


def exhibition(dataset: Dataset, params: TypographicParams, seed: int) -> Exhibition:
    """A set with the column `written` is shown as it is; on any other, notes are drawn.

    Raises DataError without the column `label`, or with fewer than two classes.
    """
    dataset.require("label")
    real = "written" in dataset.columns
    labels = dataset.column("label")
    classes = _named(labels, dataset.column("written")) if real else largest_classes(labels, params.classes, seed)
    if len(classes) < 2:
        raise DataError(f"typographic: data set {dataset.id!r} has {len(classes)} classes; it needs at least two")
    known = set(classes)
    used = [image for image, label in zip(dataset.images, labels, strict=True) if label in known]
    per_base = 1 if real else 1 + len(params.doses) + len(CONTROLS)
    drawn = spread([image.attributes["label"] for image in used], max(2, params.max_images // per_base), seed)
    bases = [used[i] for i in drawn]
    shown = [_real(dataset, image) for image in bases] if real else _overlaid(dataset, bases, params, seed)
    return Exhibition(tuple(shown), tuple(classes))


def _named(labels: Sequence[str], written: Sequence[str]) -> list[str]:
    """All classes and all written words, sorted: the label set of RTA-100."""
    return sorted({*labels, *written} - {""})


def _real(dataset: Dataset, image: ImageRef) -> Shown:
    columns = image.attributes
    area = _number(columns["area"], image.id) if "area" in dataset.columns else None
    label, written = columns["label"], columns["written"]
    if not written or written == label:
        raise DataError(f"{image.id}: column 'written' must hold a word other than the label {label!r}")
    return Shown(image, image.id, _cluster(dataset, image), "real", area, label, written)


def _overlaid(dataset: Dataset, bases: Sequence[ImageRef], params: TypographicParams, seed: int) -> list[Shown]:
    attacks = wrong_labels([base.attributes["label"] for base in bases], seed)
    return [
        shown for base, wrong in zip(bases, attacks, strict=True) for shown in _of(dataset, base, wrong, params, seed)
    ]


def _of(dataset: Dataset, base: ImageRef, wrong: str, params: TypographicParams, seed: int) -> list[Shown]:
    """One base: clean, attacked at every area, and the controls at the main area."""
    label, cluster = base.attributes["label"], _cluster(dataset, base)
    texts: dict[Kind, str] = {"blank": wrong, "random": random_string(wrong, seed, base.id), "right": label}

    def note(kind: Kind, text: str, area: float) -> Shown:
        overlay = Overlay(base, text, params.style(area, seed), kind)
        return Shown(overlay, base.id, cluster, kind, area, label, wrong)

    clean = Shown(base, base.id, cluster, "clean", None, label, wrong)
    attacked = [note("wrong", wrong, area) for area in params.doses]
    return [clean, *attacked, *(note(kind, texts[kind], params.area) for kind in CONTROLS)]


def _cluster(dataset: Dataset, image: ImageRef) -> str:
    return image.attributes[dataset.cluster] if dataset.cluster in dataset.columns else image.id


def _number(text: str, item: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise DataError(f"{item}: column 'area' holds {text!r}, which is not a number") from None
