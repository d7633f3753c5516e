"""Self-similarity: against all pairs one by one, against leaving out units one by one, and where nothing is there."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from clipaudit_audits.social_bias.markedness_similarity import jackknife, mean_to_others, similarity, with_t
from numpy.typing import NDArray
from scipy.stats import binom, ttest_1samp

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def drawn(n: int, k: int, units: int, seed: int) -> tuple[Floats, Ints, Ints]:
    """n unit vectors that share a direction, in k groups (some in none) and so many natural units."""
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(n, 8)) + np.eye(8)[0] * rng.normal(1, 1, size=(n, 1))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors, rng.integers(-1, k, n), rng.integers(0, units, n)


def pair_by_pair(vectors: Floats, groups: Ints, clusters: Ints, group: int) -> float:
    found = [
        float(vectors[i] @ vectors[j])
        for i, j in combinations(range(len(vectors)), 2)
        if groups[i] == groups[j] == group and clusters[i] != clusters[j]
    ]
    return float(np.mean(found)) if found else float("nan")


@pytest.mark.parametrize("units", [40, 7])
def test_every_pair_of_different_units_counts_once(units: int) -> None:
    vectors, groups, clusters = drawn(60, 3, units, units)
    found = similarity(mean_to_others(vectors, groups, clusters), groups, clusters, 3)
    for group in range(3):
        inside = groups == group
        assert found.value[group] == pytest.approx(pair_by_pair(vectors, groups, clusters, group))
        assert found.n[group] == inside.sum()
        assert found.units[group] == len(set(clusters[inside]))


@pytest.mark.parametrize("units", [40, 7])
def test_leaving_out_a_unit_is_measuring_without_it(units: int) -> None:
    vectors, groups, clusters = drawn(60, 3, units, units)
    found = similarity(mean_to_others(vectors, groups, clusters), groups, clusters, 3)
    present = np.unique(clusters[groups >= 0])
    for row, unit in zip(found.left_out, present, strict=True):
        rest = clusters != unit
        expected = [pair_by_pair(vectors[rest], groups[rest], clusters[rest], group) for group in range(3)]
        np.testing.assert_allclose(row, expected)


def test_known_cosines() -> None:
    """Within a group of c and s on two axes: n(n-1)/2 pairs of which those across have cosine 0, the others 1."""
    vectors = np.repeat(np.eye(2), [6, 4], axis=0)
    groups, clusters = np.zeros(10, dtype=np.int64), np.arange(10)
    found = similarity(mean_to_others(vectors, groups, clusters), groups, clusters, 1)
    assert found.value[0] == pytest.approx((6 * 5 + 4 * 3) / (10 * 9))


def test_an_image_is_not_like_itself() -> None:
    """Of orthogonal images none is like another; drawn with replacement, small groups would seem alike (1 / n)."""
    groups, clusters = np.zeros(5, dtype=np.int64), np.arange(5)
    found = similarity(mean_to_others(np.eye(5), groups, clusters), groups, clusters, 1)
    assert found.value[0] == 0.0


def test_copies_add_nothing() -> None:
    """Copies in the same natural unit change neither the value nor its error."""
    vectors, groups, clusters = drawn(50, 2, 50, 3)
    clusters = np.arange(50)
    once = similarity(mean_to_others(vectors, groups, clusters), groups, clusters, 2)
    more = [np.concatenate([one] * 3) for one in (vectors, groups, clusters)]
    thrice = similarity(mean_to_others(*more), more[1], more[2], 2)
    np.testing.assert_allclose(thrice.value, once.value)
    np.testing.assert_allclose(thrice.left_out, once.left_out)
    assert thrice.units.tolist() == once.units.tolist()


def test_too_few_units_have_no_pair() -> None:
    vectors, groups, clusters = np.eye(3), np.array([0, 0, 1]), np.array([4, 4, 5])
    means = mean_to_others(vectors, groups, clusters)
    assert np.isnan(means).all()
    assert np.isnan(similarity(means, groups, clusters, 2).value).all()


def test_jackknife_of_a_mean_is_its_standard_error() -> None:
    """Without each value: the classical error, and Student's test."""
    values = np.random.default_rng(0).normal(0.3, 1, 25)
    error = jackknife((values.sum() - values) / 24)
    assert error == pytest.approx(values.std(ddof=1) / 5)
    interval, test = with_t(float(values.mean()), error, 25)
    expected = ttest_1samp(values, 0)
    assert test.p == pytest.approx(float(expected.pvalue))
    ends = expected.confidence_interval()
    assert (interval.low, interval.high) == pytest.approx((float(ends.low), float(ends.high)))


@pytest.mark.parametrize("shared", [1.0, 0.0])
def test_intervals_hold_the_truth_as_often_as_they_say(shared: float) -> None:
    """Two groups drawn alike, 300 times: p <= .05 in 5 %; in fewer where images share nothing at all.

    shared: how much images have of a common direction. Without it the statistic is degenerate (Arvesen 1969), and the
    jackknife doubles its variance: it errs on the safe side.
    """
    hits = 0
    for seed in range(300):
        rng = np.random.default_rng([seed, 7])
        vectors = rng.normal(size=(80, 16)) + shared * 4 * np.eye(16)[0] * rng.uniform(0.2, 1, size=(80, 1))
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        groups, clusters = np.arange(80) % 2, np.arange(80)
        found = similarity(mean_to_others(vectors, groups, clusters), groups, clusters, 2)
        error = jackknife(found.left_out[:, 0] - found.left_out[:, 1])
        hits += with_t(float(found.value[0] - found.value[1]), error, 80)[1].p <= 0.05
    low, high = (binom.ppf(tail, 300, 0.05) for tail in (0.001, 0.999))
    assert hits <= high
    if shared:
        assert hits >= low
