"""One change for all images: signed gradient steps on the mean loss. Shafahi et al. 2020, algorithm 2."""

from __future__ import annotations

import torch

from clipaudit_audits.robustness.attacks.balls import LInf
from clipaudit_audits.robustness.attacks.goals import lead
from clipaudit_audits.robustness.attacks.victim import Victim

FIRST_STEP = 0.25  # in radii; falls to zero along the rounds
CAP = 0.1  # in cosine: a lead beyond it counts no more


class CappedMargin:
    """By how much the best wrong class leads, capped: images that are already broken no longer count."""

    def __init__(self, labels: torch.Tensor, cap: float) -> None:
        self.labels, self.cap = labels, cap

    def loss(self, logits: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        return lead(logits, self.labels[rows]).neg().clamp_max(self.cap)

    def reached(self, logits: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        return logits.argmax(dim=1) != self.labels[rows]


def universal(
    victim: Victim, pixels: torch.Tensor, labels: torch.Tensor, eps: float, rounds: int, seed: int
) -> torch.Tensor:
    """(3, H, W) change, at most eps a pixel, made on pixels (n, 3, H, W) with labels (n,)."""
    generator = torch.Generator().manual_seed(seed)
    change = torch.zeros(pixels.shape[1:])
    around, goal = LInf(eps), CappedMargin(labels, cap=CAP * victim.scale)
    total = rounds * -(-len(pixels) // victim.batch)
    done = 0
    for _ in range(rounds):
        order = torch.randperm(len(pixels), generator=generator)
        for rows in torch.split(order, victim.batch):
            _, _, gradient = victim.gradients((pixels[rows] + change).clamp(0, 1), goal, rows)
            step = eps * FIRST_STEP * (1 - done / total)
            change = (change + step * around.direction(gradient.mean(dim=0))).clamp(-eps, eps)
            done += 1
    return change
