"""Fluent emoji: which skin tone is drawn, whatever the file's name says.

The names follow Unicode (1F3FB to 1F3FF). In the package as published the files of the second and third tone are
exchanged for most roles. The skin is therefore measured: the middle of the face, where the five drawings of one person
differ.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from clipaudit.data.files import FileImage, NamedItem
from clipaudit.data.loaded import Loaded
from clipaudit.errors import DataError, ImageError
from clipaudit.images import ImageRef, to_rgb

TONES = ("1", "2", "3", "4", "5")
_SIDE = 64  # pixels that drawings are reduced to
_FACE = (slice(18, 28), slice(26, 38))  # the middle of the face: no hair, no helmet, no collar
_LUMA = np.array([0.2126, 0.7152, 0.0722])  # ITU-R BT.709
_DIFFERS = 60.0  # luminance (0 to 255) between the tones: skin, but neither eyes nor mouth
_LEAST = 8.0  # between neighbouring tones; those of the package differ by 15 and more

Family = Mapping[str, ImageRef]  # tone that the name says -> drawing, all else alike


def drawn_tones(loaded: Loaded) -> Loaded:
    """Adds the column `tone`: "tone 1" (lightest) to "tone 5" (darkest) as drawn; notes where names say otherwise.

    Where the images are not here, or a person's drawings cannot be measured, the names are believed and a note says so.
    Raises DataError for a tone that is none of 1 to 5.
    """
    named = {item.id: _named_tone(item) for item in loaded.items}
    if all(isinstance(item, NamedItem) for item in loaded.items):
        note = "Skin tones are those that the files' names say: without the images they could not be measured."
        return _with(loaded, named, note)
    families: dict[tuple[str, str], dict[str, ImageRef]] = {}
    for item in loaded.items:
        key = (item.attributes.get("role", ""), item.attributes.get("presentation", ""))
        families.setdefault(key, {})[named[item.id]] = item
    drawn, exchanged, unmeasured = dict(named), [], []
    for key, family in sorted(families.items()):
        order = tone_order(family)
        if order is None:
            unmeasured.append(" ".join(key))
            continue
        drawn |= {family[name].id: tone for name, tone in zip(TONES, order, strict=True)}
        if order != TONES:
            exchanged.append((" ".join(key), order))
    return _with(loaded, drawn, _said(exchanged, len(families)), _not_measured(unmeasured))


def tone_order(family: Family) -> tuple[str, ...] | None:
    """The drawn tone, "1" (lightest) to "5", of each of the five named ones; None where that cannot be told.

    It can be told only of five readable drawings whose skin differs clearly from tone to tone.
    """
    if set(family) != set(TONES):
        return None
    try:
        luminance = skin_luminance([family[tone] for tone in TONES])
    except ImageError:
        return None
    if not np.isfinite(luminance).all() or np.diff(np.sort(luminance)).min() < _LEAST:
        return None
    ranks = np.argsort(np.argsort(-luminance))
    return tuple(TONES[rank] for rank in ranks)


def skin_luminance(drawings: Sequence[ImageRef]) -> NDArray[np.float64]:
    """(n,) median luminance, 0 to 255, of the skin in n drawings of one person; NaN where no skin is found.

    Raises ImageError for a drawing that cannot be read.
    """
    faces = [np.asarray(to_rgb(drawing.load()).resize((_SIDE, _SIDE)), np.float64)[_FACE] for drawing in drawings]
    luminance = np.stack(faces) @ _LUMA
    skin = np.ptp(luminance, axis=0) > _DIFFERS
    if not skin.any():
        return np.full(len(drawings), np.nan)
    return np.asarray(np.median(luminance[:, skin], axis=1))


def _named_tone(item: ImageRef) -> str:
    tone = item.attributes.get("unicode_tone", "")
    if tone not in TONES:
        raise DataError(f"fluent-people: {item.id}: unicode_tone is {tone!r}; it must be one of {', '.join(TONES)}")
    return tone


def _said(exchanged: Sequence[tuple[str, tuple[str, ...]]], families: int) -> str:
    if not exchanged:
        return ""
    _, order = exchanged[0]
    wrong = [f"the files named tone {name} show tone {tone}" for name, tone in zip(TONES, order, strict=True)]
    wrong = [line for line, name, tone in zip(wrong, TONES, order, strict=True) if name != tone]
    return (
        f"For {len(exchanged)} of {families} drawn people the files' names give the wrong skin tone by the measured "
        f"luminance of the skin (first, {exchanged[0][0]}: {', '.join(wrong)}); the column tone says what is drawn."
    )


def _not_measured(people: Sequence[str]) -> str:
    if not people:
        return ""
    return f"The skin of {len(people)} drawn people could not be measured (first: {people[0]}); the names are believed."


def _with(loaded: Loaded, tones: Mapping[str, str], *notes: str) -> Loaded:
    items: list[ImageRef] = []
    for item in loaded.items:
        attributes = {**item.attributes, "tone": f"tone {tones[item.id]}"}
        assert isinstance(item, (FileImage, NamedItem)), "folders and tables give no other items"
        found = copy(item)
        found.attributes = attributes
        items.append(found)
    return replace(loaded, items=items, notes=(*loaded.notes, *filter(None, notes)))
