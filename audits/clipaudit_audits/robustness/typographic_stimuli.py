"""What the typographic audit shows: a real attacked set as it is, or clean images with notes of ours on them; and the
words alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from clipaudit.data.dataset import Dataset
from clipaudit.errors import DataError, nearest
from clipaudit.images import ImageRef
from clipaudit.stimuli.languages import LANGUAGES, translated
from clipaudit.stimuli.overlay import Kind, Overlay
from clipaudit.stimuli.word import WrittenWord, written_word
from clipaudit.stimuli.written import random_string, wrong_labels
from clipaudit_audits.choosing import largest_classes, spread
from clipaudit_audits.robustness.labelled import group_columns
from clipaudit_audits.robustness.typographic_params import DRAWN_IMAGES, TypographicParams

CONTROLS: tuple[Kind, ...] = ("blank", "random", "right")
VARIANTS = ("clean", "real", "synthetic")


@dataclass(frozen=True)
class Shown:
    """One image as shown. `written` is the attack's word, also where the image shows a control of that attack.

    kind: "clean", "wrong" (the attack), the controls "blank", "random" and "right", or, attacked elsewhere, "real"
    (photographed with its note) and "synthetic".
    area: share of the central square that the note covers; None where unknown or where there is no note.
    factor, level: what of the note differs from the main result, and how ("contrast", "0.5"); empty where nothing.
    groups: annotated group of the base by column.
    """

    image: ImageRef
    base: str
    cluster: str
    kind: str
    area: float | None
    label: str
    written: str
    factor: str = ""
    level: str = ""
    groups: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Exhibition:
    """Everything shown, the classes (m,) among which the model chooses, sorted, and words shown alone, sorted."""

    shown: tuple[Shown, ...]
    classes: tuple[str, ...]
    words: tuple[WrittenWord, ...] = ()


def exhibition(dataset: Dataset, params: TypographicParams, seed: int) -> Exhibition:
    """A set with the column `written` is shown as it is; on any other, notes are drawn.

    Raises DataError without the column `label`, with fewer than two classes, or where a column holds what it cannot.
    """
    dataset.require("label")
    groups = group_columns(dataset, params.groups, "label")
    if "written" in dataset.columns:
        classes, shown = _real(dataset, params, groups, seed)
    else:
        classes, shown = _drawn(dataset, params, groups, seed)
    if len(classes) < 2:
        raise DataError(f"typographic: data set {dataset.id!r} has {len(classes)} classes; it needs at least two")
    words = [classes[i] for i in spread(classes, params.reading, seed)] if params.reading else []
    return Exhibition(tuple(shown), tuple(classes), tuple(filter(None, map(written_word, words))))


# --- sets that come with their notes --------------------------------------------------------------------------------


def _real(
    dataset: Dataset, params: TypographicParams, groups: Sequence[str], seed: int
) -> tuple[list[str], list[Shown]]:
    """Where there are variants, pictures of one photograph (column `photo`) stay together."""
    columns = [image.attributes for image in dataset.images]
    bases = _bases(dataset)
    label_of = {base: row["label"] for base, row in zip(bases, columns, strict=True)}
    kept = set(label_of)
    if params.max_images is not None and params.max_images < len(bases):
        names, most = list(label_of), max(2, params.max_images * len(label_of) // len(bases))
        kept = {names[i] for i in spread(list(label_of.values()), most, seed)}
    shown = [
        _photographed(dataset, image, base, groups)
        for image, base in zip(dataset.images, bases, strict=True)
        if base in kept
    ]
    return sorted({name for row in columns for name in (row["label"], row["written"])} - {""}), shown


def _bases(dataset: Dataset) -> list[str]:
    """The photograph of each picture. Raises DataError where one has two pictures of one variant."""
    if not {"variant", "photo"} <= set(dataset.columns):
        return [image.id for image in dataset.images]
    seen: dict[tuple[str, str], str] = {}
    for image in dataset.images:
        photo, variant = image.attributes["photo"], image.attributes["variant"]
        other = seen.setdefault((photo, variant), image.id)
        if other != image.id:
            raise DataError(f"{image.id}: {other} is the {variant} picture of {photo!r} already")
    return [image.attributes["photo"] for image in dataset.images]


def _photographed(dataset: Dataset, image: ImageRef, base: str, groups: Sequence[str]) -> Shown:
    columns = image.attributes
    label, written = columns["label"], columns["written"]
    if not written or written == label:
        raise DataError(f"{image.id}: column 'written' must hold a word other than the label {label!r}")
    kind = columns["variant"] if "variant" in dataset.columns else "real"
    if kind not in VARIANTS:
        raise DataError(f"{image.id}: column 'variant' holds {kind!r}; {nearest(kind, VARIANTS)}")
    area = _number(columns["area"], image.id) if "area" in dataset.columns and kind != "clean" else None
    of = {name: columns[name] for name in groups}
    return Shown(image, base, _cluster(dataset, image), kind, area, label, written, groups=of)


def _number(text: str, item: str) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        raise DataError(f"{item}: column 'area' holds {text!r}, which is not a number") from None


# --- notes of ours --------------------------------------------------------------------------------------------------


def _drawn(
    dataset: Dataset, params: TypographicParams, groups: Sequence[str], seed: int
) -> tuple[list[str], list[Shown]]:
    labels = dataset.column("label")
    classes = largest_classes(labels, params.classes, seed)
    if len(classes) < 2:
        return classes, []
    known = set(classes)
    used = [image for image, label in zip(dataset.images, labels, strict=True) if label in known]
    varied = list(_varied(params))
    per_base = 1 + len(params.doses) + len(CONTROLS) + len(varied)
    most = max(2, (params.max_images or DRAWN_IMAGES) // per_base)
    bases = [used[i] for i in spread([image.attributes["label"] for image in used], most, seed)]
    attacks = wrong_labels([base.attributes["label"] for base in bases], seed)
    shown = [
        one
        for base, wrong in zip(bases, attacks, strict=True)
        for one in _of(dataset, base, wrong, params, groups, seed)
    ]
    _check_languages(params, shown)
    return classes, shown


def _of(
    dataset: Dataset, base: ImageRef, wrong: str, params: TypographicParams, groups: Sequence[str], seed: int
) -> list[Shown]:
    """One base: clean, attacked at every area, the controls and what else is varied at the main area."""
    label, cluster = base.attributes["label"], _cluster(dataset, base)
    of = {name: base.attributes[name] for name in groups}
    texts: dict[Kind, str] = {"blank": wrong, "random": random_string(wrong, seed, base.id), "right": label}

    def note(kind: Kind, text: str, area: float, factor: str = "", level: str = "", **changed: Any) -> Shown:
        overlay = Overlay(base, text, params.style(area, seed, **changed), kind)
        return Shown(overlay, base.id, cluster, kind, area, label, wrong, factor, level, of)

    shown = [Shown(base, base.id, cluster, "clean", None, label, wrong, groups=of)]
    shown += [note("wrong", wrong, area) for area in params.doses]
    shown += [note(kind, texts[kind], params.area) for kind in CONTROLS]
    shown += [note("wrong", wrong, params.area, factor, level, **changed) for factor, level, changed in _varied(params)]
    for language in params.languages:
        word = translated(wrong, language, params.words)
        if word is not None and word.casefold() != wrong.casefold():
            shown.append(note("wrong", word, params.area, "language", LANGUAGES.get(language, language)))
    return shown


def _varied(params: TypographicParams) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(factor, level, what of the style changes) of each showing that differs from the main one in one factor."""
    for contrast in dict.fromkeys(params.contrasts):
        if contrast != params.contrast:
            yield "contrast", f"{contrast:g}", {"contrast": contrast}
    for place in dict.fromkeys(params.places):
        if place != params.place:
            yield "place", place, {"place": place}
    for font in dict.fromkeys(params.fonts):
        if font != params.font:
            yield "font", font, {"font": font}
    for times in dict.fromkeys(params.repeats):
        if times != params.repetitions:
            yield "repetitions", str(times), {"repetitions": times}


def _check_languages(params: TypographicParams, shown: Sequence[Shown]) -> None:
    found = {one.level for one in shown if one.factor == "language"}
    for language in params.languages:
        if LANGUAGES.get(language, language) not in found:
            label = next(one.written for one in shown)
            raise DataError(
                f"typographic: no label of the set has a word in {language!r}; "
                f"give them with words.{language} (for example {{{label!r} = ...}}) or leave the language out"
            )


def _cluster(dataset: Dataset, image: ImageRef) -> str:
    return image.attributes[dataset.cluster] if dataset.cluster in dataset.columns else image.id
