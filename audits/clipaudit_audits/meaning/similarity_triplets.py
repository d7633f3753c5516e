"""Triplets: an image, one of its class that looks otherwise, and one of another class that looks alike. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Anchor:
    """What surrounds one image, as positions in the set; None where there is none.

    Attributes:
        match: of its class, the least alike in the cue. look: of another class, the most alike in the cue. Both None
            unless `look` is more alike than `match`: else the cue itself speaks for the class.
        nearest: by the model. nearest_by_cue: by the cue alone.
        alike: where the model's nearest image of another class stands among those of other classes by likeness in the
            cue, 0 (least alike) to 1, ties in the middle.
        chance: probability that an image drawn at random shares the class.
    """

    match: int | None
    look: int | None
    nearest: int
    nearest_by_cue: int
    alike: float | None
    chance: float


def anchors(model: Floats, cue: Floats, labels: Sequence[str]) -> list[Anchor]:
    """One per image of a set of at least two: model and cue are similarities (n, n)."""
    names = np.array(labels)
    same = names[:, None] == names
    np.fill_diagonal(same, False)
    other = names[:, None] != names
    model, cue = (np.where(np.eye(len(names), dtype=bool), -np.inf, found) for found in (model, cue))
    return [_anchor(model[i], cue[i], same[i], other[i]) for i in range(len(names))]


def _anchor(model: Floats, cue: Floats, same: NDArray[np.bool_], other: NDArray[np.bool_]) -> Anchor:
    match = look = alike = None
    if other.any():
        stranger = int(np.where(other, model, -np.inf).argmax())
        alike = _standing(cue[other], cue[stranger])
        look = int(np.where(other, cue, -np.inf).argmax())
    if same.any():
        match = int(np.where(same, cue, np.inf).argmin())
    if match is None or look is None or cue[look] <= cue[match]:
        match = look = None
    return Anchor(match, look, int(model.argmax()), int(cue.argmax()), alike, float(same.sum() / (len(same) - 1)))


def _standing(values: Floats, value: float) -> float | None:
    """Share of the other values that lie below `value`, ties counting half; None where there are no others."""
    if len(values) < 2:
        return None
    return float(((values < value).sum() + 0.5 * ((values == value).sum() - 1)) / (len(values) - 1))
