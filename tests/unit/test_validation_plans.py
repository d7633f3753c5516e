"""What the validation plans plant: truths against closed forms worked out otherwise, and against the models."""

from __future__ import annotations

from dataclasses import replace
from math import comb

import numpy as np
import pytest
from clipaudit_audits.meaning import composition_planted as captions
from clipaudit_audits.meaning import cue_conflict_validation, error_consistency_validation
from clipaudit_audits.meaning.error_consistency_measures import kappa
from clipaudit_audits.robustness import (
    adversarial_validation,
    calibration_validation,
    text_attacks_validation,
    typographic_validation,
)
from clipaudit_audits.robustness.calibration_measures import error_interval
from clipaudit_audits.robustness.prompts_groups import ends

from clipaudit.contract import PlanContext
from clipaudit.models.control import load_control
from clipaudit.models.control_bordered import LABELS
from clipaudit.models.load import load_encoder
from clipaudit.plugins import load_audit
from clipaudit.validation.plan import Validation, items

AUDITS = (
    "adversarial", "attention_shift", "calibration", "composition", "composition_matching", "corruptions",
    "cue_conflict", "error_consistency", "manipulations", "modality_gap", "prompts", "similarity", "text_attacks",
    "typographic", "word_order", "zero_shot",
)  # fmt: skip
QUICK = sorted({*AUDITS} - {"adversarial", "attention_shift"})  # the others take a second each


def _shares(spec: str, dataset: object, labels: tuple[str, ...], target: str) -> float:
    """How often a control decides for the column `target`, over a hundred seeds."""
    images = dataset.images  # type: ignore[attr-defined]
    hits = []
    for seed in range(100):
        values = load_control(spec.replace("{seed}", str(seed))).score_labels(images, labels, ("{}",)).values
        hits += [labels[j] == image.attributes[target] for image, j in zip(images, values.argmax(axis=1), strict=True)]
    return float(np.mean(hits))


def _plans(name: str) -> list[Validation]:
    return list(load_audit(name).validation())


@pytest.mark.parametrize("name", AUDITS)
def test_plans_name_what_the_audit_measures(name: str) -> None:
    audit = load_audit(name)
    for plan in _plans(name):
        audit.spec.metric(plan.metric)
        audit.spec.params.model_validate(dict(plan.params))
        assert 3 <= len(plan.levels) <= 6
        assert all(isinstance(level.model, str) and "{seed}" in level.model for level in plan.levels)
        if plan.null:
            known = audit.spec.metric(plan.metric).null_value
            assert known is None or plan.levels[0].truth == pytest.approx(known)


@pytest.mark.parametrize("name", QUICK)
def test_every_plan_finds_its_estimate(name: str) -> None:
    """One run at the largest effect; the estimate is there, and no farther from the truth than luck may bring it."""
    audit = load_audit(name)
    for plan in _plans(name):
        level = plan.levels[-1]
        params = audit.spec.params.model_validate(dict(plan.params))
        (cell,) = audit.plan(PlanContext(params, 5, plan.data()))
        rows = audit.run(cell, load_control(str(level.model).replace("{seed}", "5")))
        found = audit.score(replace(cell, dataset=None), rows)
        one = next(e for e in found if e.metric == plan.metric and {*plan.values} <= {*e.subgroup.values()})
        assert one.value is not None
        if level.truth is not None:
            scale = {"points": 100.0}.get(one.unit, 1.0)
            assert one.value == pytest.approx(level.truth, abs=0.2 * scale)


def test_a_reader_takes_the_word_as_often_as_is_said() -> None:
    spec = typographic_validation.plans()[3].levels[2]
    shown = typographic_validation.photographed()
    assert spec.truth == typographic_validation.written(0.2)
    share = _shares(str(spec.model), shown, typographic_validation.LABELS, "written")
    assert share == pytest.approx(spec.truth, abs=4 * np.sqrt(0.2 * 0.8 / 10_000))


def test_a_shape_follower_has_the_shape_bias_that_is_said() -> None:
    level = cue_conflict_validation.plans()[0].levels[2]
    shown, labels = cue_conflict_validation.conflicts(), cue_conflict_validation.CLASSES
    shape, texture = (_shares(str(level.model), shown, labels, name) for name in ("shape", "texture"))
    assert shape / (shape + texture) == pytest.approx(level.truth, abs=4 * np.sqrt(0.25 / 9000))


def test_an_echo_agrees_beyond_chance_as_often_as_it_repeats() -> None:
    shown = error_consistency_validation.trials()
    person = np.array([image.attributes["answer"] == image.attributes["label"] for image in shown.images], float)
    assert person.mean() == 0.6
    values = []
    for seed in range(100):
        model = load_control(f"echo?q=0.4&alone=0.6&seed={seed}")
        chosen = model.score_labels(shown.images, error_consistency_validation.LABELS, ("{}",)).values.argmax(axis=1)
        own = [error_consistency_validation.LABELS[j] for j in chosen]
        right = [name == image.attributes["label"] for name, image in zip(own, shown.images, strict=True)]
        values.append(kappa(np.array(right, float), person))
    assert np.mean(values) == pytest.approx(0.4, abs=4 * np.std(values) / 10)


@pytest.mark.parametrize("lead", [0.0, 0.6, 2.0])
def test_leads_win_as_often_as_draws_say(lead: float) -> None:
    drawn = np.random.default_rng(0).standard_normal((200_000, 5))
    drawn[:, :1] += lead
    assert captions.beats(lead) == pytest.approx((drawn[:, 0] > drawn[:, 1]).mean(), abs=0.005)
    assert captions.beats_all(lead, 4) == pytest.approx((drawn[:, 0] > drawn[:, 1:].max(axis=1)).mean(), abs=0.005)
    drawn[:, 1] += lead
    both = drawn[:, :2].min(axis=1) > drawn[:, 2:4].max(axis=1)
    assert captions.matches_both(lead) == pytest.approx(both.mean(), abs=0.005)
    assert (captions.beats(0), captions.beats_all(0, 4), captions.matches_both(0)) == pytest.approx((0.5, 0.2, 1 / 6))


def test_the_captions_control_has_its_lead() -> None:
    shown = items([{"caption": f"caption {i}"} for i in range(400)])
    model = load_control("captions?lead=1&seed=3")
    cosines = (
        model.embed_images(shown.images).vectors @ model.embed_texts([f"caption {i}" for i in range(400)]).vectors.T
    )
    others = cosines[~np.eye(400, dtype=bool)]
    assert np.diag(cosines).mean() / others.std() == pytest.approx(1, abs=0.2)
    assert (np.diag(cosines) > others.reshape(400, 399)[:, 0]).mean() == pytest.approx(captions.beats(1), abs=0.09)


def test_confidence_gains_what_uniform_order_statistics_say() -> None:
    """By the beta distribution of each order statistic, n = 4: the mean of 3/5 and 4/5 less 1/2, over a width of .4."""
    assert calibration_validation.gain(1.0, 4) == pytest.approx(100 * 0.4 * ((3 / 5 + 4 / 5) / 2 - 0.5))
    model = load_control("graded?low=0.5&high=0.9&accuracy=0.6&slope=1")
    shown = items([{"label": "cup"}] * 4000)
    values = model.score_labels(shown.images, ("cup", "hat", "key"), ("{}",)).values
    assert values.sum(axis=1) == pytest.approx(1)
    assert values.max(axis=1).mean() == pytest.approx(0.7, abs=0.01)
    assert (values.argmax(axis=1) == 0).mean() == pytest.approx(0.6, abs=0.035)


def test_misspelt_texts_fail_for_the_share_that_is_said() -> None:
    shown = text_attacks_validation.pictures()
    model = load_control(text_attacks_validation.model(0.3).replace("{seed}", "1"))
    texts = ["a photo of a lemon.", "a photo of a elmon.", "a picture of a lemon."]
    lemons = [image for image in shown.images if image.attributes["label"] == "lemon"]
    plain, misspelt, reworded = model.score_labels(lemons, texts, ("{}",)).values.T
    assert set(plain) == {0.5}
    assert set(misspelt) == set(reworded) == {0.1, 0.5}
    assert text_attacks_validation.robust(0.3) == pytest.approx(0.7 * 0.8)


def test_the_bordered_network_is_as_far_from_the_border_as_it_says() -> None:
    """A change by the signs of its weights turns it exactly beyond the distance."""
    import torch

    encoder = load_encoder("control:bordered?accuracy=1&reach=0.03&seed=4")
    for image in adversarial_validation.pictures().images[:6]:
        pixels = encoder.preprocess(image.load())[None]
        away, own = encoder.distance(int(image.id)), LABELS.index(image.attributes["label"])  # type: ignore[attr-defined]
        worst = torch.zeros_like(pixels)
        worst[:, :, 1:] = (1 - 2 * (own == 0)) * encoder.signs.sign().reshape(1, 3, 15, 16)  # type: ignore[attr-defined]
        for share, stands in ((0.98, True), (1.02, False)):
            turned = encoder.encode_pixels(pixels + share * away * worst)[0, :2]
            assert bool(turned.argmax() == own) is stands


def test_a_covered_patch_takes_its_weight() -> None:
    shown = items([{"label": "cup"}, {"label": "cup", "covered": "1" + "0" * 15}])
    model = load_control("gazing?moved=0.5")
    whole, part = (replace_id(image) for image in shown.images)
    values = model.score_labels([whole, part], ["a cup", "a hat"], ("{}",)).values
    assert values[0] == pytest.approx(1)
    for j, text in enumerate(("a cup", "a hat")):
        assert values[0, j] - values[1, j] == pytest.approx(model.weights("one", "cup", text)[0])  # type: ignore[attr-defined]


def replace_id(image: object) -> object:
    return replace(image, id=f"one#{image.id}")  # type: ignore[type-var,attr-defined]


def test_bounds_of_the_calibration_error_by_hand() -> None:
    """One bin, 10 of 40 right at confidence .75: T = .5, far beyond its error, so that both ends are those of a mean."""
    confidence, correct = np.full(40, 0.75), np.arange(40) < 10
    found = error_interval(confidence, correct, np.zeros(40, np.int64), np.arange(40), 0, "images")
    resampled = [comb(40, k) * 0.25**k * 0.75 ** (40 - k) for k in range(41)]
    tail = np.cumsum(resampled)
    low, high = int(np.searchsorted(tail, 0.025)), int(np.searchsorted(tail, 0.975))
    assert found.low == pytest.approx(0.5 - (0.25 - low / 40), abs=0.026)
    assert found.high == pytest.approx(0.5 + (high / 40 - 0.25), abs=0.026)
    certain = error_interval(np.full(40, 0.5), np.arange(40) < 20, np.zeros(40, np.int64), np.arange(40), 0, "images")
    assert certain.low == 0


def test_groups_that_are_alike_are_still_two() -> None:
    assert ends(np.array([0.5, 0.5, 0.5])) == (0, 2)
