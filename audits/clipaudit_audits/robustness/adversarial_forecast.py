"""How long a cell will take: a pilot on a few images tells how many will stand at each radius, and a pass's time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch

from clipaudit.contract import Cell
from clipaudit_audits.choosing import spread
from clipaudit_audits.robustness.adversarial_params import AdversarialParams
from clipaudit_audits.robustness.adversarial_subjects import CHUNK, draw, readable_pixels, victim_of
from clipaudit_audits.robustness.attacks.balls import Norm, ball
from clipaudit_audits.robustness.attacks.goals import Margin

if TYPE_CHECKING:
    from clipaudit.models.protocol import Model
    from clipaudit_audits.robustness.attacks.victim import Victim

PILOT = 16
HIT = 3  # passes until a typical image is broken
FORWARD = 0.4  # cost of a pass without gradients, in passes with


def foresee(cell: Cell, model: Model, texts: Sequence[str]) -> float:
    """Seconds for the attacks and checks of one cell."""
    params: AdversarialParams = cell.params
    sample = draw(cell.require_dataset(), params, cell.seed)
    some = [sample.images[i] for i in spread(sample.labels, PILOT, cell.seed)]
    victim = victim_of(model, sample.classes, params, texts)
    pixels = readable_pixels(victim.encoder, some)
    if not pixels:
        return 0.0
    stack = torch.stack(pixels)
    labels = torch.tensor([sample.classes.index(image.attributes["label"]) for image in some[: len(stack)]])
    seconds = victim.seconds_per_pass(stack)
    right = float((victim.scores(stack).argmax(dim=1) == labels).float().mean())
    n = len(sample.images)
    part = params.parts[0]
    if part in ("linf", "l2"):
        norm: Norm = "linf" if part == "linf" else "l2"
        return seconds * n * right * _white(params, victim, stack, norm)
    if part == "universal":
        return seconds * n * right * (0.5 * params.universal_rounds + FORWARD)
    if part == "transfer":
        return seconds * n * right * (params.steps + 4 * FORWARD)
    return seconds * n * 2 * HIT * len(params.eps_linf)


def _white(params: AdversarialParams, victim: Victim, pixels: torch.Tensor, norm: Norm) -> float:
    """Passes per image that the model gets right: attacks at all radii, and the checks on the first of them."""
    full = params.steps * (
        params.restarts * ("apgd-ce" in params.attacks)
        + min(params.targets, victim.classes - 1) * (("apgd-t" in params.attacks) + ("fab-t" in params.attacks))
    )
    full_queries = FORWARD * params.queries * ("square" in params.attacks)
    distances = _distances(victim, pixels, norm)
    total, before = 0.0, 1.0
    radii = params.eps(norm)
    for eps in radii:
        standing = float((distances > eps).float().mean())
        total += standing * (full + full_queries) + (before - standing) * HIT + FORWARD
        before = standing
    standing = float((distances > radii[0]).float().mean())
    checks = 1.25 * (standing * params.steps + HIT) + HIT + FORWARD * params.queries + 1
    return total + checks * min(1.0, 2 * CHUNK / params.images)


def _distances(victim: Victim, pixels: torch.Tensor, norm: Norm) -> torch.Tensor:
    """(n,) distance to the nearest other class, as the gradient sees it: margin over the gradient's dual norm."""
    first = victim.scores(pixels).argmax(dim=1)
    _, margin, gradient = victim.gradients(pixels, Margin(first), torch.arange(len(pixels)))
    steepness = gradient.flatten(1).abs().sum(dim=1) if norm == "linf" else ball("l2", 1.0).size(gradient)
    return -margin / steepness.clamp_min(1e-12)
