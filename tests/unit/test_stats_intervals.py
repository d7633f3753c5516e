"""Wilson and BCa intervals, against scipy, closed forms and their coverage."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import binom, binomtest, bootstrap, ttest_1samp

from clipaudit.stats.bootstrap import bca, bca_mean, bca_ratio
from clipaudit.stats.intervals import t_mean, wilson

Floats = NDArray[np.float64]


@pytest.mark.parametrize(("successes", "n"), [(0, 5), (5, 5), (1, 30), (17, 30), (995, 1000)])
@pytest.mark.parametrize("level", [0.9, 0.95])
def test_wilson_is_that_of_scipy(successes: int, n: int, level: float) -> None:
    ours, theirs = wilson(successes, n, level), binomtest(successes, n).proportion_ci(level, "wilson")
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-12)
    assert ours.level == level


@pytest.mark.parametrize("n", [2, 6, 40])
@pytest.mark.parametrize("level", [0.9, 0.95])
def test_students_interval_is_that_of_scipy(n: int, level: float) -> None:
    values = np.random.default_rng(n).normal(3, 2, n)
    ours, theirs = t_mean(values, level), ttest_1samp(values, 0).confidence_interval(level)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-12)
    assert ours.level == level


def test_students_interval_needs_two_values_that_differ() -> None:
    assert (t_mean([1.0]).low, t_mean([2.0, 2.0, 2.0]).high) == (None, None)


def test_wilson_without_items_and_with_impossible_counts() -> None:
    assert (wilson(0, 0).low, wilson(0, 0).high) == (None, None)
    for successes, n in ((3, 2), (-1, 2)):
        with pytest.raises(ValueError, match="successes of"):
            wilson(successes, n)


def skewed(n: int, seed: int = 0) -> Floats:
    return np.random.default_rng(seed).lognormal(0, 0.8, n)


@pytest.mark.parametrize("n", [15, 60])
@pytest.mark.parametrize("level", [0.8, 0.95])
def test_bca_of_a_mean_is_that_of_scipy(n: int, level: float) -> None:
    values = skewed(n)
    ours = bca_mean(values, seed=1, n_resamples=40_000, level=level)
    theirs = bootstrap(
        (values,), np.mean, n_resamples=40_000, confidence_level=level, method="BCa", rng=np.random.default_rng(2)
    ).confidence_interval
    width = theirs.high - theirs.low
    assert ours.low == pytest.approx(theirs.low, abs=0.02 * width)
    assert ours.high == pytest.approx(theirs.high, abs=0.02 * width)


def test_bca_of_two_samples_is_that_of_scipy() -> None:
    x, y = skewed(20, 1), skewed(35, 2)

    def difference(counts: Floats) -> Floats:
        return np.asarray(counts[:, :20] @ x / counts[:, :20].sum(1) - counts[:, 20:] @ y / counts[:, 20:].sum(1))

    ours = bca(difference, [20, 35], seed=3, n_resamples=40_000)
    theirs = bootstrap(
        (x, y), lambda a, b, axis: a.mean(axis) - b.mean(axis), n_resamples=40_000, method="BCa",
        vectorized=True, rng=np.random.default_rng(4),
    ).confidence_interval  # fmt: skip
    width = theirs.high - theirs.low
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.02 * width)


def test_clusters_are_the_units() -> None:
    """The mean of m copies of each value in clusters has the interval of the values alone, not a narrower one."""
    values = skewed(25)
    alone = bca_mean(values, seed=5)
    copies = bca_mean(np.repeat(values, 8), clusters=[str(i) for i in np.repeat(np.arange(25), 8)], seed=5)
    naive = bca_mean(np.repeat(values, 8), seed=5)
    assert (copies.low, copies.high) == pytest.approx((alone.low, alone.high))
    assert naive.high - naive.low < 0.5 * (alone.high - alone.low)


def test_clusters_of_unequal_size_give_the_ratio_of_totals() -> None:
    sizes = np.array([1, 1, 2, 3, 5, 8, 2, 4, 1, 6, 2, 3])
    clusters = np.repeat(np.arange(12), sizes)
    values = np.random.default_rng(0).normal(clusters % 3, 1.0)
    sums = np.bincount(clusters, values)

    def ratio(counts: Floats) -> Floats:
        return np.asarray((counts @ sums) / (counts @ sizes))

    ours, theirs = bca_mean(values, clusters.tolist(), seed=7), bca(ratio, 12, seed=7)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


def test_ratio_of_sums_is_that_of_scipy_on_pairs() -> None:
    rng = np.random.default_rng(9)
    below = rng.uniform(1, 3, 40)
    above = below * 0.4 + rng.normal(0, 0.3, 40)
    ours = bca_ratio(above, below, seed=1, n_resamples=40_000)
    theirs = bootstrap(
        (above, below), lambda a, b, axis: a.sum(axis) / b.sum(axis), paired=True, vectorized=True,
        n_resamples=40_000, method="BCa", rng=rng,
    ).confidence_interval  # fmt: skip
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.02 * (theirs.high - theirs.low))


def test_deleting_groups_instead_of_units_leaves_the_interval_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    values = skewed(3000)
    grouped = bca_mean(values, seed=0)
    monkeypatch.setattr("clipaudit.stats.bootstrap._MAX_JACKKNIFE", 3000)
    single = bca_mean(values, seed=0)
    width = single.high - single.low
    assert (grouped.low, grouped.high) == pytest.approx((single.low, single.high), abs=0.02 * width)


def test_small_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    values = skewed(50)
    monkeypatch.setattr("clipaudit.stats.bootstrap._CHUNK", 50 * 2000)
    whole = bca_mean(values, seed=11)
    monkeypatch.setattr("clipaudit.stats.bootstrap._CHUNK", 50 * 300)
    parts = bca_mean(values, seed=11)
    assert (whole.low, whole.high) == pytest.approx((parts.low, parts.high))


def test_coverage_is_near_nominal_where_the_sample_is_skewed() -> None:
    """400 samples of 40 exponential values: BCa of the mean covers 1 in about 92 to 95 %."""
    rng = np.random.default_rng(2024)
    covered = 0
    for seed in range(400):
        interval = bca_mean(rng.exponential(1.0, 40), seed=seed, n_resamples=1000)
        covered += interval.low <= 1.0 <= interval.high
    assert binom.ppf(0.005, 400, 0.92) <= covered <= binom.ppf(0.995, 400, 0.955)


@given(st.integers(0, 10_000), st.floats(-5, 5), st.floats(0.01, 100))
@settings(max_examples=25, deadline=None)
def test_the_interval_moves_and_scales_with_the_values(seed: int, shift: float, scale: float) -> None:
    values = skewed(20, seed)
    one, other = bca_mean(values, seed=1, n_resamples=500), bca_mean(scale * values + shift, seed=1, n_resamples=500)
    assert other.low == pytest.approx(scale * one.low + shift, rel=1e-9, abs=1e-9)
    assert other.high == pytest.approx(scale * one.high + shift, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(
    ("values", "why"),
    [([], "0 units"), ([3.0], "1 units"), ([2.0, 2.0, 2.0], "every resample gives the same value")],
)
def test_without_spread_there_is_no_interval_and_the_method_says_why(values: list[float], why: str) -> None:
    interval = bca_mean(values)
    assert (interval.low, interval.high) == (None, None)
    assert why in interval.method


def test_a_ratio_with_an_empty_denominator_has_no_interval() -> None:
    assert "undefined on these data" in bca_ratio([1.0, 2.0], [0.0, 0.0]).method
    rare = np.zeros(30)
    rare[0] = 1.0
    assert "undefined in" in bca_ratio(rare, rare).method  # a third of all resamples holds no such item


def test_values_that_are_not_finite_are_refused() -> None:
    with pytest.raises(ValueError, match="1 values that are not finite"):
        bca_mean([1.0, float("nan"), 2.0])
    with pytest.raises(ValueError, match="3 values but 2 clusters"):
        bca_mean([1.0, 2.0, 3.0], clusters=["a", "b"])
    with pytest.raises(ValueError, match="numerator has 2 items, denominator 3"):
        bca_ratio([1.0, 2.0], [1.0, 2.0, 3.0])


def test_the_same_seed_gives_the_same_interval_another_seed_another() -> None:
    values = skewed(30)
    assert bca_mean(values, seed=4) == bca_mean(values, seed=4)
    assert bca_mean(values, seed=4) != bca_mean(values, seed=5)
