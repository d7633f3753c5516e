"""Zero-shot, probes and what zero-shot is worth, on models whose knowledge is planted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from clipaudit_audits.robustness.chance import by_chance
from clipaudit_audits.robustness.zero_shot import ZeroShot
from clipaudit_audits.robustness.zero_shot_params import ZeroShotParams
from clipaudit_audits.robustness.zero_shot_probes import ALL, few, probes, shared_classes
from clipaudit_audits.robustness.zero_shot_score import estimates
from clipaudit_audits.robustness.zero_shot_worth import Trials, interval, resampled, worth

from clipaudit.contract import Cell, PlanContext
from clipaudit.data.dataset import Dataset
from clipaudit.errors import DataError
from clipaudit.models.control import load_control
from clipaudit.models.protocol import Model
from clipaudit.results import CurveFigure, DataInfo, Estimate, Status
from clipaudit.stimuli import digits

AUDIT = ZeroShot()
NAMES = ("apple", "pear", "plum", "cup", "key", "bag", "pen", "hat")
QUICK = {"splits": 3, "shots": (1, 2, 4)}


class Picture:
    """A photograph of a class; no pixel is needed."""

    def __init__(self, name: str, **attributes: str) -> None:
        self.id, self.attributes, self.digest = name, attributes, name

    def load(self) -> object:
        raise AssertionError("no pixel is needed")


def dataset(per_class: int = 12, names: tuple[str, ...] = NAMES, cluster: str | None = None) -> Dataset:
    images = [Picture(f"{name}/{i}", label=name, source=f"{name}/{i // 2}") for name in names for i in range(per_class)]
    info = DataInfo(id="set", title="set", digest="0", items=len(images), licence="none", consent="drawings")
    return Dataset(info, images, ("label", "source"), cluster)


def cell(data: Dataset, seed: int = 1, **params: object) -> Cell:
    return AUDIT.plan(PlanContext(ZeroShotParams.model_validate(QUICK | params), seed, data))[0]


def scored(model: Model, one: Cell) -> list[Estimate]:
    return AUDIT.score(replace(one, dataset=None), AUDIT.run(one, model))


def find(estimates: list[Estimate], metric: str, training: str | None = None) -> Estimate:
    return next(e for e in estimates if e.metric == metric and (training in (None, e.subgroup.get("training"))))


def prototypes(known: float, spread: float = 0.0, seed: int = 0) -> Model:
    return load_control(f"prototypes?labels={','.join(NAMES)}&known={known}&spread={spread}&seed={seed}")


def test_planted_knowledge_is_found_and_probes_learn_the_rest() -> None:
    """Texts know half of the classes; images differ perfectly. One shot is right on all, so zero-shot is worth less."""
    found = scored(prototypes(0.5), cell(dataset()))
    accuracy = find(found, "accuracy")
    assert accuracy.value is not None
    assert 0.5 <= accuracy.value <= 0.5 + 4 / 8  # all images of a class share one guess where its text is unknown
    assert accuracy.status is Status.EFFECT
    assert find(found, "probe_accuracy", "1 image per class").value == 1.0
    gain = find(found, "probe_gain")
    assert gain.value == pytest.approx(100 * (1 - accuracy.value))
    assert gain.status is Status.EFFECT
    shots = find(found, "shots_worth")
    assert shots.value is None
    assert "worth less than 1 labelled image per class" in shots.sentence


def test_full_knowledge_is_worth_more_than_the_shots_of_noisy_images() -> None:
    """With noise the probes climb with the shots, and texts at the true centres are ahead of all of them."""
    one = cell(dataset(24), shots=(1, 2, 4, 8), seed=3)
    rows = AUDIT.run(one, prototypes(1.0, spread=2.5))
    found = AUDIT.score(replace(one, dataset=None), rows)
    curve = [find(found, "probe_accuracy", f"{k} image{'s' * (k > 1)} per class").value or 0 for k in (1, 2, 4, 8)]
    assert curve[0] < curve[1] < curve[2] < curve[3]
    assert find(found, "accuracy").value > curve[3]
    assert "more than" in find(found, "shots_worth").sentence or "better than" in find(found, "shots_worth").sentence
    figure = next(f for f in AUDIT.figures(one, rows, found) if isinstance(f, CurveFigure))
    assert list(figure.series[0].y) == curve


def test_nothing_is_found_where_nothing_is_known() -> None:
    """The null model over many seeds: chance is rejected in about 5 of 100, and probes learn nothing either."""
    one, rejected, runs = cell(dataset(4), probes=False), 0, 60
    for seed in range(runs):
        rows = AUDIT.run(one, load_control(f"null?seed={seed}&dim=16"))
        rejected += estimates(rows.to_pylist(), one.params, seed)[0].test.p <= 0.05
    assert rejected <= 8  # P(more | 60 tests at .05) < .01
    found = scored(load_control("null"), cell(dataset(6)))
    assert find(found, "probe_gain").status is Status.NO_EFFECT
    assert find(found, "probe_gain").minimum_detectable


def test_chance_is_the_agreement_of_the_margins() -> None:
    """Closed form: sum over classes of P(predicted) P(label); a constant answer is not taken for knowledge."""
    labels = ["a"] * 60 + ["b"] * 40
    chosen = ["a"] * 30 + ["b"] * 30 + ["a"] * 20 + ["b"] * 20
    null, test = by_chance(chosen, labels, [str(i) for i in range(100)], 0)
    assert null.mean == pytest.approx(0.5 * 0.6 + 0.5 * 0.4, abs=0.003)
    n, a, b = 100, 60, 50  # hypergeometric overlap: hits = 2 x + const
    assert null.sd == pytest.approx(2 * np.sqrt(a * (n - a) * b * (n - b) / (n**2 * (n - 1))) / n, rel=0.03)
    assert test.p > 0.3
    null, test = by_chance(["a"] * 100, labels, [str(i) for i in range(100)], 0)
    assert (null.low, null.high, test.p) == (0.6, 0.6, 1.0)


def test_chance_moves_whole_clusters() -> None:
    """Four pictures of each of ten things are ten units, not forty: chance spreads twice as wide."""
    labels = [str(i // 20) for i in range(40)]
    chosen = [str(i // 4 % 2) for i in range(40)]
    single, _ = by_chance(chosen, labels, [str(i) for i in range(40)], 0)
    units, _ = by_chance(chosen, labels, [str(i // 4) for i in range(40)], 0)
    assert units.sd == pytest.approx(2 * single.sd, rel=0.1)
    assert units.mean == pytest.approx(0.5, abs=0.01)
    inside, _ = by_chance(chosen, labels, ["all"] * 40, 0)
    assert inside.sd == pytest.approx(single.sd, rel=0.05)


def test_units_never_straddle_a_split_and_every_image_is_tested_once() -> None:
    labels = np.repeat(np.arange(4), 12)
    clusters = [f"{i // 3}" for i in range(48)]
    vectors = np.random.default_rng(0).standard_normal((48, 8))
    answers = list(probes(vectors, labels, clusters, (1, 2), folds=3, splits=2, penalty=1.0, seed=5))
    for split in range(2):
        tested = [p.tested for p in answers if p.split == split and p.shots == ALL]
        assert sorted(np.concatenate(tested).tolist()) == list(range(48))
        for part in tested:
            inside = {clusters[i] for i in part}
            assert inside.isdisjoint(clusters[i] for i in range(48) if i not in part)
    order = np.arange(48)
    two, one = few(order, labels, np.array([int(c) for c in clusters]), 2), few(order, labels, order // 3, 1)
    assert set(one) <= set(two)
    assert len({(labels[i], clusters[i]) for i in two}) == len(two) == 8  # another unit each time
    assert shared_classes(["a"] * 4 + ["b"] * 2, ["1", "1", "2", "3", "4", "5"], folds=3) == ["a"]


@pytest.mark.parametrize(
    ("level", "expected"), [(0.3, -np.inf), (0.4, 1.0), (0.5, 2.0), (0.6, 4.0), (0.7, 4 * 2**0.5), (0.9, np.inf)]
)
def test_worth_is_linear_in_the_logarithm(level: float, expected: float) -> None:
    curve = np.array([[0.4, 0.5, 0.6, 0.8]])
    assert worth(np.array([level]), curve, (1, 2, 4, 8))[0] == pytest.approx(expected)


def test_resampled_spread_matches_the_closed_form() -> None:
    """Independent answers: var = p q / n for zero-shot; for probes the images' part and the splits' part add up."""
    rng, n, splits = np.random.default_rng(2), 400, 5
    zero = (rng.random(n) < 0.3).astype(float)
    probed = (rng.random((n, 1, splits)) < 0.6).astype(float)
    tried = Trials((ALL,), zero, probed, tuple(str(i) for i in range(n)))
    level, curve = resampled(tried, 0, 6000)
    assert level.mean() == pytest.approx(zero.mean(), abs=0.002)
    assert level.std() == pytest.approx(np.sqrt(zero.var() / n), rel=0.04)
    per_image, per_split = probed.mean(axis=2)[:, 0].var() / n, probed.mean(axis=0)[0].var() / splits
    inner = probed[:, 0].var() / (n * splits)
    assert curve[:, 0].var() == pytest.approx(per_image + per_split + inner, rel=0.3)
    bounds = interval(curve[:, 0], tried)
    assert bounds.low < probed.mean() < bounds.high


def test_a_model_that_only_decides_has_zero_shot_and_says_why_nothing_else() -> None:
    one = cell(dataset(8))
    covered = 0
    for seed in range(25):
        rows = AUDIT.run(one, load_control(f"classifier?accuracy=0.7&seed={seed}"))
        found = estimates(rows.to_pylist(), one.params, seed)
        bounds = find(found, "accuracy").interval
        covered += bounds.low <= 0.7 <= bounds.high
    assert covered >= 20
    assert [e.metric for e in found] == ["accuracy", "probe_accuracy"]
    assert "no embeddings" in found[1].sentence
    assert found[1].status is Status.TOO_SMALL


def test_sets_with_too_few_images_say_so() -> None:
    found = scored(prototypes(1.0), cell(dataset(2)))
    assert "too few per class" in find(found, "probe_accuracy").sentence
    assert any("Few images per class" in note for note in find(found, "accuracy").notes)
    found = scored(prototypes(1.0), cell(dataset(3)))
    assert find(found, "probe_accuracy", "4 images per class").value is None
    assert "4 images" in find(found, "probe_accuracy", "4 images per class").sentence


def test_bad_input_is_one_line() -> None:
    with pytest.raises(DataError, match="has fewer than two classes in its column 'label': there is no choice"):
        cell(dataset(names=("apple",)))
    with pytest.raises(DataError, match="has no column 'labels'; did you mean label"):
        cell(dataset(), target="labels")


def test_digits_are_black_on_white_and_spread_over_ten_classes() -> None:
    items = digits.items()
    assert len(items) == 1797
    assert {item.attributes["label"] for item in items} == set(digits.NAMES)
    pixels = np.asarray(items[0].load())
    assert pixels.shape == (64, 64, 3)
    assert pixels[0, 0].min() == 255
    assert pixels.min() < 30
