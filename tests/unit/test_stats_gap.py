"""Gaps between groups: closed forms, a second implementation from the definitions, published nulls, calibration."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import beta, binom, norm, studentized_range

from clipaudit.stats.gap import larger_gap, measure_gap
from clipaudit.stats.gap_bounds import gap_bound, shortfall_bound, worst_interval
from clipaudit.stats.gap_permutation import permuted_rates, spreads
from clipaudit.stats.gap_rates import detectable, group_rates, wilson_rate
from clipaudit.stats.gap_variance import between_variance
from clipaudit.stats.intervals import wilson

FAIRFACE = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "fairface_val_labels.csv"
Sample = tuple[NDArray[np.bool_], NDArray[np.int64], NDArray[np.int64]]


def sample(sizes: list[int], rates: list[float], seed: int) -> Sample:
    """Independent items: values, groups, clusters of one item each."""
    groups = np.repeat(np.arange(len(sizes)), sizes)
    values = np.random.default_rng([seed, 99]).random(len(groups)) < np.array(rates)[groups]
    return values, groups, np.arange(len(groups))


def tripled(values: NDArray[np.bool_], groups: NDArray[np.int64], clusters: NDArray[np.int64]) -> Sample:
    return np.tile(values, 3), np.tile(groups, 3), np.tile(clusters, 3)


def test_rates_and_their_errors_in_closed_form() -> None:
    values, groups, clusters = sample([40, 60], [0.5, 0.8], 0)
    rates = group_rates(values, groups, clusters, 2)
    p = np.array([values[:40].mean(), values[40:].mean()])
    np.testing.assert_allclose(rates.p, p)
    np.testing.assert_allclose(rates.covariance, np.diag(p * (1 - p) / (np.array([40, 60]) - 1)), atol=1e-15)
    np.testing.assert_allclose(rates.effective, [40, 60])


def test_covariance_of_clusters_from_the_definition() -> None:
    rng = np.random.default_rng(5)
    clusters, groups = rng.integers(0, 12, 90), rng.integers(0, 2, 90)
    values = rng.random(90) < 0.6
    rates = group_rates(values, groups, clusters, 2)
    sums = [[sum(values[i] - rates.p[g] for i in range(90) if clusters[i] == c and groups[i] == g)
             for g in range(2)] for c in range(12)]  # fmt: skip
    units = [len({c for c, h in zip(clusters, groups, strict=True) if h == g}) for g in range(2)]
    n = np.bincount(groups)
    for g in range(2):
        for h in range(2):
            factor = np.sqrt(units[g] / (units[g] - 1) * units[h] / (units[h] - 1))
            expected = sum(row[g] * row[h] for row in sums) / (n[g] * n[h]) * factor
            assert rates.covariance[g, h] == pytest.approx(expected)


def test_wilson_at_an_effective_size() -> None:
    plain = wilson_rate(0.3, 50, plain=True)
    reference = wilson(15, 50)
    assert (plain.low, plain.high) == pytest.approx((reference.low, reference.high))
    assert wilson_rate(1.0, 20, plain=True).high == 1.0
    clustered = wilson_rate(0.3, 12.5, plain=False)
    assert clustered.low is not None
    assert clustered.low < (plain.low or 0)
    assert "12.5" in clustered.method


def test_duplicated_items_narrow_nothing() -> None:
    once = sample([60, 90, 45], [0.7, 0.6, 0.9], 1)
    first, second = measure_gap(*once, 3, 0), measure_gap(*tripled(*once), 3, 0)
    np.testing.assert_allclose(second.rates.effective, first.rates.effective)
    np.testing.assert_allclose(second.rates.covariance, first.rates.covariance, atol=1e-15)
    assert second.bound.low == pytest.approx(first.bound.low)
    assert second.between.interval.low == pytest.approx(first.between.interval.low)
    np.testing.assert_array_equal(second.draws["gap"], first.draws["gap"])
    assert second.method.startswith("whole clusters")


def test_relabelled_groups_change_nothing_that_is_not_drawn() -> None:
    values, groups, clusters = sample([60, 90, 45], [0.7, 0.6, 0.9], 1)
    first = measure_gap(values, groups, clusters, 3, 0)
    second = measure_gap(values, np.array([2, 0, 1])[groups], clusters, 3, 0)
    assert second.observed == first.observed
    assert second.between.value == pytest.approx(first.between.value)
    assert second.bound.low == pytest.approx(first.bound.low, abs=0.01)
    assert second.test.p == pytest.approx(first.test.p, abs=0.02)


def shuffled(values: NDArray[np.bool_], groups: NDArray[np.int64], blocks: NDArray[np.int64], seed: int) -> list[float]:
    """Gaps after shuffling groups within blocks of items, one shuffle at a time."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(1500):
        mixed = groups.copy()
        for block in np.unique(blocks):
            mixed[blocks == block] = rng.permutation(mixed[blocks == block])
        rates = [values[mixed == g].mean() for g in np.unique(groups)]
        found.append(max(rates) - min(rates))
    return found


def test_permutation_equals_shuffling_one_by_one() -> None:
    values, groups, clusters = sample([20, 35, 15], [0.7, 0.7, 0.4], 2)
    permuted = permuted_rates(values, groups, clusters, 3, np.random.default_rng(0))
    expected = shuffled(values, groups, np.zeros(70, np.int64), 1)
    gaps = spreads(permuted.rates)["gap"]
    assert gaps.mean() == pytest.approx(np.mean(expected), abs=0.01)
    assert np.quantile(gaps, 0.95) == pytest.approx(np.quantile(expected, 0.95), abs=0.03)
    assert permuted.method == "images permuted 4,000 times"


def test_permutation_within_clusters_that_hold_several_groups() -> None:
    rng = np.random.default_rng(3)
    clusters, groups = np.repeat(np.arange(12), 6), np.tile([0, 0, 0, 1, 1, 2], 12)
    values = rng.random(72) < np.repeat(rng.random(12), 6)  # clusters differ much
    permuted = permuted_rates(values, groups, clusters, 3, np.random.default_rng(0), draws=1500)
    gaps = spreads(permuted.rates)["gap"]
    assert gaps.mean() == pytest.approx(np.mean(shuffled(values, groups, clusters, 1)), abs=0.01)
    assert gaps.mean() < np.mean(shuffled(values, groups, np.zeros(72, np.int64), 1)) - 0.01
    assert permuted.method.startswith("images within clusters")


def test_whole_clusters_of_unequal_size_change_places() -> None:
    rng = np.random.default_rng(4)
    sizes, homes = rng.integers(1, 5, 40), np.arange(40) % 2
    clusters, groups = np.repeat(np.arange(40), sizes), np.repeat(homes, sizes)
    values = np.repeat(rng.random(40) < 0.5, sizes)  # a cluster's items agree
    gaps = spreads(permuted_rates(values, groups, clusters, 2, np.random.default_rng(0)).rates)["gap"]
    expected = []
    for _ in range(3000):
        mixed = np.repeat(rng.permutation(homes), sizes)
        expected.append(abs(values[mixed == 0].mean() - values[mixed == 1].mean()))
    assert gaps.mean() == pytest.approx(np.mean(expected), abs=0.01)
    items = permuted_rates(values, groups, np.arange(len(values)), 2, np.random.default_rng(0))
    assert gaps.mean() > 1.2 * spreads(items.rates)["gap"].mean()  # items that agree are fewer than they look


@pytest.mark.parametrize(
    ("columns", "points"), [(("race",), 3.1), (("race", "gender"), 5.8), (("race", "gender", "age"), 26.8)]
)
def test_published_gaps_without_any_true_gap(columns: tuple[str, ...], points: float) -> None:
    """PROTOCOLS A2: sizes of FairFace, 70 % right in every group; groups of at least 30."""
    if not FAIRFACE.exists():
        pytest.skip("the labels of FairFace are not there")
    with FAIRFACE.open(encoding="utf-8") as file:
        names = np.array([", ".join(line[name] for name in columns) for line in csv.DictReader(file)])
    sizes = np.unique(names, return_counts=True)[1]
    sizes = sizes[sizes >= 30]
    groups = np.repeat(np.arange(len(sizes)), sizes)
    values = np.arange(len(groups)) < round(0.7 * len(groups))
    permuted = permuted_rates(values, groups, np.arange(len(groups)), len(sizes), np.random.default_rng(0))
    assert 100 * spreads(permuted.rates)["gap"].mean() == pytest.approx(points, abs=0.4)


def test_bound_of_two_groups_in_closed_form() -> None:
    """Newcombe's limit of a difference, with exact limits of each rate at 1.96."""
    values, groups, clusters = sample([400, 300], [0.8, 0.6], 3)
    rates = group_rates(values, groups, clusters, 2)
    bound = gap_bound(rates, np.random.default_rng(0))
    hits = [int(values[groups == g].sum()) for g in range(2)]
    high, low = (0, 1) if rates.p[0] > rates.p[1] else (1, 0)
    lower = beta.ppf(0.025, hits[high], rates.n[high] - hits[high] + 1)
    upper = beta.ppf(0.975, hits[low] + 1, rates.n[low] - hits[low])
    reach = np.hypot(rates.p[high] - lower, upper - rates.p[low])
    assert bound.low == pytest.approx(abs(rates.p[0] - rates.p[1]) - reach, abs=0.004)
    assert bound.high is None


def test_critical_value_of_equal_groups_is_that_of_the_studentised_range() -> None:
    """Tukey 1953: max |t| over all pairs of k equal groups is q(k, inf) / sqrt 2; large groups make limits normal."""
    values, groups, clusters = sample([20_000] * 5, [0.5, 0.5, 0.5, 0.5, 0.55], 4)
    rates = group_rates(values, groups, clusters, 5)
    error = np.sqrt(2 * 0.25 / 20_000)
    critical = studentized_range.ppf(0.95, 5, np.inf) / np.sqrt(2)
    assert gap_bound(rates, np.random.default_rng(0)).low == pytest.approx(np.ptp(rates.p) - critical * error, abs=4e-4)


def test_shortfall_and_worst_rate() -> None:
    values, groups, clusters = sample([500, 500, 500], [0.9, 0.9, 0.6], 5)
    rates = group_rates(values, groups, clusters, 3)
    bound, worst = shortfall_bound(rates, np.random.default_rng(0)), worst_interval(rates, np.random.default_rng(0))
    shortfall = rates.p.mean() - rates.p.min()
    assert 0 < (bound.low or 0) < shortfall
    assert (bound.low or 0) > shortfall - 0.08
    assert (worst.low or 0) < rates.p.min() < (worst.high or 1)
    critical = norm.ppf(0.5 + 0.5 * 0.95 ** (1 / 3))  # independent groups: Sidak
    assert rates.p.min() - (worst.low or 0) == pytest.approx(critical * np.sqrt(0.24 / 500), abs=0.006)


def paper_bootstrap(hits: NDArray[np.int64], sizes: NDArray[np.int64], seed: int) -> NDArray[np.float64]:
    """Lum, Zhang, Bower 2022: binomial replicates of each group, noise of sample and of replicate taken out."""
    drawn = np.random.default_rng(seed).binomial(sizes, hits / sizes, size=(20_000, len(sizes))) / sizes
    noise = drawn * (1 - drawn) / sizes
    return np.asarray(drawn.var(axis=1, ddof=1) - 2 * noise.mean(axis=1) + (noise / sizes).mean(axis=1))


def test_double_corrected_variance_agrees_with_the_papers_bootstrap() -> None:
    sizes = [200, 400, 300, 250, 500, 350]
    values, groups, clusters = sample(sizes, [0.9, 0.7, 0.8, 0.6, 0.75, 0.7], 6)
    rates = group_rates(values, groups, clusters, 6)
    found = between_variance(rates, np.random.default_rng(0))
    assert found.value == pytest.approx(rates.p.var(ddof=1) - (rates.p * (1 - rates.p) / (rates.n - 1)).mean())
    replicates = paper_bootstrap(np.bincount(groups, weights=values).astype(np.int64), np.array(sizes), 1)
    assert found.value == pytest.approx(replicates.mean(), abs=2e-4)
    for end, share in ((found.interval.low, 0.025), (found.interval.high, 0.975)):
        assert end == pytest.approx(np.quantile(replicates, share), rel=0.08)


def test_variance_is_unbiased_with_and_without_a_true_one() -> None:
    cases: list[list[float]] = [[0.7] * 6, [0.5, 0.6, 0.7, 0.8, 0.9, 0.7]]
    for p in cases:
        found = []
        for seed in range(300):
            rates = group_rates(*sample([50] * 6, p, seed), 6)
            found.append(rates.p.var(ddof=1) - np.diag(rates.covariance).mean())
            if seed < 3:
                assert between_variance(rates, np.random.default_rng(0)).value == pytest.approx(found[-1])
        error = np.std(found) / np.sqrt(len(found))
        assert np.mean(found) == pytest.approx(np.var(p, ddof=1), abs=3.5 * error)


def test_detectable_difference_is_detected_with_its_power() -> None:
    sizes, p = np.array([200, 800]), 0.6
    rates = group_rates(*sample(sizes.tolist(), [p, p], 7), 2)
    delta = detectable(rates)[0]
    assert delta is not None
    rng = np.random.default_rng(8)
    true = np.array([p - 0.8 * delta, p + 0.2 * delta])
    drawn = rng.binomial(sizes, true, size=(4000, 2)) / sizes
    pooled = (drawn * sizes).sum(axis=1) / sizes.sum()
    error = np.sqrt(pooled * (1 - pooled) * (1 / sizes).sum())
    assert (np.abs(drawn[:, 0] - drawn[:, 1]) > 1.96 * error).mean() == pytest.approx(0.8, abs=0.03)
    assert detectable(group_rates(np.ones(4, bool), np.array([0, 0, 1, 1]), np.arange(4), 2)) == [None, None]


def test_null_calibration_of_the_test_and_of_the_bound() -> None:
    """300 seeds without any gap: p <= .05 as often as it should; the bound is above 0 at most that often."""
    sizes, count = [150, 210, 90, 330, 120], 300
    found = [measure_gap(*sample(sizes, [0.7] * 5, seed), 5, seed) for seed in range(count)]
    low, high = (binom.ppf(q, count, 0.05) for q in (0.001, 0.999))
    assert low <= sum(gap.test.p <= 0.05 for gap in found) <= high
    assert sum((gap.bound.low or 0) > 0 for gap in found) <= high


@pytest.mark.parametrize("base", [0.6, 0.97])
def test_bound_and_intervals_cover_a_true_gap(base: float) -> None:
    sizes, count, p = [150, 40, 90, 330], 200, [base, base - 0.2, base - 0.05, base]
    misses = dict.fromkeys(("gap", "shortfall", "worst"), 0)
    shown = 0
    for seed in range(count):
        rates, rng = group_rates(*sample(sizes, p, seed), 4), np.random.default_rng(seed)
        low = gap_bound(rates, rng).low or 0
        worst = worst_interval(rates, rng)
        misses["gap"] += low > 0.2 + 1e-12
        misses["shortfall"] += (shortfall_bound(rates, rng).low or 0) > float(np.mean(p)) - min(p) + 1e-12
        misses["worst"] += not (worst.low or 0) <= min(p) <= (worst.high or 1)
        shown += low > 0
    assert max(misses.values()) <= binom.ppf(0.999, count, 0.05)
    assert shown > 0.3 * count  # a bound that is always 0 would cover as well


def test_small_groups_with_rates_near_one_raise_no_alarm() -> None:
    sizes, count = [30] * 10 + [800], 200
    alarms = sum(
        (gap_bound(group_rates(*sample(sizes, [0.97] * 11, seed), 11), np.random.default_rng(seed)).low or 0) > 0
        for seed in range(count)
    )
    assert alarms <= binom.ppf(0.999, count, 0.05)


def test_larger_of_two_gaps() -> None:
    first = measure_gap(*sample([200, 200], [0.9, 0.5], 1), 2, 0)
    second = measure_gap(*sample([200, 200], [0.5, 0.5], 2), 2, 0, stream=1)
    both = larger_gap(first, second, 0)
    assert both.value == max(first.observed["gap"], second.observed["gap"])
    assert 0 < (both.bound.low or 0) <= (first.bound.low or 0) + 0.01  # at half the error: lower
    assert both.draws.mean() > max(first.draws["gap"].mean(), second.draws["gap"].mean())


def test_p_is_never_zero_and_a_gap_needs_two_groups() -> None:
    values = np.repeat([True, False], 200)
    gap = measure_gap(values, np.repeat([0, 1], 200), np.arange(400), 2, 0)
    assert gap.test.p == pytest.approx(1 / 4001)
    with pytest.raises(ValueError, match="at least two groups"):
        measure_gap(values, np.zeros(400, np.int64), np.arange(400), 1, 0)


def test_spreads_from_their_definitions() -> None:
    found = spreads(np.array([[0.2, 0.8, 0.5], [0.0, 0.0, 0.0]]))
    np.testing.assert_allclose(found["gap"], [0.6, 0.0])
    np.testing.assert_allclose(found["ratio"], [0.25, 1.0])
    np.testing.assert_allclose(found["shortfall"], [0.3, 0.0])
