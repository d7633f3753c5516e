"""From rows to one test: which units are compared, in pairs or not, and their cosines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clipaudit_audits.social_bias.association_effect import Comparison
from clipaudit_audits.social_bias.association_rows import MeasuredSet
from clipaudit_audits.social_bias.association_tests import SIDES, TestDefinition, TestFile

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Case:
    """One test, ready for statistics. `comparison` is None where a set has no readable stimulus.

    counts: stimuli used in X, Y, A, B; units: independent units in each; left_out: units shown on one side only while
    others are shown on both (pairs are compared within pairs).
    """

    definition: TestDefinition
    labels: tuple[str, ...]
    kinds: tuple[str, ...]
    cluster_keys: tuple[str, ...]
    counts: tuple[int, ...]
    units: tuple[int, ...]
    comparison: Comparison | None
    left_out: int = 0
    twins: int = 0  # target stimuli that are also attribute stimuli, to the eyes of the model


_TWIN = 0.9999  # cosine from which two stimuli of one kind are the same to the model


def make_case(definition: TestDefinition, tests: TestFile, sets: Mapping[str, MeasuredSet]) -> Case:
    """The four sets of a test, averaged within units."""
    names = [getattr(definition, side) for side in SIDES]
    found = [sets.get(name) or _empty(name, tests) for name in names]
    x, y, a, b = found
    targets, attributes = _kept(x, y), _kept(a, b)
    units = [*targets.units, *attributes.units]
    comparison, twins = None, 0
    if all(units):
        blocks = [
            [
                _block(row, rows, names[2 + k], column, columns)
                for k, column, columns in ((0, a, units[2]), (1, b, units[3]))
            ]
            for row, rows in ((x, units[0]), (y, units[1]))
        ]
        comparison = Comparison(np.block(blocks), len(units[0]), len(units[2]), targets.paired, attributes.paired)
        twins = sum(
            _twins(row, names[2 + k]) for row in (x, y) for k, column in enumerate((a, b)) if row.kind == column.kind
        )
    return Case(
        definition,
        labels=tuple(each.label for each in found),
        kinds=tuple(each.kind for each in found),
        cluster_keys=tuple(each.cluster_key for each in found),
        counts=tuple(_count(each, frozenset(kept)) for each, kept in zip(found, units, strict=True)),
        units=tuple(len(kept) for kept in units),
        comparison=comparison,
        left_out=targets.left_out + attributes.left_out,
        twins=twins,
    )


def _count(of: MeasuredSet, units: frozenset[str]) -> int:
    """Readable stimuli of these units."""
    return sum(bool(ok) and cluster in units for cluster, ok in zip(of.clusters, of.readable, strict=True))


@dataclass(frozen=True)
class _Kept:
    units: tuple[list[str], list[str]]
    paired: bool
    left_out: int


def _kept(one: MeasuredSet, other: MeasuredSet) -> _Kept:
    """The units of two sets to compare: where some are in both, those only, as pairs."""
    first, second = one.units, other.units
    shared = sorted(set(first) & set(second)) if one.cluster_key == other.cluster_key else []
    if not shared:
        return _Kept((first, second), False, 0)
    return _Kept((shared, shared), True, len(first) + len(second) - 2 * len(shared))


def _block(row: MeasuredSet, row_units: list[str], name: str, column: MeasuredSet, column_units: list[str]) -> Floats:
    """(row units, column units): mean cosine of the stimuli of two units."""
    left, right = _averaging(row, row_units), _averaging(column, column_units)
    return np.asarray(left @ np.nan_to_num(row.cosines[name]) @ right.T)


def _averaging(of: MeasuredSet, units: list[str]) -> Floats:
    """(units, stimuli) weights that take the mean over the readable stimuli of each unit."""
    number = {unit: i for i, unit in enumerate(units)}
    weights = np.zeros((len(units), len(of.items)))
    for j, (cluster, ok) in enumerate(zip(of.clusters, of.readable, strict=True)):
        if ok and cluster in number:
            weights[number[cluster], j] = 1.0
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def _twins(row: MeasuredSet, name: str) -> int:
    return int((np.nan_to_num(row.cosines[name]) >= _TWIN).any(axis=1).sum())


def _empty(name: str, tests: TestFile) -> MeasuredSet:
    chosen = tests.sets[name]
    kind = "text" if chosen.words else "image"
    return MeasuredSet(
        chosen.label or name.replace("_", " "),
        kind,
        "word" if chosen.words else "image",
        (),
        (),
        (),
        np.zeros(0, np.bool_),
        {},
    )
