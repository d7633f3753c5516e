"""How long a cell will take: a pilot on a few images tells how many will stand at each radius, and a pass's time."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from clipaudit.contract import Cell
from clipaudit.errors import ImageError
from clipaudit_audits.choosing import spread
from clipaudit_audits.robustness.adversarial_params import AdversarialParams
from clipaudit_audits.robustness.adversarial_subjects import CHECKED, MADE_ON, draw, victim_of
from clipaudit_audits.robustness.adversarial_white import budget_of
from clipaudit_audits.robustness.attacks.balls import Norm, ball
from clipaudit_audits.robustness.attacks.goals import Chosen, Goal, Margin
from clipaudit_audits.robustness.attacks.victim import Victim

if TYPE_CHECKING:
    from clipaudit.models.protocol import Model

PILOT = 16
HIT = 3  # passes until a typical image is broken
CHECKPOINT = 0.22  # share of the steps of targeted APGD after which targets are dropped
FORWARD = 0.4  # cost of a pass without gradients, in passes with


def foresee(cell: Cell, model: Model, texts: Sequence[str]) -> float:
    """Seconds for the attacks and checks of one cell."""
    pilot = _Pilot.of(cell, model, texts)
    return 0.0 if pilot is None else pilot.passes() * pilot.victim.seconds_per_pass(pilot.pixels)


def foreseen_passes(cell: Cell, model: Model, texts: Sequence[str]) -> float:
    """Forward and backward passes for one cell; a forward pass alone counts as `FORWARD`."""
    pilot = _Pilot.of(cell, model, texts)
    return 0.0 if pilot is None else pilot.passes()


@dataclass(frozen=True)
class _Pilot:
    """A few images (m, 3, H, W) with their classes (m,); n is how many the cell has."""

    params: AdversarialParams
    victim: Victim
    pixels: torch.Tensor
    labels: torch.Tensor
    n: int

    @classmethod
    def of(cls, cell: Cell, model: Model, texts: Sequence[str]) -> _Pilot | None:
        sample = draw(cell.require_dataset(), cell.params, cell.seed)
        some = [sample.images[i] for i in spread(sample.labels, PILOT, cell.seed)]
        victim = victim_of(model, sample.classes, cell.params, texts)
        pixels, labels = [], []
        for image in some:
            with suppress(ImageError):
                pixels.append(victim.encoder.preprocess(image.load()).float().cpu())
                labels.append(sample.classes.index(image.attributes["label"]))
        if not pixels:
            return None
        return cls(cell.params, victim, torch.stack(pixels), torch.tensor(labels), len(sample.images))

    def passes(self) -> float:
        params, part = self.params, self.params.parts[0]
        right = float((self.victim.scores(self.pixels).argmax(dim=1) == self.labels).float().mean())
        if part == "targeted":
            return self.n * (self._towards() + 2 * FORWARD * (1 + len(params.eps("linf"))))
        if part in ("universal", "patch"):
            hit = self.n * right
            return min(hit, 2 * MADE_ON) * params.rounds + 2 * FORWARD * hit
        if part == "transfer":
            return self.n * right * (params.steps + 5 * FORWARD)
        norm: Norm = "linf" if part == "linf" else "l2"
        return self.n * (FORWARD + right * self._white(norm))

    def _white(self, norm: Norm) -> float:
        """Per image that the model gets right: attacks and noise at all radii, and the checks on the first images."""
        params, radii = self.params, self.params.eps(norm)
        goal = Margin(self.victim.scores(self.pixels).argmax(dim=1))
        standing = self._standing(goal, norm, radii)
        targets = min(params.targets, self.victim.classes - 1)
        tries = {"apgd-ce": params.restarts, "apgd-t": targets, "fab-t": targets, "square": 0}
        full: float = params.steps * sum(tries[name] for name in params.attacks)
        dropped = targets - budget_of(params).kept(targets)
        full -= dropped * (1 - CHECKPOINT) * params.steps * ("apgd-t" in params.attacks)
        full += FORWARD * params.queries * ("square" in params.attacks)
        attacks = _spent(standing, full) + FORWARD * len(radii)
        again = 1.25 * (standing[0] * params.steps + HIT)
        square = FORWARD * params.queries * (1 + standing[-1]) / 2  # half of what can be broken is, on the way
        checks = again + HIT + square + 1 + FORWARD
        return attacks + checks * min(1.0, CHECKED / self.n)

    def _towards(self) -> float:
        """Per image: until the chosen text comes first, at all radii."""
        texts = len(self.params.wanted)
        goal = Chosen(self.victim.classes - texts + torch.arange(len(self.pixels)) % texts)
        standing = self._standing(goal, "linf", self.params.eps("linf"))
        return _spent(standing, self.params.steps)

    def _standing(self, goal: Goal, norm: Norm, radii: Sequence[float]) -> list[float]:
        """Share of the pilot's images that no point of each radius breaks, as far as the gradient sees.

        The distance is minus the loss over the gradient's dual norm, which is exact for a linear network.
        """
        _, loss, gradient = self.victim.gradients(self.pixels, goal, torch.arange(len(self.pixels)))
        steepness = gradient.flatten(1).abs().sum(dim=1) if norm == "linf" else ball("l2", 1.0).size(gradient)
        distances = -loss / steepness.clamp_min(1e-12)
        return [float((distances > eps).float().mean()) for eps in radii]


def _spent(standing: Sequence[float], full: float) -> float:
    """Passes per image: `full` at every radius where it stands, a few where it falls."""
    before = (1.0, *standing)
    return sum(now * full + (was - now) * HIT for was, now in zip(before, standing, strict=False))
