"""FAB, targeted: the nearest example, by projecting onto the linearised boundary. Croce & Hein 2020b, algorithm 1."""

from __future__ import annotations

import torch

from clipaudit_audits.robustness.attacks.balls import Ball, over
from clipaudit_audits.robustness.attacks.found import Found
from clipaudit_audits.robustness.attacks.goals import Towards
from clipaudit_audits.robustness.attacks.victim import Victim

BIAS = 0.1  # alpha_max: how much the clean image's own projection counts at most
OVERSHOOT = 1.05  # eta
BACK = 0.9  # beta: after success, the next point lies this far from the clean image
NEWTON = 12  # steps of a projection, at most


def fab(
    victim: Victim, goal: Towards, clean: torch.Tensor, ball: Ball, steps: int, owner: torch.Tensor | None = None
) -> Found:
    """Walk along the boundary between label and target, and stop as soon as an example lies within the ball.

    owner: (n,) rows with the same owner are attempts at one image: the first to succeed ends all.
    """
    found = Found.nothing(clean)
    owners = torch.arange(len(clean)) if owner is None else owner
    rows, point = torch.arange(len(clean)), clean
    for _ in range(steps):
        if not len(rows):
            break
        logits, loss, gradient = victim.gradients(point, goal, rows)
        found.steps[rows] += 1
        base = clean[rows]
        wrong = victim.reached(logits, point, goal, rows)
        hit = wrong & (ball.size(point - base) <= ball.eps)
        found.enter(rows[hit], point[hit], logits[hit])
        point = torch.where(
            over(wrong, point), base + BACK * (point - base), _onwards(ball, base, point, loss, gradient)
        )
        done = torch.zeros(int(owners.max()) + 1, dtype=torch.bool)
        done[owners[found.reached]] = True
        left = ~done[owners[rows]]
        rows, point = rows[left], point[left]
    return found


def _onwards(
    ball: Ball, clean: torch.Tensor, point: torch.Tensor, loss: torch.Tensor, gradient: torch.Tensor
) -> torch.Tensor:
    """The next point: between the projections of the present and of the clean one, a little beyond the boundary."""
    offset = loss - (gradient * point).flatten(1).sum(dim=1)
    own = _projection(ball, point, gradient, offset) - point
    back = _projection(ball, clean, gradient, offset) - clean
    near, far = ball.size(own), ball.size(back)
    share = over((near / (near + far).clamp_min(1e-12)).clamp_max(BIAS), point)
    mixed = (1 - share) * (point + OVERSHOOT * own) + share * (clean + OVERSHOOT * back)
    return mixed.clamp(0, 1)


def _projection(ball: Ball, point: torch.Tensor, gradient: torch.Tensor, offset: torch.Tensor) -> torch.Tensor:
    """The point of [0, 1] nearest to `point` at which gradient . z + offset = 0; the farthest corner if there is none.

    In both norms it is clip(point + t * way, 0, 1) for one t >= 0 (the problem's dual). gradient . z + offset is
    piecewise linear and concave in t, so that Newton's steps come to the root from below, in a few steps.
    """
    value = (gradient * point).flatten(1).sum(dim=1) + offset
    side = torch.where(value <= 0, 1.0, -1.0)
    way = gradient * over(side, gradient)
    way = way.sign() if ball.norm == "linf" else way / over(ball.size(way).clamp_min(1e-30), way)
    gain = gradient * over(side, gradient) * way  # per pixel and unit of t, as long as the pixel is free
    t = torch.zeros_like(offset)
    for _ in range(NEWTON):
        ahead = point + over(t, point) * way
        missing = -side * ((gradient * ahead.clamp(0, 1)).flatten(1).sum(dim=1) + offset)
        slope = (gain * torch.where(way > 0, ahead < 1, ahead > 0)).flatten(1).sum(dim=1)
        step = torch.where(slope > 0, missing.clamp_min(0) / slope.clamp_min(1e-30), 0.0)
        t = t + step
        if bool((step <= 1e-4 * t).all()):
            break
    return (point + over(t, point) * way).clamp(0, 1)
