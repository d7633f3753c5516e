"""Association between sets of embeddings: effect size, permutation tests, intervals. Pure functions of cosines.

s(w) = mean over A of cos(w, a) - mean over B of cos(w, b);
d = (mean over X of s - mean over Y of s) / sd of s over X and Y together, ddof 1
(Caliskan, Bryson and Narayanan 2017; Steed and Caliskan 2021, section 3).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clipaudit.results import Interval, Null, Test
from clipaudit.stats.bootstrap import bca
from clipaudit.stats.null import null_from_draws
from clipaudit.stats.paired import sign_flip_test, sign_flips
from clipaudit.stats.permutation import differences, partition_test, partitions

Floats = NDArray[np.float64]

_NO_SPREAD = 1e-12  # of cosines: below it all values are the same but for rounding


@dataclass(frozen=True)
class Comparison:
    """The cosines of one test between units (words, identities, images: whatever varies independently).

    cosines: (n_x + n_y, n_a + n_b): targets X, then Y; attributes A, then B.
    paired_targets: unit i of X and unit i of Y are the same (one identity, shown both ways); attributes likewise.
    """

    cosines: Floats
    n_x: int
    n_a: int
    paired_targets: bool = False
    paired_attributes: bool = False

    @property
    def n_y(self) -> int:
        return int(self.cosines.shape[0]) - self.n_x

    @property
    def n_b(self) -> int:
        return int(self.cosines.shape[1]) - self.n_a

    @property
    def targets(self) -> Sample:
        """s(w) of every target."""
        a, b = self.cosines[:, : self.n_a], self.cosines[:, self.n_a :]
        return Sample(a.mean(axis=1) - b.mean(axis=1), self.n_x, self.paired_targets)

    def only(self, *, x: bool) -> Comparison:
        """The single-category test of X (or of Y): its units as the only targets."""
        rows = self.cosines[: self.n_x] if x else self.cosines[self.n_x :]
        return Comparison(rows, len(rows), self.n_a, False, self.paired_attributes)

    @property
    def attributes(self) -> Sample:
        """The mean cosine of all targets to every attribute."""
        return Sample(self.cosines.mean(axis=0), self.n_a, self.paired_attributes)


@dataclass(frozen=True)
class Sample:
    """One number per unit, (n,), the first `n_first` being the first set; paired: unit i of both sets is the same."""

    values: Floats
    n_first: int
    paired: bool = False

    @property
    def sizes(self) -> tuple[int, int]:
        return self.n_first, len(self.values) - self.n_first

    @property
    def difference(self) -> float:
        """mean(first set) - mean(second set)."""
        return float(self.values[: self.n_first].mean() - self.values[self.n_first :].mean())

    @property
    def pairs(self) -> Floats:
        """(n,) differences within pairs."""
        return self.values[: self.n_first] - self.values[self.n_first :]

    @property
    def spread(self) -> float:
        """Standard deviation of both sets together, ddof 1."""
        return float(self.values.std(ddof=1)) if len(self.values) > 1 else 0.0

    @property
    def effect_size(self) -> float | None:
        """d; None where all values are the same."""
        return self.difference / self.spread if self.spread > _NO_SPREAD else None


def largest_effect(n_first: int, n_second: int) -> float:
    """The bound on |d|: both sets constant. 2 sqrt((2n - 1) / 2n) for equal sizes.

    >>> round(largest_effect(8, 8), 4)
    1.9365
    """
    total = n_first + n_second
    return float(np.sqrt(total * (total - 1) / (n_first * n_second)))


@dataclass(frozen=True)
class Permuted:
    """What re-partition gives: the two tests, and the null distribution of d."""

    two_sided: Test
    greater: Test
    null: Null


def permutation_tests(samples: Sequence[Sample], seed: int, n_resamples: int) -> list[Permuted]:
    """Tests of several samples with spread; those of equal sizes share their partitions and one matrix product.

    Paired samples are tested by flipping pairs. Values are sorted first: the result does not depend on the order of
    units, nor, for equal sizes, on which set comes first.
    """
    results: dict[int, Permuted] = {}
    groups: dict[tuple[int, int], list[int]] = defaultdict(list)
    for number, sample in enumerate(samples):
        if sample.paired:
            results[number] = _flipped(sample, seed, n_resamples)
        else:
            groups[sample.sizes].append(number)
    for (n_first, n_second), members in groups.items():
        parts = partitions(n_first, n_second, seed, n_resamples)
        nulls = differences(np.stack([np.sort(samples[i].values) for i in members], axis=1), parts)
        for i, null in zip(members, np.ascontiguousarray(nulls.T), strict=True):
            observed = samples[i].difference
            results[i] = Permuted(
                partition_test(null, observed, parts),
                partition_test(null, observed, parts, "greater"),
                null_from_draws(null / samples[i].spread, parts.method),
            )
    return [results[number] for number in range(len(samples))]


def _flipped(sample: Sample, seed: int, n_resamples: int) -> Permuted:
    pairs = sample.pairs
    null, exact = sign_flips(np.sort(np.abs(pairs)), seed, n_resamples)
    two_sided = sign_flip_test(null, float(pairs.sum()), exact, pairs.size)
    greater = sign_flip_test(null, float(pairs.sum()), exact, pairs.size, "greater")
    return Permuted(two_sided, greater, null_from_draws(null / (pairs.size * sample.spread), two_sided.method))


def effect_interval(test: Comparison, seed: int, unit: str, n_resamples: int) -> Interval:
    """BCa interval of d: the units of X, Y, A and B are all resampled, pairs as pairs."""
    targets = [test.n_x] if test.paired_targets else [test.n_x, test.n_y]
    attributes = _attribute_strata(test)

    def statistic(counts: Floats) -> Floats:
        of_targets = _both(counts[:, : sum(targets)], test.paired_targets)
        of_attributes = _both(counts[:, sum(targets) :], test.paired_attributes)
        a, b = of_attributes[:, : test.n_a], of_attributes[:, test.n_a :]
        s = _average(a, test.cosines[:, : test.n_a].T) - _average(b, test.cosines[:, test.n_a :].T)
        return _weighted_effect(s, of_targets, test.n_x)

    return _interval(statistic, targets + attributes, seed, unit, n_resamples)


def single_interval(test: Comparison, seed: int, unit: str, n_resamples: int) -> Interval:
    """BCa interval of the single-category d of a test with one target set (`Comparison.only`)."""

    def statistic(counts: Floats) -> Floats:
        of_attributes = _both(counts[:, test.n_x :], test.paired_attributes)
        return _weighted_effect(_average(counts[:, : test.n_x], test.cosines), of_attributes, test.n_a)

    return _interval(statistic, [test.n_x, *_attribute_strata(test)], seed, unit, n_resamples)


def _attribute_strata(test: Comparison) -> list[int]:
    return [test.n_a] if test.paired_attributes else [test.n_a, test.n_b]


def _interval(
    statistic: Callable[[Floats], Floats], strata: list[int], seed: int, unit: str, n_resamples: int
) -> Interval:
    with np.errstate(divide="ignore", invalid="ignore"):
        return bca(statistic, strata, seed, n_resamples, unit=unit)


def _both(counts: Floats, paired: bool) -> Floats:
    """Multiplicities of both sets: a pair is drawn with both of its halves."""
    return np.concatenate([counts, counts], axis=1) if paired else counts


def _average(weights: Floats, values: Floats) -> Floats:
    """(R, n) weights, (n, m) values: (R, m) weighted means."""
    return np.asarray(weights @ values / weights.sum(axis=1, keepdims=True))


def _weighted_effect(values: Floats, weights: Floats, n_first: int) -> Floats:
    """(R,) d of values (R, n) that occur `weights` (R, n) times; NaN where they are all the same."""
    parts = slice(None, n_first), slice(n_first, None)
    sizes = [weights[:, part].sum(axis=1) for part in parts]
    sums = [np.einsum("ij,ij->i", weights[:, part], values[:, part]) for part in parts]
    total = sizes[0] + sizes[1]
    centred = values - ((sums[0] + sums[1]) / total)[:, None]
    spread = np.sqrt(np.einsum("ij,ij,ij->i", weights, centred, centred) / (total - 1))
    return np.where(spread > _NO_SPREAD, (sums[0] / sizes[0] - sums[1] / sizes[1]) / spread, np.nan)
