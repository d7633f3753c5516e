"""One square patch for all images, wherever it is stuck: signed gradient steps on its own pixels. Brown et al. 2017."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from clipaudit_audits.robustness.attacks.universal import CAP, CappedMargin
from clipaudit_audits.robustness.attacks.victim import Victim

FIRST_STEP = 0.1  # of the range of a pixel; falls to zero along the rounds
START = 0.5  # grey


def side_of(area: float, height: int, width: int) -> int:
    """Side in pixels of a square of this share of the image.

    >>> side_of(0.04, 224, 224)
    45
    """
    return max(1, min(height, width, round(math.sqrt(area * height * width))))


def places(seeds: Sequence[int], height: int, width: int, side: int) -> torch.Tensor:
    """(n, 2) top and left of a patch: evenly over the image, row i with seeds[i] alone."""
    room = torch.tensor([height - side + 1, width - side + 1])
    drawn = torch.stack([torch.rand(2, generator=torch.Generator().manual_seed(seed)) for seed in seeds])
    return (drawn * room).long()


def paste(pixels: torch.Tensor, patches: torch.Tensor, at: torch.Tensor) -> torch.Tensor:
    """Images (n, 3, H, W) with a patch (3, s, s), or one each (n, 3, s, s), whose corners are `at` (n, 2)."""
    side, covered = patches.shape[-1], pixels.clone()
    for i, (top, left) in enumerate(at.tolist()):
        covered[i, :, top : top + side, left : left + side] = patches if patches.ndim == 3 else patches[i]
    return covered


def patch(
    victim: Victim, pixels: torch.Tensor, labels: torch.Tensor, side: int, rounds: int, seed: int
) -> torch.Tensor:
    """(3, side, side) in [0, 1], made on pixels (n, 3, H, W) with labels (n,); every round sticks it elsewhere."""
    generator = torch.Generator().manual_seed(seed)
    found = torch.full((3, side, side), START)
    goal = CappedMargin(labels, cap=CAP * victim.scale)
    height, width = pixels.shape[-2:]
    total, done = rounds * -(-len(pixels) // victim.batch), 0
    for _ in range(rounds):
        for rows in torch.split(torch.randperm(len(pixels), generator=generator), victim.batch):
            at = places(torch.randint(2**62, (len(rows),), generator=generator).tolist(), height, width, side)
            _, _, gradient = victim.gradients(paste(pixels[rows], found, at), goal, rows)
            step = FIRST_STEP * (1 - done / total)
            found = (found + step * _under(gradient, at, side).mean(dim=0).sign()).clamp(0, 1)
            done += 1
    return found


def _under(gradient: torch.Tensor, at: torch.Tensor, side: int) -> torch.Tensor:
    """(n, 3, side, side) what of (n, 3, H, W) lies under the patch."""
    return torch.stack(
        [one[:, top : top + side, left : left + side] for one, (top, left) in zip(gradient, at.tolist(), strict=True)]
    )
