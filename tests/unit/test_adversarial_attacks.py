"""Attacks against a linear network, whose exact robust accuracy is known, and against their own promises."""

from __future__ import annotations

import logging

import linear_victim as linear
import numpy as np
import pytest
import torch
from clipaudit_audits.robustness.attacks.apgd import _checkpoints, _leading, apgd
from clipaudit_audits.robustness.attacks.balls import ball
from clipaudit_audits.robustness.attacks.ensemble import ATTACKS, Budget, attack, best_wrong
from clipaudit_audits.robustness.attacks.goals import Chosen, CrossEntropy, Margin, TargetedDLR
from clipaudit_audits.robustness.attacks.memory import Pieces
from clipaudit_audits.robustness.attacks.square import patch_side
from clipaudit_audits.robustness.attacks.universal import universal
from clipaudit_audits.robustness.attacks.victim import Victim
from hypothesis import given, settings
from hypothesis import strategies as st

from clipaudit.errors import ModelError

NORMS = ("linf", "l2")
TOLERANCE = 0.02  # relative to the exact distance


@pytest.mark.parametrize("norm", NORMS)
def test_robust_accuracy_is_the_exact_one(norm: str) -> None:
    some = linear.subjects(60)
    exact = linear.exact_distances(some.pixels, some.labels, norm)
    assert len(some) > 40
    for share in (0.2, 0.5, 0.8):
        eps = float(np.quantile(exact, share))
        found = attack(linear.victim(), some, ball(norm, eps), Budget(("apgd-ce", "apgd-t"), steps=40, targets=4))
        broken = found.reached.numpy()
        assert not broken[exact > eps * 1.0001].any(), "an example cannot be nearer than the nearest other class"
        assert broken[exact < eps * (1 - TOLERANCE)].all()


@pytest.mark.parametrize("norm", NORMS)
def test_fab_finds_the_boundary_of_a_linear_network_at_once(norm: str) -> None:
    some = linear.subjects(30)
    exact = linear.exact_distances(some.pixels, some.labels, norm)
    eps = float(np.median(exact))
    found = ATTACKS["fab-t"](linear.victim(), some, ball(norm, eps), Budget(steps=20, targets=4))
    assert found.reached.numpy()[exact < eps * (1 - TOLERANCE)].all()
    assert not found.reached.numpy()[exact > eps * 1.0001].any()


@pytest.mark.parametrize("norm", NORMS)
def test_square_breaks_some_and_never_what_cannot_be_broken(norm: str) -> None:
    some = linear.subjects(30)
    exact = linear.exact_distances(some.pixels, some.labels, norm)
    eps = float(np.quantile(exact, 0.7)) * 2
    found = ATTACKS["square"](linear.victim(), some, ball(norm, eps), Budget(queries=300))
    broken = found.reached.numpy()
    assert not broken[exact > eps].any()
    assert broken.mean() > 0.3
    assert found.steps.max() <= 300


@pytest.mark.parametrize("name", list(ATTACKS))
@pytest.mark.parametrize("norm", NORMS)
@settings(max_examples=6, deadline=None)
@given(eps=st.floats(1e-4, 0.7), seed=st.integers(0, 1000))
def test_nothing_leaves_the_ball_or_the_range_of_pixels(name: str, norm: str, eps: float, seed: int) -> None:
    some = linear.subjects(6, seed=1)
    edge = (some.pixels - 0.5).sign() * 0.5 + 0.5  # pixels at 0 and 1, where the range binds
    seeds = tuple(seed + i for i in range(len(some)))
    for pixels in (some.pixels, edge):
        cornered = type(some)(pixels, some.labels, some.scores, seeds)
        found = ATTACKS[name](linear.victim(), cornered, ball(norm, eps), Budget(steps=4, targets=2, queries=6))
        assert found.pixels.dtype == torch.float32
        assert found.pixels.min() >= 0
        assert found.pixels.max() <= 1
        change = (found.pixels.double() - pixels.double()).flatten(1)
        size = change.abs().amax(dim=1) if norm == "linf" else change.norm(dim=1)
        assert (size <= eps * (1 + 1e-9)).all()


@pytest.mark.parametrize("norm", NORMS)
def test_a_ball_without_radius_moves_nothing(norm: str) -> None:
    some = linear.subjects(10)
    found = attack(linear.victim(), some, ball(norm, 0.0), Budget(steps=3, targets=2, queries=3))
    assert not found.reached.any()
    assert torch.equal(found.pixels, some.pixels)


def test_what_is_found_is_an_example_and_is_named() -> None:
    some, model = linear.subjects(30), linear.victim()
    found = attack(model, some, ball("linf", 0.05), Budget(steps=10, targets=2, queries=5))
    taken = model.scores(found.pixels).argmax(dim=1)
    assert found.reached.any()
    assert torch.equal(taken[found.reached], found.taken[found.reached])
    assert (found.taken[found.reached] != some.labels[found.reached]).all()
    assert (found.taken[~found.reached] == -1).all()
    assert ((found.by >= 0) == found.reached).all()


def test_the_result_for_an_image_depends_neither_on_the_others_nor_on_the_batch() -> None:
    some, budget = linear.subjects(20), Budget(steps=10, targets=3, queries=10)
    eps = float(np.median(linear.exact_distances(some.pixels, some.labels, "linf")))
    whole = attack(linear.victim(), some, ball("linf", eps), budget)
    rows = torch.arange(0, len(some), 3)
    part = attack(linear.victim(batch=2), some.only(rows), ball("linf", eps), budget)
    assert torch.equal(part.reached, whole.reached[rows])


def test_broken_images_cost_no_further_passes() -> None:
    some, model = linear.subjects(20), linear.victim()
    found = attack(model, some, ball("linf", 0.4), Budget(steps=100, targets=4, queries=100))
    assert found.reached.all()
    assert model.forwards <= 5 * len(some)


def test_passes_are_counted_as_spent() -> None:
    some, model = linear.subjects(10), linear.victim()
    start = ball("linf", 1e-6).start(some.pixels, some.drawn("x"))
    found = apgd(model, CrossEntropy(some.labels), some.pixels, start, ball("linf", 1e-6), 7)
    assert found.steps.tolist() == [8] * len(some)
    assert model.forwards == 8 * len(some)
    assert model.backwards == 7 * len(some)  # the last look needs no gradient


def test_steps_are_checked_where_the_paper_says() -> None:
    # Croce & Hein 2020, section 3.1: p0 = 0, p1 = .22, p(j+1) = p(j) + max(p(j) - p(j-1) - .03, .06), here of 100 steps
    assert list(_checkpoints(100)) == [22, 41, 57, 70, 80, 87, 93, 99]


def test_the_attempts_nearest_to_success_go_on() -> None:
    loss, owners = torch.tensor([0.1, 0.5, 0.3, 0.2, 0.2, 0.2, 9.0]), torch.tensor([0, 0, 0, 4, 4, 4, 2])
    assert _leading(loss, owners, 2).tolist() == [False, True, True, True, True, False, True]


@pytest.mark.parametrize("prune", [True, False])
def test_targets_without_hope_cost_a_fifth_of_the_steps(prune: bool) -> None:
    some, model = linear.subjects(6), linear.victim()
    found = ATTACKS["apgd-t"](model, some, ball("linf", 1e-5), Budget(steps=50, targets=4, prune=prune))
    assert not found.reached.any()
    each = 2 * 51 + 2 * 12 if prune else 4 * 51  # the first checkpoint is after 11 steps, the look there counts
    assert found.steps.tolist() == [each] * len(some)


def test_pruning_loses_nothing_on_the_linear_network() -> None:
    some = linear.subjects(30)
    eps = 1.03 * float(np.median(linear.exact_distances(some.pixels, some.labels, "linf")))
    some = some.only(torch.from_numpy(linear.exact_distances(some.pixels, some.labels, "linf") > eps / 2))
    both = [
        ATTACKS["apgd-t"](linear.victim(), some, ball("linf", eps), Budget(steps=40, targets=4, prune=prune)).reached
        for prune in (True, False)
    ]
    assert torch.equal(*both)
    assert 0 < both[0].sum() < len(some)


def test_dlr_ignores_the_scale_and_cross_entropy_does_not() -> None:
    logits = torch.tensor([[3.0, 1.0, 0.5, 0.2, -1.0]])
    rows, label = torch.tensor([0]), torch.tensor([0])
    dlr, entropy = TargetedDLR(label, torch.tensor([1])), CrossEntropy(label)
    assert float(dlr.loss(logits, rows)) == pytest.approx((1.0 - 3.0) / (3.0 - (0.5 + 0.2) / 2))
    assert float(dlr.loss(7 * logits, rows)) == pytest.approx(float(dlr.loss(logits, rows)))
    assert float(entropy.loss(7 * logits, rows)) != pytest.approx(float(entropy.loss(logits, rows)))


@pytest.mark.parametrize("classes", [2, 3])
def test_dlr_with_few_classes(classes: int) -> None:
    logits = torch.tensor([[3.0, 1.0, 0.5]])[:, :classes]
    goal = TargetedDLR(torch.tensor([0]), torch.tensor([1]))
    expected = (1.0 - 3.0) / (3.0 - (1.0 if classes == 2 else 0.5))
    assert float(goal.loss(logits, torch.tensor([0]))) == pytest.approx(expected)


def test_goals_are_reached_by_the_right_class() -> None:
    logits, rows = torch.tensor([[1.0, 2.0, 0.0], [0.0, 1.0, 3.0]]), torch.arange(2)
    assert Margin(torch.tensor([0, 2])).reached(logits, rows).tolist() == [True, False]
    assert Margin(torch.tensor([0, 2])).loss(logits, rows).tolist() == [1.0, -2.0]
    assert Chosen(torch.tensor([1, 1])).reached(logits, rows).tolist() == [True, False]


def test_targets_are_the_best_wrong_classes() -> None:
    some = linear.subjects(10)
    targets = best_wrong(some, 2)
    for label, scores, wanted in zip(some.labels, some.scores, targets, strict=True):
        order = [c for c in scores.argsort(descending=True).tolist() if c != label]
        assert wanted.tolist() == order[:2]


def test_patches_shrink() -> None:
    sides = [patch_side(query, 1000, 64) for query in range(0, 1000, 50)]
    assert sides == sorted(sides, reverse=True)
    assert sides[0] == int(0.8**0.5 * 64)


def test_one_change_for_all_beats_noise_on_images_it_was_not_made_on() -> None:
    some = linear.subjects(80)
    one_class = some.only(torch.nonzero(some.labels == 0)[:, 0])
    eps = 2.0 * float(np.median(linear.exact_distances(one_class.pixels, one_class.labels, "linf")))
    made_on, shown = one_class.only(torch.arange(0, 8)), one_class.only(torch.arange(8, len(one_class)))
    change = universal(linear.victim(), made_on.pixels, made_on.labels, eps, rounds=10, seed=0)
    assert change.abs().max() <= eps

    def broken(added: torch.Tensor) -> float:
        taken = linear.victim().scores((shown.pixels + added).clamp(0, 1)).argmax(dim=1)
        return float((taken != shown.labels).float().mean())

    noise = eps * torch.randn(change.shape, generator=torch.Generator().manual_seed(0)).sign()
    assert broken(change) > 0.8
    assert broken(noise) < 0.2


class Forgetful:
    """The linear network, on a machine where no more than four images fit."""

    def __init__(self) -> None:
        self.inner = linear.load_encoder(linear.SPEC)
        self.device, self.info = self.inner.device, self.inner.info

    def encode_pixels(self, pixels: torch.Tensor) -> torch.Tensor:
        if len(pixels) > 4:
            raise RuntimeError("CUDA out of memory. Tried to allocate 2 GiB")
        return self.inner.encode_pixels(pixels)


def test_out_of_memory_halves_the_batch_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    some, budget = linear.subjects(20), Budget(steps=5, targets=2, queries=5)
    cramped = Victim(Forgetful(), linear.class_weights(), batch=16)
    with caplog.at_level(logging.WARNING):
        found = attack(cramped, some, ball("linf", 0.02), budget)
    assert cramped.batch == 4
    assert cramped.halvings == 2
    assert "out of memory: going on with attack batches of 4" in caplog.text
    assert torch.equal(found.reached, attack(linear.victim(), some, ball("linf", 0.02), budget).reached)


def test_not_even_one_image_fits() -> None:
    def work(rows: torch.Tensor) -> int:
        raise MemoryError

    with pytest.raises(ModelError, match="single image"):
        Pieces(8).map(work, 8)


def test_other_failures_are_not_mistaken_for_a_lack_of_memory() -> None:
    def work(rows: torch.Tensor) -> int:
        raise RuntimeError("shapes do not match")

    with pytest.raises(RuntimeError, match="shapes"):
        Pieces(8).map(work, 8)


class Stubborn:
    """A float32 twin that keeps the first class, whatever it sees."""

    def encode_pixels(self, pixels: torch.Tensor) -> torch.Tensor:
        return linear.class_weights()[0].expand(len(pixels), -1)


def test_an_example_counts_only_if_float32_agrees() -> None:
    some = linear.subjects(20)
    first = torch.nonzero(some.labels == 0)[:, 0]
    doubted = Victim(linear.load_encoder(linear.SPEC), linear.class_weights(), exact=Stubborn())
    found = attack(doubted, some, ball("linf", 0.2), Budget(steps=3, targets=2, queries=3))
    assert not found.reached[first].any()
    others = some.labels != 0
    assert found.reached[others].all()
