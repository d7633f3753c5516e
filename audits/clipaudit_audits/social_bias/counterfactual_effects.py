"""Effects of changes on scores: means over pairs, with tests and intervals over identities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from clipaudit.results import Interval, Test
from clipaudit.stats.bootstrap import bca_mean
from clipaudit.stats.clusters import codes
from clipaudit.stats.paired import MAX_EXACT_UNITS, sign_flip_test
from clipaudit.stats.permutation import N_RESAMPLES
from clipaudit.stats.power import mde_mean
from clipaudit_audits.social_bias.counterfactual_pairs import Change, Floats, Table, corners, differences

MIN_IDENTITIES = 6  # with five, no sign-flip test reaches p = .05
FEW_IDENTITIES = 20  # up to here the bootstrap interval is too short: with 14 it covers 92 % of the time
N_DRAWS = 5000  # of random poles
_CHUNK = 2_000_000


@dataclass(frozen=True)
class Effects:
    """Changes of several scores under the same change of the drawing.

    changes: one attribute, or several: an interaction (the difference of the differences), or, if `joint`, all of them
    at once against none. indices: (pairs, 2^changes; joint: 2) items; deltas: (pairs, scores); clusters: identity of
    each pair.
    """

    changes: tuple[Change, ...]
    indices: NDArray[np.int64]
    deltas: Floats
    clusters: tuple[str, ...]
    joint: bool = False

    @cached_property
    def identities(self) -> int:
        return len(set(self.clusters))

    @property
    def big_enough(self) -> bool:
        return self.identities >= MIN_IDENTITIES

    def mean(self, score: int) -> float | None:
        return float(self.deltas[:, score].mean()) if len(self.deltas) else None

    def interval(self, score: int, seed: int) -> Interval:
        return bca_mean(self.deltas[:, score], self.clusters, seed, unit="identities")

    def minimum_detectable(self, score: int) -> float | None:
        """80 % power, alpha .05 before correction, from the spread of the identities' means."""
        if self.identities < 2:
            return None
        means = (
            _sums(self.deltas[:, [score]], self.clusters)[:, 0]
            / _sums(np.ones((len(self.deltas), 1)), self.clusters)[:, 0]
        )
        return mde_mean(float(means.std(ddof=1)), self.identities)


def effects(table: Table, scores: Floats, changes: Sequence[Change], joint: bool = False) -> Effects:
    """The changes of `scores` (n, k) for every complete pair (or set of 2^k) of the table."""
    indices = corners(table, changes)
    if joint:
        indices = indices[:, [0, -1]]
    clusters = tuple(table.clusters[i] for i in indices[:, 0])
    return Effects(tuple(changes), indices, differences(scores, indices), clusters, joint)


def sign_flip_tests(deltas: Floats, clusters: Sequence[str], seed: int) -> list[Test]:
    """`stats.paired.paired_permutation` for every column of deltas (pairs, k) at once, over the same sign patterns."""
    sums = _sums(deltas, clusters)
    units = len(sums)
    exact = units <= MAX_EXACT_UNITS
    patterns = _patterns(units, seed)
    step = max(1, _CHUNK // len(patterns))
    tests = []
    for start in range(0, sums.shape[1], step):
        block = sums[:, start : start + step]
        null = patterns @ block
        tests += [sign_flip_test(null[:, j], float(block[:, j].sum()), exact, units) for j in range(block.shape[1])]
    return tests


def random_poles(shifts: Floats, n_plus: int, n_minus: int, seed: int) -> Floats:
    """(N_DRAWS,) effects of categories made of words at random: `n_plus` and `n_minus` of the shifts (words,).

    The words are drawn without replacement, in the same way for all categories of the same sizes.
    """
    if n_plus + n_minus > len(shifts):
        raise ValueError(f"{n_plus} + {n_minus} words cannot be drawn from {len(shifts)}")
    drawn = _drawn_words(len(shifts), n_plus, n_minus, seed)
    less = shifts[drawn[:, n_plus:]].mean(axis=1) if n_minus else 0.0
    return np.asarray(shifts[drawn[:, :n_plus]].mean(axis=1) - less)


@lru_cache(maxsize=16)
def _drawn_words(words: int, n_plus: int, n_minus: int, seed: int) -> NDArray[np.int64]:
    """(N_DRAWS, n_plus + n_minus) numbers of words; the same for every change of the drawing."""
    ranks = np.random.default_rng([seed, n_plus, n_minus]).random((N_DRAWS, words)).argsort(axis=1)
    return ranks[:, : n_plus + n_minus].copy()


def _patterns(units: int, seed: int) -> Floats:
    """(m, units) of +1 and -1: all 2^units, or N_RESAMPLES drawn ones."""
    if units <= MAX_EXACT_UNITS:
        bits = np.arange(2**units)[:, None] >> np.arange(units) & 1
        return np.asarray(1.0 - 2.0 * bits)
    return np.random.default_rng(seed).choice([-1.0, 1.0], size=(N_RESAMPLES, units))


def _sums(values: Floats, clusters: Sequence[str]) -> Floats:
    """(identities, k) sums of values (pairs, k)."""
    number = codes(clusters)
    sums = np.zeros((int(number.max(initial=-1)) + 1, values.shape[1]))
    np.add.at(sums, number, values)
    return sums
