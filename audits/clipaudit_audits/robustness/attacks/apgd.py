"""Auto-PGD: projected gradient ascent whose step halves where it stops paying. Croce & Hein 2020, algorithm 1."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import torch

from clipaudit_audits.robustness.attacks.balls import Ball, over
from clipaudit_audits.robustness.attacks.found import Found
from clipaudit_audits.robustness.attacks.goals import Goal
from clipaudit_audits.robustness.attacks.victim import Victim

MOMENTUM = 0.75  # alpha
ENOUGH = 0.75  # rho: share of steps that must raise the loss


def apgd(
    victim: Victim,
    goal: Goal,
    clean: torch.Tensor,
    start: torch.Tensor,
    ball: Ball,
    steps: int,
    owner: torch.Tensor | None = None,
    stop: bool = True,
    keep: int | None = None,
) -> Found:
    """Raise the goal's loss from `start` (n, 3, H, W) within the ball around `clean`, for `steps` steps.

    owner: (n,) rows with the same owner are attempts at one image: the first to succeed ends all.
    stop: False goes on after success, for the point of largest loss.
    keep: so many attempts at one image go on after the first checkpoint, those whose loss is largest; None: all.
    """
    found = Found.nothing(clean)
    owners = torch.arange(len(clean)) if owner is None else owner
    state = _State.at(clean, start, ball)
    checkpoints = _checkpoints(steps)
    for step in range(steps + 1):
        if not len(state.rows):
            break
        last = step == steps
        _look(victim, goal, state, found, last and stop)
        found.steps[state.rows] += 1
        if stop and bool(found.reached[state.rows].any()):
            done = torch.zeros(int(owners.max()) + 1, dtype=torch.bool)
            done[owners[found.reached]] = True
            state = state.keep(~done[owners[state.rows]])
        if last:
            break
        if step in checkpoints:
            state.adapt(step - checkpoints[step])
            if keep is not None and not checkpoints[step]:
                state = state.keep(_leading(state.best_loss, owners[state.rows], keep))
        state.move(ball, MOMENTUM if step else 1.0)
    if not stop:
        found.pixels[state.rows] = state.best
    return found


def _look(victim: Victim, goal: Goal, state: _State, found: Found, last: bool) -> None:
    """Evaluate the points, note successes; the last look needs no gradient."""
    if last:
        logits, loss, gradient = victim.scores(state.point), None, None
    else:
        logits, loss, gradient = victim.gradients(state.point, goal, state.rows)
    hit = victim.reached(logits, state.point, goal, state.rows)
    found.enter(state.rows[hit], state.point[hit], logits[hit])
    if loss is not None and gradient is not None:
        state.judge(loss, gradient)


def _leading(loss: torch.Tensor, owners: torch.Tensor, keep: int) -> torch.Tensor:
    """(m,) bool: among the `keep` rows of largest loss of its owner; of equal ones the first."""
    order = np.lexsort((-loss.numpy(), owners.numpy()))
    _, first, inverse = np.unique(owners.numpy()[order], return_index=True, return_inverse=True)
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order)) - first[inverse]
    return torch.from_numpy(rank < keep)


def _checkpoints(steps: int) -> dict[int, int]:
    """Checkpoint to the one before it: periods of 22 % of the steps, shrinking by 3 % down to 6 %."""
    found, last, period = {}, 0, max(int(0.22 * steps), 1)
    while last + period < steps:
        found[last + period] = last
        last, period = last + period, max(period - max(int(0.03 * steps), 1), max(int(0.06 * steps), 1))
    return found


@dataclass
class _State:
    """The images still under attack: m rows, all tensors led by m."""

    rows: torch.Tensor
    clean: torch.Tensor
    point: torch.Tensor
    previous: torch.Tensor
    gradient: torch.Tensor
    best: torch.Tensor
    best_gradient: torch.Tensor
    best_loss: torch.Tensor
    last_loss: torch.Tensor
    checked_loss: torch.Tensor  # best loss at the last checkpoint
    rises: torch.Tensor  # steps since then that raised the loss
    halved: torch.Tensor  # the step was halved then
    size: torch.Tensor

    @classmethod
    def at(cls, clean: torch.Tensor, start: torch.Tensor, ball: Ball) -> _State:
        n, nothing = len(clean), torch.full((len(clean),), float("-inf"), device=clean.device)
        return cls(
            torch.arange(n), clean, start, start, torch.zeros_like(clean), start.clone(), torch.zeros_like(clean),
            nothing, nothing.clone(), nothing.clone(), torch.full_like(nothing, -1),  # the first look counts as no rise
            torch.ones(n, dtype=torch.bool, device=clean.device), torch.full_like(nothing, 2 * ball.eps),
        )  # fmt: skip

    def keep(self, which: torch.Tensor) -> _State:
        if bool(which.all()):
            return self
        return _State(*(getattr(self, item.name)[which] for item in fields(self)))

    def judge(self, loss: torch.Tensor, gradient: torch.Tensor) -> None:
        """Take in the loss and gradient at the present point."""
        self.gradient = gradient
        self.rises += loss > self.last_loss
        self.last_loss = loss
        better = loss > self.best_loss
        self.best[better], self.best_gradient[better] = self.point[better], gradient[better]
        self.best_loss = torch.where(better, loss, self.best_loss)

    def adapt(self, period: int) -> None:
        """At a checkpoint: halve the step where too few steps rose, or the best loss stands still; go back there."""
        stuck = ~self.halved & (self.checked_loss >= self.best_loss)
        halve = (self.rises <= ENOUGH * period) | stuck
        self.size = torch.where(halve, self.size / 2, self.size)
        self.point = torch.where(over(halve, self.point), self.best, self.point)
        self.gradient = torch.where(over(halve, self.point), self.best_gradient, self.gradient)
        self.halved, self.checked_loss = halve, self.best_loss.clone()
        self.rises = torch.zeros_like(self.rises)

    def move(self, ball: Ball, momentum: float) -> None:
        """One step with momentum, both halves projected."""
        ahead = ball.project(self.clean, self.point + over(self.size, self.point) * ball.direction(self.gradient))
        mixed = self.point + momentum * (ahead - self.point) + (1 - momentum) * (self.point - self.previous)
        self.previous, self.point = self.point, ball.project(self.clean, mixed)
