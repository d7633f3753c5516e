"""The universal patch against a linear network with two classes, where the best patch is known, and its promises."""

from __future__ import annotations

import linear_victim as linear
import numpy as np
import pytest
import torch
from clipaudit_audits.robustness.attacks.patch import paste, patch, places, side_of
from clipaudit_audits.robustness.attacks.universal import universal
from clipaudit_audits.robustness.attacks.victim import Victim

SIDE, HEIGHT = 5, linear.SIDE
GREY = 0.5


def two_classes() -> tuple[Victim, torch.Tensor, torch.Tensor]:
    """The network between two classes, images (n, 3, H, W) of the first that it gets right, and the direction
    (3, H, W) in pixels towards the second: of x and y the one further along it is nearer to the second."""
    weights = linear.class_weights()[:2]
    victim = Victim(linear.load_encoder(linear.SPEC), weights, batch=16)
    pixels = linear.subjects(100).pixels
    some = pixels[victim.scores(pixels).argmax(dim=1) == 0]
    matrix = linear.load_encoder(linear.SPEC).matrix.double()
    return victim, some, ((weights[1] - weights[0]).double() @ matrix).view(3, HEIGHT, HEIGHT)


def lead(way: torch.Tensor, pixels: torch.Tensor) -> torch.Tensor:
    """(n,) above 0: taken for the second class. Exact, in float64."""
    return ((pixels.double() - GREY) * way).flatten(1).sum(dim=1)


def test_what_no_patch_could_break_stands_and_nearly_all_that_one_patch_can_falls() -> None:
    victim, some, way = two_classes()
    made_on, shown = some[::2], some[1::2]
    found = patch(victim, made_on, torch.zeros(len(made_on), dtype=torch.long), SIDE, rounds=20, seed=0)
    at = places(list(range(len(shown))), HEIGHT, HEIGHT, SIDE)
    broken = victim.scores(paste(shown, found, at)).argmax(dim=1) == 1
    here = torch.stack([way[:, t : t + SIDE, x : x + SIDE] for t, x in at.tolist()])
    assert not broken[lead(way, paste(shown, (here > 0).float(), at)) < 0].any(), "each with the best patch of its own"
    # The loss is linear in the patch, so that the best for all places is the sign of the mean over all places.
    every = way.unfold(1, SIDE, 1).unfold(2, SIDE, 1).mean(dim=(1, 2))
    best = lead(way, paste(shown, (every > 0).float(), at)) > 0
    assert int(best.sum()) >= 5
    assert int(broken.sum()) >= 0.8 * int(best.sum())
    random = torch.rand((len(shown), 3, SIDE, SIDE), generator=torch.Generator().manual_seed(1))
    assert int((lead(way, paste(shown, random, at)) > 0).sum()) < 0.5 * int(broken.sum())


def test_a_patch_covers_its_square_and_nothing_else() -> None:
    some = linear.subjects(8).pixels
    at = places(list(range(8)), HEIGHT, HEIGHT, SIDE)
    covered = paste(some, torch.full((3, SIDE, SIDE), 2.0), at)
    assert ((covered == 2.0).flatten(1).sum(dim=1) == 3 * SIDE * SIDE).all()
    assert torch.equal(covered[covered != 2.0], some[covered != 2.0])


def test_places_are_even_and_their_own() -> None:
    at = places(list(range(4000)), 8, 6, 3)
    assert at.amin(dim=0).tolist() == [0, 0]
    assert at.amax(dim=0).tolist() == [5, 3]
    assert np.bincount(at[:, 1].numpy()) == pytest.approx(np.full(4, 1000), abs=150)
    assert torch.equal(places([7, 9], 8, 6, 3)[1:], places([9], 8, 6, 3))


@pytest.mark.parametrize(("area", "side"), [(1.0, 224), (0.25, 112), (0.05, 50), (1e-9, 1)])
def test_area_of_the_image(area: float, side: int) -> None:
    assert side_of(area, 224, 224) == side


def test_the_same_seed_makes_the_same_patch() -> None:
    victim, some, _ = two_classes()
    labels = torch.zeros(len(some), dtype=torch.long)
    first, again, other = (patch(victim, some, labels, SIDE, rounds=2, seed=seed) for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    for found in (first, universal(victim, some, labels, 0.1, rounds=2, seed=0)):
        assert found.dtype == torch.float32
    assert first.min() >= 0
    assert first.max() <= 1
