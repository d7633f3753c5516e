"""Curves of accuracy over levels, and the areas under them. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clipaudit.stimuli.manipulation import CLEAN, MANIPULATIONS
from clipaudit_audits.robustness.typographic_measures import Flags

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Curve:
    """n images under one manipulation, sorted by id. right: (1 + k, n), first clean, then by level (k,), ascending.

    left_out: images that cannot be shown so.
    """

    name: str
    levels: tuple[float, ...]
    clusters: tuple[str, ...]
    right: Flags
    left_out: int

    @property
    def clean(self) -> Flags:
        """(n,) named correctly as it is."""
        return np.asarray(self.right[0])

    def areas(self) -> Floats:
        """(n,) each image's part of the area: trapezoids over equally spaced levels, divided by their number.

        With one level it is the mean of clean and that level.
        """
        weights = np.ones(len(self.right))
        weights[[0, -1]] = 0.5
        return np.asarray(weights @ self.right / (len(self.right) - 1), dtype=np.float64)


@dataclass(frozen=True)
class Outcomes:
    """The images that could be read in every picture: how they fared as they are, and a curve for each manipulation."""

    clean: Flags
    clusters: tuple[str, ...]
    curves: tuple[Curve, ...]
    offered: int
    failed: int

    @property
    def chance(self) -> float:
        """Accuracy of a choice at random."""
        return 1 / self.offered


def outcomes(records: Sequence[Mapping[str, Any]]) -> Outcomes:
    """From rows. An image that failed in one picture is left out of all, so that pairs stay pairs."""
    bad = {r["base"] for r in records if r["error"] is not None}
    good = sorted((r for r in records if r["base"] not in bad), key=lambda r: (str(r["base"]), r["level"]))
    by_picture = {(r["base"], r["manipulation"], r["level"]): r for r in good}
    clean = {r["base"]: r for r in good if r["manipulation"] == CLEAN}
    names = [name for name in MANIPULATIONS if any(r["manipulation"] == name for r in good)]
    return Outcomes(
        clean=_right(list(clean.values())), clusters=tuple(str(r["cluster"]) for r in clean.values()),
        curves=tuple(_curve(name, good, clean, by_picture) for name in names),
        offered=max((int(r["offered"]) for r in records), default=2), failed=len(bad),
    )  # fmt: skip


def _curve(
    name: str,
    good: Sequence[Mapping[str, Any]],
    clean: Mapping[str, Mapping[str, Any]],
    by_picture: Mapping[tuple[str, str, float], Mapping[str, Any]],
) -> Curve:
    mine = [r for r in good if r["manipulation"] == name]
    levels = tuple(sorted({float(r["level"]) for r in mine}))
    lacking = {r["base"] for r in mine if r["unusable"] is not None}
    bases = [base for base in clean if base not in lacking]
    right = [_right([clean[base] for base in bases])]
    right += [_right([by_picture[base, name, level] for base in bases]) for level in levels]
    return Curve(name, levels, tuple(str(clean[base]["cluster"]) for base in bases), np.stack(right), len(lacking))


def _right(rows: Sequence[Mapping[str, Any]]) -> Flags:
    return np.array([r["prediction"] == r["label"] for r in rows], dtype=np.bool_)
