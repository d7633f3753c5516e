"""Shape bias: the published human figure, closed forms, and how often its tests cry wolf."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import numpy as np
import pytest
from clipaudit_audits.meaning.cue_conflict_categories import (
    CATEGORIES,
    HUMAN_BY_CLASS,
    HUMAN_RANGE,
    HUMAN_RANGE_BY_CLASS,
    HUMAN_SHAPE_BIAS,
    IMAGENET_INDICES,
    average_within,
    imagenet_names,
)
from clipaudit_audits.meaning.cue_conflict_measures import (
    Cues,
    above_chance,
    bias_difference,
    cues,
    even_split,
    lean,
    shape_bias,
    shape_bias_interval,
)
from scipy.stats import binom

from clipaudit.stats.paired import paired_permutation

HUMANS = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "human_cue_conflict"
RUNS = 300


def _human_trials(subject: str = "*") -> list[tuple[str, str, str]]:
    files = sorted(HUMANS.glob(f"*subject-{subject}_*.csv"))
    if not files:
        pytest.skip(f"the published human responses are not at {HUMANS}")
    trials = []
    for path in files:
        with path.open(encoding="utf-8") as handle:
            for row in csv.DictReader(handle):
                names = re.search(r"_([a-z]+)\d+-([a-z]+)\d+\.png$", row["imagename"])
                assert names
                trials.append((row["object_response"], names[1], names[2]))
    return trials


def test_humans_go_by_shape() -> None:
    """Geirhos et al. 2019: 95.87 % of the cue decisions of ten observers, pooled."""
    decisions, shapes, textures = (list(column) for column in zip(*_human_trials(), strict=True))
    found = cues(decisions, shapes, textures)
    assert len(decisions) == 12_800
    assert int(found.conflict.sum()) == 12_000
    assert shape_bias(found) == pytest.approx(0.9587, abs=5e-5)
    assert pytest.approx(shape_bias(found), abs=5e-5) == HUMAN_SHAPE_BIAS
    names = np.array(shapes)
    assert {n: round(shape_bias(found.where(names == n)) or 0, 4) for n in CATEGORIES} == dict(HUMAN_BY_CLASS)


def test_the_band_of_single_observers() -> None:
    """The lowest and the highest of the ten, over all classes and by class."""
    overall, by_class = [], {name: [] for name in CATEGORIES}
    for number in range(1, 11):
        decisions, shapes, textures = (list(column) for column in zip(*_human_trials(f"{number:02d}"), strict=True))
        found, names = cues(decisions, shapes, textures), np.array(shapes)
        overall.append(shape_bias(found))
        for name, values in by_class.items():
            values.append(shape_bias(found.where(names == name)))
    assert pytest.approx((min(overall), max(overall)), abs=5e-5) == HUMAN_RANGE
    for name, values in by_class.items():
        assert pytest.approx((min(values), max(values)), abs=5e-5) == HUMAN_RANGE_BY_CLASS[name]


def test_the_sixteen_classes_hold_207_of_imagenet() -> None:
    """Counts per class as in the published 16-class ImageNet; one index, one class; names that must belong."""
    counts = {"airplane": 1, "bear": 4, "bicycle": 2, "bird": 49, "boat": 5, "bottle": 7, "car": 3, "cat": 6}
    counts |= {"chair": 4, "clock": 3, "dog": 109, "elephant": 2, "keyboard": 2, "knife": 1, "oven": 1, "truck": 8}
    assert {name: len(indices) for name, indices in IMAGENET_INDICES.items()} == counts
    every = [index for indices in IMAGENET_INDICES.values() for index in indices]
    assert len(every) == len(set(every)) == 207
    names = imagenet_names()
    assert len(names) == 1000
    assert [names[i] for i in IMAGENET_INDICES["bear"]] == [
        "brown bear",
        "American black bear",
        "polar bear",
        "sloth bear",
    ]
    assert [names[i] for i in IMAGENET_INDICES["clock"]] == ["analog clock", "digital clock", "wall clock"]
    assert [names[i] for i in IMAGENET_INDICES["elephant"]] == ["Asian elephant", "African bush elephant"]


def test_probabilities_are_averaged_not_summed() -> None:
    """One bear class with .4 is a mean of .1 over four; the single airplane class needs only .2 to beat it."""
    values = np.zeros((1, 1000))
    values[0, 294], values[0, 404] = 0.4, 0.2
    assert average_within(values, ("airplane", "bear")).tolist() == [[pytest.approx(0.2), pytest.approx(0.1)]]


def test_shape_bias_by_hand() -> None:
    found = cues(["a", "a", "a", "b", "c", None, "a"], ["a"] * 7, ["b"] * 6 + ["a"])
    assert (found.decided, int(found.conflict.sum())) == (4, 6)
    assert shape_bias(found) == 0.75
    assert lean(found).tolist() == [1, 1, 1, -1, 0, 0, 0]


def test_no_cue_decision_no_bias() -> None:
    found = cues(["c", "c"], ["a", "a"], ["b", "b"])
    assert shape_bias(found) is None
    assert even_split(found) is None
    assert shape_bias_interval(found, 0).low is None


def test_swapping_the_cues_mirrors_the_bias() -> None:
    rng = np.random.default_rng(0)
    names = np.array(list("abcd"))
    decisions, shapes, textures = (list(names[rng.integers(0, 4, 200)]) for _ in range(3))
    one, other = shape_bias(cues(decisions, shapes, textures)), shape_bias(cues(decisions, textures, shapes))
    assert one is not None
    assert other == pytest.approx(1 - one)


def _follower(q: float, seed: int, n: int = 150, accuracy: float = 0.7) -> Cues:
    rng = np.random.default_rng(seed)
    by_cue, shape = rng.random(n) < accuracy, rng.random(n) < q
    return Cues(np.ones(n, dtype=bool), by_cue & shape, by_cue & ~shape)


@pytest.mark.parametrize("q", [0.2, 0.8])
def test_interval_holds_the_planted_bias(q: float) -> None:
    intervals = [shape_bias_interval(_follower(q, seed), seed) for seed in range(100)]
    assert sum(i.low <= q <= i.high for i in intervals) >= binom.ppf(0.001, 100, 0.94)


def test_tests_rarely_cry_wolf() -> None:
    """Exact binomial tests are conservative: the upper bound of .05 holds. Sign flips reach .05."""
    split = [even_split(_follower(0.5, seed)) for seed in range(RUNS)]
    assert 0 < sum(t.p <= 0.05 for t in split if t) <= binom.ppf(0.999, RUNS, 0.05)
    chance = [above_chance(int(np.random.default_rng(seed).binomial(200, 2 / 16)), 200, 2 / 16) for seed in range(RUNS)]
    assert 0 < sum(t.p <= 0.05 for t in chance if t) <= binom.ppf(0.999, RUNS, 0.05)
    moved = [
        paired_permutation(lean(_follower(0.5, seed)) - lean(_follower(0.5, seed + RUNS)), None, seed, 999)
        for seed in range(RUNS)
    ]
    assert binom.ppf(0.001, RUNS, 0.05) <= sum(t.p <= 0.05 for t in moved) <= binom.ppf(0.999, RUNS, 0.05)


def test_steering_is_the_difference_of_two_biases() -> None:
    value, interval = bias_difference(_follower(0.8, 1, n=600), _follower(0.4, 2, n=600), 0)
    assert value == pytest.approx(0.4, abs=0.08)
    assert interval.low < 0.4 < interval.high
