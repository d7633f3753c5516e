"""Pairs of images in which one attribute changes and nothing else, and sets of 2^k in which k do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from clipaudit_audits.social_bias.counterfactual_lexicon import Category

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Change:
    """One attribute from one level to another."""

    attribute: str
    before: str
    after: str


@dataclass(frozen=True)
class Table:
    """What was measured, in order of item: nothing that follows depends on the order of the rows.

    cosines: (n, words). attributes: column to (n,) values. levels: attribute to its values, the reference first.
    """

    items: tuple[str, ...]
    clusters: tuple[str, ...]
    attributes: Mapping[str, tuple[str, ...]]
    levels: Mapping[str, tuple[str, ...]]
    cosines: Floats

    def changes(self) -> list[Change]:
        """Every attribute from its reference to each other level."""
        return [Change(name, levels[0], level) for name, levels in self.levels.items() for level in levels[1:]]


def read_table(rows: pa.Table, attributes: Sequence[str], cluster: str, references: Mapping[str, str]) -> Table:
    """The rows without errors. A level named in `references` comes first, the others in order of name."""
    good = rows.filter(pc.is_null(rows.column("error"))).sort_by("item")
    columns = {name: tuple(good.column(name).to_pylist()) for name in attributes}
    levels = {
        name: tuple(sorted(set(values), key=lambda level: (level != references.get(name), level)))
        for name, values in columns.items()
    }
    width = len(good.column("cosines")[0]) if good.num_rows else 0
    flat = good.column("cosines").combine_chunks().flatten().to_numpy(zero_copy_only=False)
    return Table(
        tuple(good.column("item").to_pylist()),
        tuple(good.column(cluster).to_pylist()),
        columns,
        levels,
        np.asarray(flat, dtype=np.float64).reshape(good.num_rows, width),
    )


def corners(table: Table, changes: Sequence[Change]) -> NDArray[np.int64]:
    """(pairs, 2^k) indices of items that differ in k changed attributes and in nothing else.

    Column j is the corner whose bits, first change highest, say which changes were made: for one change (before,
    after); for two (neither, second, first, both). Incomplete sets are left out.
    """
    names = list(table.attributes)
    place = {
        (who, *values): i
        for i, (who, values) in enumerate(
            zip(table.clusters, zip(*table.attributes.values(), strict=True), strict=True)
        )
    }
    found = []
    for key in place:
        levels = dict(zip(names, key[1:], strict=True))
        if any(levels[change.attribute] != change.before for change in changes):
            continue
        corner = []
        for made in product((False, True), repeat=len(changes)):
            moved = levels | {c.attribute: c.after for c, is_made in zip(changes, made, strict=True) if is_made}
            corner.append(place.get((key[0], *moved.values()), -1))
        if min(corner) >= 0:
            found.append(corner)
    return np.array(found, dtype=np.int64).reshape(-1, 2 ** len(changes))


def differences(values: Floats, indices: NDArray[np.int64]) -> Floats:
    """(pairs, ...) change of `values` (n, ...): after minus before; for more changes the difference of differences.

    >>> differences(np.array([1.0, 2.0, 4.0, 8.0]), np.array([[0, 1, 2, 3]])).tolist()
    [3.0]
    """
    found = values[indices]
    while found.shape[1] > 1:
        half = found.shape[1] // 2  # the first change is the highest bit: made in the second half
        found = found[:, half:] - found[:, :half]
    return np.asarray(found[:, 0])


def category_scores(cosines: Floats, categories: Sequence[Category], words: Sequence[str]) -> Floats:
    """(n, categories): mean cosine to the plus words minus mean cosine to the minus words (or 0 without these)."""
    column = {word: j for j, word in enumerate(words)}
    weights = np.zeros((len(words), len(categories)))
    for k, category in enumerate(categories):
        for pole, sign in ((category.plus, 1.0), (category.minus, -1.0)):
            for word in pole:
                weights[column[word], k] = sign / len(pole)
    return np.asarray(cosines @ weights)


def pairs_within(cosines: Floats, gaps: Sequence[float]) -> Floats:
    """For each gap g >= 0: the share of (image, pair of words) whose two cosines (n, words) differ by less than g.

    >>> pairs_within(np.array([[0.0, 1.0, 3.0]]), [0.5, 1.5, 2.5, 9.0]).round(3).tolist()
    [0.0, 0.333, 0.667, 1.0]
    """
    ordered = np.sort(cosines, axis=1)
    order = np.argsort(gaps)
    thresholds = np.asarray(gaps, dtype=np.float64)[order]
    counts = np.zeros(len(thresholds) + 1)
    for lag in range(1, ordered.shape[1]):
        between = ordered[:, lag:] - ordered[:, :-lag]
        reached = np.searchsorted(thresholds, between.ravel(), side="right")
        counts += np.bincount(reached, minlength=len(counts))
    shares = np.empty(len(thresholds))
    shares[order] = np.cumsum(counts)[:-1] / max(counts.sum(), 1.0)
    return shares
