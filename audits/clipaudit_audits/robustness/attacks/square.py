"""Square: random search over square patches, from scores alone. Andriushchenko et al. 2020, algorithms 2 and 3."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from clipaudit_audits.robustness.attacks.balls import Ball, over
from clipaudit_audits.robustness.attacks.found import Found
from clipaudit_audits.robustness.attacks.goals import Goal
from clipaudit_audits.robustness.attacks.victim import Victim

SHARE = 0.8  # of the pixels changed at first
_HALVED_AT = (10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000)  # of 10,000 queries

Proposal = Callable[[torch.Tensor, int, np.random.Generator], torch.Tensor]


def square(victim: Victim, goal: Goal, clean: torch.Tensor, ball: Ball, queries: int, seeds: Sequence[int]) -> Found:
    """Keep a random change of a patch wherever it raises the loss. Row i is drawn with seeds[i] alone.

    Uses logits only: it goes on where gradients lead nowhere.
    """
    found = Found.nothing(clean)
    draws = [np.random.default_rng(seed) for seed in seeds]
    begin, propose = (_stripes, _linf_patch) if ball.norm == "linf" else (_tiles, _l2_patch)
    rows = torch.arange(len(clean))
    change = torch.stack([begin(clean[i], ball.eps, draws[i]) for i in rows.tolist()]) if len(rows) else clean
    best = torch.full((len(clean),), float("-inf"), device=clean.device)
    for query in range(queries):
        if not len(rows):
            break
        side = patch_side(query, queries, clean.shape[-1])
        trial = change if not query else torch.stack(
            [propose(one, side, draws[i]) for one, i in zip(change, rows.tolist(), strict=True)]
        )  # fmt: skip
        points = ball.project(clean[rows], clean[rows] + _sized(ball, trial))
        logits = victim.scores(points)
        loss = goal.loss(logits, rows)
        found.steps[rows] += 1
        better = loss > best
        change, best = torch.where(over(better, change), trial, change), torch.where(better, loss, best)
        hit = victim.reached(logits, points, goal, rows)
        found.enter(rows[hit], points[hit], logits[hit])
        rows, change, best = rows[~hit], change[~hit], best[~hit]
    return found


def patch_side(query: int, queries: int, width: int) -> int:
    """Side of the patch in pixels: its area halves at fixed shares of the budget (section 3.1).

    >>> patch_side(0, 1000, 100), patch_side(999, 1000, 100)
    (89, 3)
    """
    halvings = sum(query / queries * 10_000 > limit for limit in _HALVED_AT)
    return max(1, min(width, int((SHARE / 2**halvings) ** 0.5 * width)))


def _sized(ball: Ball, change: torch.Tensor) -> torch.Tensor:
    return change if ball.norm == "linf" else ball.eps * ball.direction(change)


def _signs(shape: tuple[int, ...], rng: np.random.Generator) -> torch.Tensor:
    return torch.from_numpy(rng.choice(np.array([-1.0, 1.0], np.float32), size=shape))


def _stripes(clean: torch.Tensor, eps: float, rng: np.random.Generator) -> torch.Tensor:
    """Vertical stripes of +-eps, one sign a column and channel."""
    channels, _, width = clean.shape
    return (eps * _signs((channels, 1, width), rng)).repeat(1, clean.shape[1], 1).to(clean.device)


def _linf_patch(change: torch.Tensor, side: int, rng: np.random.Generator) -> torch.Tensor:
    """One square set to +-eps, one sign a channel."""
    top, left = _corner(change, side, rng)
    trial = change.clone()
    eps = float(change.abs().max())
    trial[:, top : top + side, left : left + side] = eps * _signs((len(change), 1, 1), rng).to(change.device)
    return trial


def _tiles(clean: torch.Tensor, eps: float, rng: np.random.Generator) -> torch.Tensor:
    """Five by five bumps over the image, each of a random sign; the caller scales it to eps."""
    channels, height, width = clean.shape
    side = max(1, min(height, width) // 5)
    bump = torch.from_numpy(_bump(side))
    start = torch.zeros(clean.shape)
    for top in range(0, height - side + 1, side):
        for left in range(0, width - side + 1, side):
            start[:, top : top + side, left : left + side] = bump * _signs((channels, 1, 1), rng)
    scaled: torch.Tensor = eps * start / torch.linalg.vector_norm(start)
    return scaled.to(clean.device)


def _l2_patch(change: torch.Tensor, side: int, rng: np.random.Generator) -> torch.Tensor:
    """Move what one square holds into another, as a bump on top of what is there; the norm stays."""
    top, left = _corner(change, side, rng)
    top2, left2 = _corner(change, side, rng)
    trial = change.clone()
    there = trial[:, top : top + side, left : left + side]
    budget = torch.cat([there.flatten(), trial[:, top2 : top2 + side, left2 : left2 + side].flatten()]).norm()
    bump = torch.from_numpy(_bump(side)).to(change.device) * _signs((len(change), 1, 1), rng).to(change.device)
    new = bump + there / there.flatten(1).norm(dim=1).clamp_min(1e-12)[:, None, None]
    trial[:, top2 : top2 + side, left2 : left2 + side] = 0
    trial[:, top : top + side, left : left + side] = new / new.norm().clamp_min(1e-12) * budget
    return trial


def _bump(side: int) -> NDArray[np.float32]:
    """(side, side) of norm 1: two pyramids of opposite sign, one above the other (section 3.3)."""
    down = 1 / (1 + np.abs(np.arange(side) - (side - 1) / 2))
    pyramid = np.minimum.outer(down, down) if side > 1 else np.ones((1, 1))
    if side > 1:
        pyramid[side // 2 :] *= -1
    return np.asarray(pyramid / np.linalg.norm(pyramid), np.float32)


def _corner(change: torch.Tensor, side: int, rng: np.random.Generator) -> tuple[int, int]:
    height, width = change.shape[-2:]
    return int(rng.integers(0, height - side + 1)), int(rng.integers(0, width - side + 1))
