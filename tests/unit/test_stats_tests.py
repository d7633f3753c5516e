"""Permutation, sign-flip and McNemar tests, and corrections: against scipy, statsmodels and brute force."""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, binomtest, chisquare, false_discovery_control, permutation_test
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

from clipaudit.results import Estimate, Status, Test
from clipaudit.stats.multiple import correct
from clipaudit.stats.null import null_from_draws
from clipaudit.stats.paired import mcnemar_exact, paired_permutation, sign_flips
from clipaudit.stats.permutation import differences, p_value, partitions, two_sample


def mean_difference(x: np.ndarray, y: np.ndarray, axis: int) -> np.ndarray:
    return np.asarray(x.mean(axis) - y.mean(axis))


@pytest.mark.parametrize(("n_x", "n_y"), [(4, 4), (3, 6), (7, 5), (2, 6)])
@pytest.mark.parametrize("alternative", ["two-sided", "greater", "less"])
def test_two_sample_exact_is_that_of_scipy(n_x: int, n_y: int, alternative: str) -> None:
    rng = np.random.default_rng(n_x)
    x, y = rng.normal(0.5, 1, n_x), rng.normal(0, 1, n_y)
    ours = two_sample(x, y, alternative=alternative)
    theirs = permutation_test((x, y), mean_difference, alternative=alternative, n_resamples=np.inf, vectorized=True)
    assert "exact" in ours.method
    if alternative == "two-sided" and n_x != n_y:  # scipy doubles the smaller tail; ours compares |differences|
        values = np.concatenate([x, y])
        draws = [values[list(c)].mean() - np.delete(values, c).mean() for c in combinations(range(n_x + n_y), n_x)]
        assert ours.p == pytest.approx(np.mean(np.abs(draws) >= abs(x.mean() - y.mean()) - 1e-12))
    else:
        assert ours.p == pytest.approx(theirs.pvalue, abs=1e-12)


def test_monte_carlo_agrees_with_the_exact_p() -> None:
    rng = np.random.default_rng(1)
    x, y = rng.normal(0.5, 1, 8), rng.normal(0, 1, 8)
    exact = two_sample(x, y)
    drawn = two_sample(x, y, max_exact=0, n_resamples=20_000)
    assert "Monte-Carlo" in drawn.method
    assert drawn.smallest_p == 1 / 20_001
    assert drawn.p == pytest.approx(exact.p, abs=4 * (exact.p * (1 - exact.p) / 20_000) ** 0.5)


def test_ties_count_as_extreme_whatever_the_order_of_summation() -> None:
    """0.1 + 0.2 + 0.3 in another order differs in the last bit; the observed partition is as extreme as itself."""
    x, y = [0.3, 0.1, 0.2, 0.7], [0.2, 0.3, 0.7, 0.1]
    assert two_sample(x, y).p == 1.0
    assert two_sample([1.0, 1.0], [0.0, 0.0]).p == pytest.approx(2 / 6)
    assert two_sample([5.0, 5.0], [5.0, 5.0]).p == 1.0


@pytest.mark.parametrize(("n_x", "n_y"), [(2, 3), (3, 2), (4, 1), (3, 3)])
def test_drawn_partitions_are_all_equally_likely(n_x: int, n_y: int) -> None:
    drawn = partitions(n_x, n_y, seed=3, n_resamples=20_000, max_exact=0).first
    assert set(drawn.sum(axis=1).tolist()) == {n_x}
    counts = Counter(map(tuple, drawn.astype(int).tolist()))
    assert len(counts) == comb(n_x + n_y, n_x)
    assert chisquare(list(counts.values())).pvalue > 1e-3


def test_enumerated_partitions_are_all_and_different() -> None:
    parts = partitions(4, 5)
    assert parts.exact
    assert len({tuple(row) for row in parts.first.tolist()}) == len(parts.first) == comb(9, 4)
    assert not parts.first.flags.writeable


def test_many_tests_in_one_product_are_those_made_singly() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(3, 1, (12, 5))
    parts = partitions(5, 7)
    together = differences(values, parts)
    for column, null in zip(values.T, together.T, strict=True):
        expected = [column[row].mean() - column[~row].mean() for row in parts.first[:50]]
        np.testing.assert_allclose(null[:50], expected, atol=1e-12)


@given(st.integers(0, 10_000), st.integers(1, 12), st.integers(1, 12))
@settings(max_examples=40, deadline=None)
def test_p_is_never_zero_nor_above_one(seed: int, n_x: int, n_y: int) -> None:
    rng = np.random.default_rng(seed)
    test = two_sample(rng.normal(50, 1, n_x), rng.normal(0, 1, n_y), n_resamples=500)
    assert 0 < test.smallest_p <= test.p <= 1


def test_empty_sets_and_bad_values_are_refused() -> None:
    with pytest.raises(ValueError, match="items in both sets, got 0 and 2"):
        two_sample([], [1.0, 2.0])
    with pytest.raises(ValueError, match="not finite"):
        two_sample([np.nan], [1.0])
    with pytest.raises(ValueError, match="at least one difference"):
        paired_permutation([])


def test_rejects_at_the_nominal_rate_under_the_null() -> None:
    rng = np.random.default_rng(12)
    rejected = sum(two_sample(rng.exponential(1, 8), rng.exponential(1, 8)).p <= 0.05 for _ in range(400))
    low, high = binom.interval(0.99, 400, 0.05)
    assert low <= rejected <= high


@pytest.mark.parametrize("n", [3, 8, 12])
def test_sign_flips_are_those_of_scipy(n: int) -> None:
    values = np.random.default_rng(n).normal(0.4, 1, n)
    ours = paired_permutation(values)
    theirs = permutation_test(
        (values,), lambda x, axis: x.sum(axis), permutation_type="samples", n_resamples=np.inf, vectorized=True
    )
    assert ours.p == pytest.approx(theirs.pvalue, abs=1e-12)
    assert ours.smallest_p == 2 / 2**n


def test_clusters_flip_together() -> None:
    values = np.random.default_rng(0).normal(0.4, 1, 24)
    clusters = np.repeat([f"c{i}" for i in range(8)], 3)
    assert paired_permutation(values, clusters.tolist()) == paired_permutation(values.reshape(8, 3).sum(axis=1))
    assert "8 units" in paired_permutation(values, clusters.tolist()).method


def test_random_sign_flips_agree_with_all_of_them() -> None:
    values = np.random.default_rng(5).normal(0.35, 1, 18)
    signs = 1 - 2 * (np.arange(2**18)[:, None] >> np.arange(18) & 1)
    exact = np.mean(np.abs(signs @ values) >= abs(values.sum()) - 1e-9)
    null, enumerated = sign_flips(values, seed=1, n_resamples=40_000)
    assert not enumerated
    assert p_value(null, float(values.sum()), False) == pytest.approx(exact, abs=4 * (exact / 40_000) ** 0.5)
    assert null.std() == pytest.approx(np.sqrt((values**2).sum()), rel=0.02)


@pytest.mark.parametrize(("b", "c"), [(0, 1), (1, 9), (5, 5), (13, 4), (40, 70)])
def test_mcnemar_is_that_of_statsmodels_and_of_the_binomial(b: int, c: int) -> None:
    ours = mcnemar_exact(b, c)
    assert ours.p == pytest.approx(mcnemar([[10, b], [c, 10]], exact=True).pvalue, abs=1e-12)
    assert ours.p == pytest.approx(binomtest(b, b + c).pvalue, abs=1e-12)
    assert ours.smallest_p == pytest.approx(binomtest(0, b + c).pvalue)
    assert mcnemar_exact(c, b) == ours


def test_mcnemar_without_change_and_with_impossible_counts() -> None:
    assert mcnemar_exact(0, 0).p == 1.0
    with pytest.raises(ValueError, match="cannot be negative"):
        mcnemar_exact(-1, 3)


def family(ps: list[float | None], small: tuple[int, ...] = ()) -> list[Estimate]:
    return [
        Estimate(
            metric="m", title=str(i), value=0.0, n=10, test=None if p is None else Test(p=p, method="made up"),
            status=Status.TOO_SMALL if i in small else Status.DESCRIBED,
        )
        for i, p in enumerate(ps)
    ]  # fmt: skip


PS = [0.001, 0.2, 0.013, 0.04, 0.9, 0.012, 0.05]


@pytest.mark.parametrize(("method", "key"), [("holm", "holm"), ("benjamini-hochberg", "fdr_bh")])
def test_corrections_are_those_of_statsmodels(method: str, key: str) -> None:
    adjusted = [e.test.p_adjusted for e in correct(family(PS), method, "words")]
    assert adjusted == pytest.approx(multipletests(PS, method=key)[1].tolist(), abs=1e-15)


def test_corrections_by_hand() -> None:
    """Holm: p(i) (m - i + 1), made monotone. Benjamini-Hochberg: p(i) m / i, made monotone from above."""
    holm = correct(family([0.01, 0.04, 0.03]), "holm", "tests")
    assert [e.test.p_adjusted for e in holm] == pytest.approx([0.03, 0.06, 0.06])
    assert [e.status for e in holm] == [Status.EFFECT, Status.NO_EFFECT, Status.NO_EFFECT]
    assert holm[0].test.correction == "Holm over 3 tests"
    bh = correct(family(PS), "benjamini-hochberg", "tests")
    assert [e.test.p_adjusted for e in bh] == pytest.approx(false_discovery_control(PS).tolist())
    assert [e.test.p for e in bh] == PS  # the raw p is kept


@pytest.mark.parametrize("method", ["holm", "benjamini-hochberg"])
def test_a_single_test_is_not_corrected_and_says_so(method: str) -> None:
    (alone, other) = correct(family([0.03, None]), method, "tests")
    assert alone.test.p == alone.test.p_adjusted == 0.03
    assert alone.test.correction == "one test, not corrected"
    assert alone.status is Status.EFFECT
    assert other.test is None


def test_only_judged_tests_are_in_the_family() -> None:
    corrected = correct(family([0.02, 0.0001, None, 0.03], small=(1,)), "holm", "tests")
    assert [None if e.test is None else e.test.p_adjusted for e in corrected] == [
        pytest.approx(0.04),
        None,
        None,
        pytest.approx(0.04),
    ]
    assert [e.status for e in corrected] == [Status.EFFECT, Status.TOO_SMALL, Status.DESCRIBED, Status.EFFECT]
    assert [e.title for e in corrected] == ["0", "1", "2", "3"]
    assert correct([], "holm", "tests") == []
    assert correct(family([None]), "holm", "tests") == family([None])


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_a_family_changes_nothing_and_correction_never_lowers_p(seed: int) -> None:
    rng = np.random.default_rng(seed)
    ps, order = rng.uniform(0, 0.1, 30), rng.permutation(30)
    straight, shuffled = (
        [e.test.p_adjusted for e in correct(family(each.tolist()), "holm", "tests")] for each in (ps, ps[order])
    )
    assert [straight[i] for i in order] == pytest.approx(shuffled, abs=1e-12)
    assert all(adjusted >= p for adjusted, p in zip(straight, ps, strict=True))


def test_null_summary_is_that_of_numpy() -> None:
    draws = np.random.default_rng(0).normal(1, 2, 999)
    null = null_from_draws(draws, "made up", level=0.9)
    assert (null.low, null.high) == pytest.approx(tuple(np.quantile(draws, [0.05, 0.95])), abs=1e-12)
    assert (null.mean, null.sd) == pytest.approx((draws.mean(), draws.std()))
    assert null_from_draws([2.0], "one").low == 2.0
