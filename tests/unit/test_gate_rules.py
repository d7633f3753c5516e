"""What is proven inside, outside, or not: rules against intervals, one level over all, sizes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import normal_sample_size_one_tail

from clipaudit.contract import MetricSpec, Outcomes
from clipaudit.gate import holm, rules
from clipaudit.gate.measured import Measured, difference, mirrored
from clipaudit.gate.paired import paired, paired_change
from clipaudit.gate.policy import Absolute, Change, Equivalence
from clipaudit.gate.results import Allowed, State
from clipaudit.gate.select import CannotJudge
from clipaudit.results import Interval
from clipaudit.stats.paired_score import change_interval

LEVEL = 0.025
COMMON = {"id": "a", "audit": "x", "metric": "m"}


def value(at: float, low: float | None, high: float | None, n: int = 100) -> Measured:
    return Measured(at, Interval(low=low, high=high, method="Wilson"), n)


def state(found: Measured, allowed: Allowed) -> State:
    weighed = [rules.weigh(found, allowed)]
    return rules.decide(weighed, holm.over_all([weighed])[0], LEVEL, True)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.10, 0.30, State.PASS),  # the end itself is allowed
        (0.10, 0.3001, State.INCONCLUSIVE),
        (0.2999, 0.40, State.INCONCLUSIVE),
        (0.30, 0.40, State.FAIL),
        (None, 0.25, State.PASS),
        (0.10, None, State.INCONCLUSIVE),
        (0.35, None, State.FAIL),
    ],
)
def test_an_absolute_bound_is_a_bound_on_the_intervals_end(
    low: float | None, high: float | None, expected: State
) -> None:
    middle = {State.PASS: 0.2, State.INCONCLUSIVE: 0.32, State.FAIL: 0.38}[expected]
    found = value(middle if low is None or high is None else (low + high) / 2, low, high)
    assert state(found, Allowed(high=0.3)) is expected
    assert found.value is not None
    flipped = value(-found.value, None if high is None else -high, None if low is None else -low)
    assert state(flipped, Allowed(low=-0.3)) is expected


def test_an_interval_that_does_not_hold_its_value_still_decides_by_its_ends() -> None:
    """As a BCa interval may: the mean of skewed data."""
    found = value(0.5, 0.3, 0.49)
    states = [state(found, Allowed(high=bound)) for bound in (0.495, 0.485, 0.31, 0.29)]
    assert states == [State.PASS, State.INCONCLUSIVE, State.INCONCLUSIVE, State.FAIL]


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(-0.9, 0.9, State.PASS), (-1.1, 0.5, State.INCONCLUSIVE), (0.5, 1.1, State.INCONCLUSIVE), (1.1, 2, State.FAIL),
     (-3, -1.2, State.FAIL), (-2, 2, State.INCONCLUSIVE)],
)  # fmt: skip
def test_equivalence_is_two_one_sided_tests(low: float, high: float, expected: State) -> None:
    assert state(value((low + high) / 2, low, high), rules.allowed(Equivalence(margin=1, **COMMON))) is expected


def test_the_equivalence_p_is_that_of_two_z_tests() -> None:
    found = value(0.2, 0.2 - 1.959964 * 0.5, 0.2 + 1.959964 * 0.5)
    p = rules.weigh(found, Allowed(low=-1, high=1)).p_pass
    assert p == pytest.approx(max(norm.sf(1.2 / 0.5), norm.cdf(-0.8 / 0.5)), rel=1e-5)


def test_which_side_of_a_change_is_limited() -> None:
    rule = Change(margin=0.02, **COMMON)
    assert rules.allowed(rule, "higher") == Allowed(high=0.02)
    assert rules.allowed(rule, "lower") == Allowed(low=-0.02)
    assert rules.allowed(rule, "away from null") == Allowed(high=0.02)


def test_holm_over_all_estimates_of_all_rules() -> None:
    p = [[0.001, 0.2], [0.012], [0.04, 0.03, 0.9]]
    found = holm.over_all([[rules.Weighed(0.5, each) for each in rule] for rule in p])
    flat = [each for rule in p for each in rule]
    assert [each for rule in found for each in rule] == pytest.approx(multipletests(flat, method="holm")[1])
    assert [len(rule) for rule in found] == [2, 1, 3]


def test_one_failing_among_many_is_corrected_and_one_open_prevents_a_pass() -> None:
    good, bad, open_one = rules.Weighed(0.001, 0.999), rules.Weighed(0.99, 0.01), rules.Weighed(0.3, 0.7)
    alone, among = holm.over_all([[bad]])[0], holm.over_all([[bad, good, good, good]])[0]
    assert rules.decide([bad], alone, LEVEL, True) is State.FAIL
    assert rules.decide([bad, good, good, good], among, LEVEL, True) is State.INCONCLUSIVE
    assert rules.decide([good, good], [0.999, 0.999], LEVEL, True) is State.PASS
    assert rules.decide([good, open_one], [1.0, 1.0], LEVEL, True) is State.INCONCLUSIVE
    assert rules.decide([good], [0.999], LEVEL, False) is State.INCONCLUSIVE  # something was too small


def test_items_needed_is_the_textbook_size() -> None:
    """statsmodels: one-sided normal test with standard deviation se * sqrt(n)."""
    found = value(0.25, 0.15, 0.35, n=100)
    sd = 0.1 / norm.ppf(0.975) * np.sqrt(100)
    expected = normal_sample_size_one_tail(0.05, 0.8, LEVEL, std_null=sd)
    assert rules.items_needed(found, Allowed(high=0.3), LEVEL) == pytest.approx(expected, abs=1)
    assert rules.items_needed(value(0.3, 0.2, 0.4), Allowed(high=0.3), LEVEL) is None


def test_a_bound_in_percent_for_a_proportion_is_refused() -> None:
    metric = MetricSpec(name="m", title="M", unit="proportion", range=(0, 1))
    for rule in (Absolute(max=30, **COMMON), Absolute(min=-1, **COMMON), Change(margin=2, **COMMON)):
        with pytest.raises(CannotJudge, match="outside the range of m: 0 to 1 proportion"):
            rules.check_size(rule, metric)
    rules.check_size(Absolute(max=0.3, **COMMON), metric)


def test_unpaired_difference_of_symmetric_intervals_adds_variances() -> None:
    found = difference(value(0.5, 0.4, 0.6), value(0.3, 0.1, 0.5))
    half = np.hypot(0.1, 0.2)
    assert found.interval is not None
    assert (found.value, found.interval.low, found.interval.high) == pytest.approx((0.2, 0.2 - half, 0.2 + half))
    assert found.paired is False
    assert difference(value(0.5, None, 0.6), value(0.3, 0.1, 0.5)).interval.low is None  # type: ignore[union-attr]


def test_mirrored_measures_the_distance_to_the_null() -> None:
    found = mirrored(value(-0.3, -0.5, -0.2), -1.0, 0.1)
    assert found.interval is not None
    assert (found.value, found.interval.low, found.interval.high) == pytest.approx((0.4, 0.3, 0.6))


def outcomes(above: list[float], below: list[float] | None = None, clusters: list[str] | None = None) -> Outcomes:
    names = tuple(f"i{i}" for i in range(len(above)))
    return Outcomes(
        names, np.array(above), np.ones(len(above)) if below is None else np.array(below), tuple(clusters or names)
    )


def test_paired_flags_use_the_score_interval_and_pair_by_item() -> None:
    before, after = outcomes([1, 1, 0, 0, 1, 1]), outcomes([1, 0, 1, 1, 1, 1])
    order = [5, 3, 0, 1, 4, 2]
    shuffled = Outcomes(tuple(f"i{i}" for i in order), after.above[order], after.below[order],
                        tuple(f"i{i}" for i in order))  # fmt: skip
    pairs = paired(shuffled, before)
    assert pairs is not None
    found = paired_change(pairs, 1, 1, 0, 0.95)
    low, high = change_interval(2, 1, 6)
    assert found.interval is not None
    assert (found.gained, found.lost, found.value) == (2, 1, pytest.approx(1 / 6))
    assert (found.interval.low, found.interval.high) == pytest.approx((float(low), float(high)))
    assert (sorted(pairs.flipped[0]), pairs.flipped[1]) == (["i2", "i3"], ["i1"])


def test_only_common_items_are_paired() -> None:
    some = Outcomes(("i1", "x"), np.ones(2), np.ones(2), ("i1", "x"))
    pairs = paired(some, outcomes([1, 0, 1]))
    assert pairs is not None
    assert pairs.items == ("i1",)
    assert paired(Outcomes(("x",), np.ones(1), np.ones(1), ("x",)), outcomes([1])) is None


def test_a_paired_ratio_is_resampled_with_both_runs_on_one_draw() -> None:
    """Runs that rise and fall together: the change of the ratio is far surer than either ratio."""
    rng = np.random.default_rng(0)
    below = (rng.random(400) < 0.7).astype(float)
    above = below * (rng.random(400) < 0.4)
    more = np.where((below > 0) & (rng.random(400) < 0.05), 1.0, above)
    pairs = paired(outcomes(more.tolist(), below.tolist()), outcomes(above.tolist(), below.tolist()))
    assert pairs is not None
    found = paired_change(pairs, 1, 1, 0, 0.95)
    assert found.interval is not None
    assert found.interval.low is not None
    assert found.interval.high is not None
    steps = (more - above)[below > 0]
    assert found.value == pytest.approx(steps.mean())
    error = steps.std() / np.sqrt(steps.size)
    assert (found.interval.high - found.interval.low) / 2 == pytest.approx(1.96 * error, rel=0.2)
    assert found.n == int(below.sum())


def test_the_same_answers_twice_have_an_interval_around_zero() -> None:
    half = [1.0, 0.0] * 100
    pairs = paired(outcomes(half, [1.0, 1.0] * 100, ["a", "b"] * 100), outcomes(half, None, ["a", "b"] * 100))
    assert pairs is not None
    found = paired_change(pairs, 1, 1, 0, 0.95)
    low, high = change_interval(0, 0, 2)  # two clusters
    assert found.interval is not None
    assert (found.value, found.interval.low, found.interval.high) == (0, float(low), float(high))
