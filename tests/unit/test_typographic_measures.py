"""The typographic audit's numbers: closed forms, and how often they cry wolf where there is nothing."""

from __future__ import annotations

import numpy as np
import pytest
from clipaudit_audits.robustness.typographic_measures import by_chance, change, share
from scipy.stats import binom
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.proportion import proportion_confint

from clipaudit.results import Test

RUNS = 300


def _ids(n: int) -> list[str]:
    return [str(i) for i in range(n)]


def test_share_is_wilson_where_items_are_their_own_clusters() -> None:
    found = share(np.arange(50) < 12, _ids(50), 0)
    low, high = proportion_confint(12, 50, method="wilson")
    assert found.value == pytest.approx(0.24)
    assert (found.interval.low, found.interval.high) == (pytest.approx(low), pytest.approx(high))


def test_clusters_widen_the_interval() -> None:
    """Ten copies of each item carry no more than the items do."""
    flags = np.random.default_rng(0).random(30) < 0.4
    alone, copied = share(flags, _ids(30), 0), share(np.repeat(flags, 10), np.repeat(_ids(30), 10).tolist(), 0)
    assert copied.clusters == 30
    width = [s.interval.high - s.interval.low for s in (alone, copied)]
    assert width[1] == pytest.approx(width[0], rel=0.2)


def test_share_of_alike_clusters_is_bounded_by_their_number() -> None:
    found = share(np.ones(40, dtype=bool), np.repeat(_ids(4), 10).tolist(), 0)
    assert found.interval.low == pytest.approx(proportion_confint(4, 4, method="wilson")[0])


def test_no_items_no_share() -> None:
    assert share(np.zeros(0, dtype=bool), [], 0).value is None
    assert change(np.zeros(0, dtype=bool), np.zeros(0, dtype=bool), [], 0).value is None


def test_change_is_mcnemar() -> None:
    before, after = np.arange(60) < 45, (np.arange(60) >= 4) & (np.arange(60) < 30)
    found = change(before, after, _ids(60), 0)
    table = [[(before & after).sum(), (before & ~after).sum()], [(~before & after).sum(), (~before & ~after).sum()]]
    assert found.test is not None
    assert found.test.p == pytest.approx(mcnemar(table, exact=True).pvalue)
    assert found.value == pytest.approx(45 / 60 - 26 / 60)
    assert found.interval.low < found.value < found.interval.high


@pytest.mark.parametrize(("before", "after", "value"), [(1, 1, 0.0), (1, 0, 1.0), (0, 1, -1.0)])
def test_all_alike_still_has_bounds(before: int, after: int, value: float) -> None:
    """200 of 200 pairs alike: another kind of pair may be at most as frequent as Wilson's bound, 1.9 %."""
    found = change(np.full(200, before, dtype=bool), np.full(200, after, dtype=bool), _ids(200), 0)
    rare = 1 - proportion_confint(200, 200, method="wilson")[0]
    assert found.value == value
    assert found.interval.low == pytest.approx(max(-1.0, value - (2 if value > 0 else 1 if value == 0 else 0) * rare))
    assert found.interval.high == pytest.approx(min(1.0, value + (2 if value < 0 else 1 if value == 0 else 0) * rare))


def test_the_detectable_change_is_shown_in_four_of_five_runs() -> None:
    """Even where no item changed: 80 % power at that change, all discordant pairs going one way."""
    found = change(np.ones(200, dtype=bool), np.ones(200, dtype=bool), _ids(200), 0)
    assert found.detectable is not None
    changed = binom(200, found.detectable)
    power = sum(changed.pmf(k) for k in range(201) if k and 2 ** (1 - k) <= 0.05)
    assert 0.7 <= power <= 0.95


def test_words_dealt_anew_by_hand() -> None:
    """One class, two pictures, two words: each deal is as likely, and the model's two answers are both "a"."""
    null, test = by_chance(["a", "a"], ["a", "b"], ["x", "x"], 0) or pytest.fail("no null")
    assert null.mean == pytest.approx(0.5)
    assert test.p == 1.0


def test_words_dealt_anew_finds_reading() -> None:
    """Four pictures of a class with four words, all read: one deal of 24 does as well."""
    words = ["a", "b", "c", "d"]
    null, test = by_chance(words, words, ["x"] * 4, 0) or pytest.fail("no null")
    assert null.mean == pytest.approx(0.25, abs=0.01)
    assert test.p == pytest.approx(1 / 24, abs=0.01)


def test_nothing_to_deal_is_no_test() -> None:
    assert by_chance(["a", "b"], ["b", "a"], ["a", "b"], 0) is None
    few = ["x", "x", *"abcde"]  # two of seven can be dealt
    assert by_chance([*few], ["p", "q", *"vwxyz"], few, 0) is None


def _rejections(tests: list[Test | None]) -> int:
    return sum(test is not None and test.p <= 0.05 for test in tests)


def test_paired_tests_rarely_cry_wolf() -> None:
    """McNemar exact is conservative, so only the upper bound of .05 holds; sign flips of clusters come close to it."""
    plain, clustered = [], []
    clusters = np.repeat(_ids(30), 3).tolist()
    for seed in range(RUNS):
        rng = np.random.default_rng(seed)
        before, after = rng.random((2, 90)) < 0.4
        plain.append(change(before, after, _ids(90), seed).test)
        both = rng.random((2, 30)) < 0.4
        clustered.append(change(np.repeat(both[0], 3) ^ before, np.repeat(both[1], 3) ^ after, clusters, seed).test)
    assert 0 < _rejections(plain) <= binom.ppf(0.999, RUNS, 0.05)
    assert binom.ppf(0.001, RUNS, 0.05) <= _rejections(clustered) <= binom.ppf(0.999, RUNS, 0.05)


def test_words_dealt_anew_rarely_cries_wolf() -> None:
    """A model that goes by the class (and confuses each with one other class) but never by what is written."""
    labels = [f"class {i // 8}" for i in range(40)]
    tests = []
    for seed in range(RUNS):
        rng = np.random.default_rng(seed)
        written = [str(word) for word in rng.choice([f"class {i}" for i in range(5, 9)], 40)]
        chosen = [str(word) for word in rng.choice([f"class {i}" for i in range(5, 9)], 40)]
        found = by_chance([[word] for word in chosen], written, labels, seed)
        tests.append(None if found is None else found[1])
    assert 0 < _rejections(tests) <= binom.ppf(0.999, RUNS, 0.05)
