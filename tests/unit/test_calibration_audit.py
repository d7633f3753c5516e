"""Calibration against hand-worked cases, closed forms, and models whose confidence and accuracy are planted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from clipaudit_audits.robustness.calibration import Calibration
from clipaudit_audits.robustness.calibration_measures import (
    Bins,
    bin_numbers,
    binned,
    error_interval,
    if_calibrated,
    inclusion,
    selective,
)
from clipaudit_audits.robustness.calibration_params import CalibrationParams
from clipaudit_audits.robustness.calibration_rows import confidences
from scipy.stats import binom

from clipaudit.contract import Cell, PlanContext
from clipaudit.data.dataset import Dataset
from clipaudit.errors import DataError, NotSupported
from clipaudit.models.control import load_control
from clipaudit.models.protocol import Model, Scores
from clipaudit.results import DataInfo, Estimate, ReliabilityFigure, Status

AUDIT = Calibration()
NAMES = ("apple", "pear", "plum", "cup", "key")


class Picture:
    """A photograph of a class; no pixel is needed."""

    def __init__(self, name: str, **attributes: str) -> None:
        self.id, self.attributes, self.digest = name, attributes, name

    def load(self) -> object:
        raise AssertionError("no pixel is needed")


def dataset(n: int = 300, names: tuple[str, ...] = NAMES, cluster: str | None = None) -> Dataset:
    images = [
        Picture(f"{i}", label=names[i % len(names)], hue="red" if i % 2 else "blue", pair=f"{i // 4}") for i in range(n)
    ]
    info = DataInfo(id="set", title="set", digest="0", items=n, licence="none", consent="drawings", groups=("hue",))
    return Dataset(info, images, ("label", "hue", "pair"), cluster)


def cell(data: Dataset, seed: int = 1, **params: object) -> Cell:
    return AUDIT.plan(PlanContext(CalibrationParams.model_validate(params), seed, data))[0]


def scored(model: Model, one: Cell) -> list[Estimate]:
    return AUDIT.score(replace(one, dataset=None), AUDIT.run(one, model))


def find(estimates: list[Estimate], metric: str, **subgroup: str) -> Estimate:
    return next(e for e in estimates if e.metric == metric and e.subgroup == subgroup)


def test_hand_worked_case() -> None:
    """Ten answers in two bins of five: confidence .52 and .9 on average, 2 and 5 right.

    |.52 - .4| = .12 and |.9 - 1| = .1, so ECE = .11. Squared: .5 (.0144 - .4 x .6 / 4) + .5 x .01 = -.0178.
    """
    confidence = np.array([0.5, 0.5, 0.5, 0.55, 0.55, 0.85, 0.9, 0.9, 0.9, 0.95])
    correct = np.array([1, 0, 0, 1, 0, 1, 1, 1, 1, 1], dtype=bool)
    numbers = bin_numbers(confidence, 2)
    assert numbers.tolist() == [0] * 5 + [1] * 5
    table = binned(confidence, correct, numbers)
    assert table.plug_in()[0] == pytest.approx(0.11)
    assert table.squared()[0] == pytest.approx(0.5 * (0.0144 - 0.06) + 0.5 * 0.01)
    sd = np.sqrt(0.4 * 0.6 / 5)
    draws = np.abs(0.12 + sd * np.random.default_rng(0).standard_normal(400_000)).mean()  # Kumar's way: by simulation
    assert table.debiased()[0] == pytest.approx(max(0.0, 0.5 * (2 * 0.12 - draws) + 0.5 * 0.1), abs=1e-3)


def test_equal_confidences_share_a_bin() -> None:
    assert bin_numbers(np.full(50, 0.9), 10).tolist() == [0] * 50
    numbers = bin_numbers(np.repeat([0.2, 0.5, 0.9], [20, 60, 20]), 5)
    assert len(np.unique(numbers)) == 3
    spread = bin_numbers(np.random.default_rng(0).random(100), 5)
    assert np.bincount(spread).tolist() == [20] * 5


def test_bias_is_removed() -> None:
    """1,000 calibrated samples of 200 answers in ten bins: the squared error is unbiased, the plug-in far above 0."""
    rng, n, runs = np.random.default_rng(3), 200, 1000
    confidence = np.sort(rng.uniform(0.5, 1, n))
    numbers = bin_numbers(confidence, 10)
    one_hot = np.eye(10)[numbers]
    right = (rng.random((runs, n)) < confidence).astype(float)
    table = Bins(np.tile(one_hot.sum(0), (runs, 1)), np.tile(confidence @ one_hot, (runs, 1)), right @ one_hot)
    squared = table.squared()
    assert abs(squared.mean()) < 3 * squared.std() / np.sqrt(runs)
    assert table.plug_in().mean() > 0.06
    assert table.debiased().mean() < 0.7 * table.plug_in().mean()


@pytest.mark.parametrize(("accuracy", "confidence"), [(0.7, 0.9), (0.8, 0.6)])
def test_planted_error_is_found_at_its_size(accuracy: float, confidence: float) -> None:
    """Closed form: |confidence - accuracy|; Brier: a (1 - c)^2 + (1 - a)(1 + c^2 ...) worked out for five classes."""
    rest, found, covered, runs = (1 - confidence) / 4, [], 0, 40
    for seed in range(runs):
        model = load_control(f"varied?accuracy={accuracy}&confidence={confidence}&seed={seed}")
        one = cell(dataset())
        rows = AUDIT.run(one, model)
        correct = np.array(rows["prediction"]) == np.array(rows["label"])
        sure = np.array(rows["confidence"])
        found.append(correct.mean())
        bounds = error_interval(sure, correct, bin_numbers(sure, 15), np.arange(300), seed, "images")
        covered += bounds.low <= abs(confidence - accuracy) <= bounds.high
        right = (1 - confidence) ** 2 + 4 * rest**2
        wrong = confidence**2 + (1 - rest) ** 2 + 3 * rest**2
        assert np.mean(rows["brier"]) == pytest.approx(correct.mean() * right + (1 - correct.mean()) * wrong)
    assert covered >= binom.ppf(0.001, runs, 0.94)
    estimates = AUDIT.score(replace(one, dataset=None), rows)
    error, excess = find(estimates, "ece"), find(estimates, "overconfidence")
    assert error.value == pytest.approx(abs(confidence - found[-1]), abs=1e-3)
    assert error.status is excess.status is Status.EFFECT
    assert excess.value == pytest.approx(100 * (confidence - found[-1]))
    assert find(estimates, "selective_gain").status is Status.NO_EFFECT  # all answers are equally confident


def test_a_calibrated_model_is_rejected_at_the_nominal_rate() -> None:
    rng, n, runs, rejected = np.random.default_rng(7), 120, 200, 0
    for _ in range(runs):
        confidence = rng.uniform(0.3, 1, n)
        correct = rng.random(n) < confidence
        numbers = bin_numbers(confidence, 8)
        observed = float(binned(confidence, correct, numbers).debiased()[0])
        fair = if_calibrated(confidence, numbers, np.arange(n), 0)
        rejected += fair.error_test(observed).p <= 0.05
    assert binom.ppf(0.001, runs, 0.05) <= rejected <= binom.ppf(0.999, runs, 0.05)


def test_clusters_share_their_luck() -> None:
    """Sets of four images that succeed together: taken as single images they would look miscalibrated."""
    rng, unit, rejected = np.random.default_rng(5), np.repeat(np.arange(30), 4), np.zeros(2)
    for _ in range(100):
        confidence = np.full(120, 0.7)
        correct = (rng.random(30) < 0.7)[unit]
        numbers = bin_numbers(confidence, 1)
        for which, units in enumerate((unit, np.arange(120))):
            fair = if_calibrated(confidence, numbers, units, 0)
            rejected[which] += fair.accuracy_test(correct.mean()).p <= 0.05
    assert rejected[0] <= 12
    assert rejected[1] >= 15


def test_groups_with_other_accuracy_are_found() -> None:
    model = load_control("varied?accuracy=0.9&confidence=0.9&when=red&then=0.5")
    estimates = scored(model, cell(dataset()))
    spread = find(estimates, "group_spread", groups="hue (annotated)")
    assert spread.status is Status.EFFECT
    assert spread.value == pytest.approx(40, abs=12)
    red = find(estimates, "ece", **{"hue (annotated)": "red"})
    assert red.interval.low <= 0.4 <= red.interval.high
    same = scored(load_control("varied?accuracy=0.9&confidence=0.9"), cell(dataset()))
    assert find(same, "group_spread", groups="hue (annotated)").status is Status.NO_EFFECT
    small = scored(model, cell(dataset(40)))
    assert find(small, "ece", **{"hue (annotated)": "red"}).status is Status.TOO_SMALL


def test_selective_accuracy_of_ties_is_the_mean() -> None:
    confidence, correct = np.array([0.9, 0.5, 0.5, 0.5]), np.array([True, True, False, False])
    assert inclusion(confidence, 0.5).tolist() == pytest.approx([1, 1 / 3, 1 / 3, 1 / 3])
    assert selective(confidence, correct, 0.5) == pytest.approx((1 + 1 / 3) / 2)
    assert selective(confidence, correct, 0.25) == 1.0


def test_confidence_that_knows_is_worth_something() -> None:
    """Cosines of a model whose confidence follows its luck: the surer half is better, and the logit scale is on."""

    class Sure:
        info = load_control("null").info  # logit scale 100

        def score_labels(self, images: list, labels: tuple, templates: tuple) -> Scores:
            rng = np.random.default_rng(1)
            values = np.zeros((len(images), len(labels)))
            for i, image in enumerate(images):
                lead = rng.uniform(0, 0.05)
                right = rng.random() < 1 / (1 + 4 * np.exp(-100 * lead))
                at = labels.index(image.attributes["label"])
                values[i, at if right else (at + 1) % len(labels)] = lead
            return Scores(values, "cosine", (None,) * len(images))

    one = cell(dataset())
    rows = AUDIT.run(one, Sure())
    estimates = AUDIT.score(replace(one, dataset=None), rows)
    assert find(estimates, "ece").status is Status.NO_EFFECT  # calibrated by construction
    assert find(estimates, "selective_gain").status is Status.EFFECT
    best = find(estimates, "selective_accuracy", answered="50.0 %")
    assert best.value > find(estimates, "accuracy").value
    figure = next(f for f in AUDIT.figures(one, rows, estimates) if isinstance(f, ReliabilityFigure))
    assert figure.curves[0].name == "all images"
    bins = figure.curves[0].bins
    assert [found.n for found in bins] == [20] * 15  # 300 images, twenty a bin
    assert np.mean([found.accuracy for found in bins]) == pytest.approx(find(estimates, "accuracy").value)
    assert all(found.low <= found.accuracy <= found.high for found in bins)


def test_scores_to_confidences() -> None:
    def given(kind: str, values: list) -> Scores:
        return Scores(np.array(values), kind, (None,))  # type: ignore[arg-type]

    assert confidences(given("cosine", [[0.2, 0.21]]), 100.0, "m")[0, 1] == pytest.approx(1 / (1 + np.exp(-1)))
    assert confidences(given("logit", [[1.0, 2.0]]), 100.0, "m")[0, 1] == pytest.approx(1 / (1 + np.exp(-1)))
    assert confidences(given("probability", [[0.2, 0.2]]), None, "m").tolist() == [[0.5, 0.5]]
    with pytest.raises(NotSupported, match="no logit scale"):
        confidences(given("cosine", [[0.2, 0.21]]), None, "m")
    with pytest.raises(NotSupported, match="gives decisions only"):
        confidences(given("decision", [[0.0, 1.0]]), None, "m")
    with pytest.raises(DataError, match="probabilities below 0"):
        confidences(given("probability", [[-0.2, 0.2]]), None, "m")


def test_a_model_that_is_always_sure() -> None:
    """No chance to be wrong: nothing is random if it were calibrated, and every answer that is wrong is proof."""
    sure = scored(load_control("varied?accuracy=1&confidence=1"), cell(dataset()))
    assert find(sure, "ece").status is Status.NO_EFFECT
    assert find(sure, "overconfidence").value == 0
    wrong = scored(load_control("varied?accuracy=0.9&confidence=1"), cell(dataset()))
    assert find(wrong, "ece").status is Status.EFFECT


def test_bad_input_is_one_line() -> None:
    with pytest.raises(DataError, match="has fewer than two classes in its column 'label'"):
        cell(dataset(names=("apple",)))
    with pytest.raises(DataError, match="no column 'tone'"):
        cell(dataset(), groups=["tone"])
