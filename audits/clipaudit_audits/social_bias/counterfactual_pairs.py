"""Pairs of images in which one attribute changes and nothing else, and sets of 2^k in which k do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from clipaudit.stats.clusters import codes
from clipaudit_audits.social_bias.counterfactual_lexicon import Category

Floats = NDArray[np.float64]
MAX_PAIRS = 20_000_000  # of an image and two words: a second; the share is then known to a tenth of a point or so


@dataclass(frozen=True)
class Change:
    """One attribute from one level to another."""

    attribute: str
    before: str
    after: str


@dataclass(frozen=True)
class Places:
    """Where a picture of known identity and levels is: a number for each combination, like the digits of a numeral.

    keys: (m,) distinct combinations in the order of their first item; items: (m,) the last item of each; strides: what
    one level more of each attribute adds to the key.
    """

    keys: NDArray[np.int64]
    items: NDArray[np.int64]
    strides: Mapping[str, int]

    def look_up(self, keys: NDArray[np.int64]) -> NDArray[np.int64]:
        """The items with these keys; -1 for none."""
        if not len(self.keys):
            return np.full(len(keys), -1)
        order = np.argsort(self.keys)
        at = np.minimum(np.searchsorted(self.keys, keys, sorter=order), len(order) - 1)
        found = order[at]
        return np.where(self.keys[found] == keys, self.items[found], -1)


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

    @cached_property
    def places(self) -> Places:
        every, strides, stride = np.zeros(len(self.items), np.int64), {}, 1
        for name, values in self.attributes.items():
            number = {level: i for i, level in enumerate(self.levels[name])}
            every += np.array([number[value] for value in values], np.int64) * stride
            strides[name] = stride
            stride *= len(number)
        every += codes(self.clusters) * stride
        last = dict(zip(every.tolist(), range(len(every)), strict=True))  # in order of first, with the last item
        return Places(np.array(list(last), np.int64), np.array(list(last.values()), np.int64), strides)


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
    places = table.places
    start, steps = np.ones(len(places.keys), np.bool_), []
    for change in changes:
        levels, stride = table.levels[change.attribute], places.strides[change.attribute]
        if change.before not in levels or change.after not in levels:
            return np.empty((0, 2 ** len(changes)), np.int64)
        before, after = levels.index(change.before), levels.index(change.after)
        start &= places.keys // stride % len(levels) == before
        steps.append((after - before) * stride)
    begin = places.keys[start]
    wanted = [begin + sum(step for step, is_made in zip(steps, made, strict=True) if is_made)
              for made in product((False, True), repeat=len(changes))]  # fmt: skip
    found = np.stack([places.look_up(keys) for keys in wanted], axis=1)
    return found[(found >= 0).all(axis=1)]


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

    Of more than MAX_PAIRS such pairs, those of evenly spaced images count.

    >>> pairs_within(np.array([[0.0, 1.0, 3.0]]), [0.5, 1.5, 2.5, 9.0]).round(3).tolist()
    [0.0, 0.333, 0.667, 1.0]
    """
    words = cosines.shape[1]
    most = max(1, MAX_PAIRS // max(1, words * (words - 1) // 2))
    if len(cosines) > most:
        cosines = cosines[np.linspace(0, len(cosines) - 1, most).round().astype(np.int64)]
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
