"""All attacks in turn, each on what the ones before it left standing: the order of AutoAttack (Croce & Hein 2020)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch

from clipaudit.stimuli.recipe import seed_from
from clipaudit_audits.robustness.attacks.apgd import apgd
from clipaudit_audits.robustness.attacks.balls import Ball
from clipaudit_audits.robustness.attacks.fab import fab
from clipaudit_audits.robustness.attacks.found import Found
from clipaudit_audits.robustness.attacks.goals import CrossEntropy, Margin, TargetedDLR, Towards
from clipaudit_audits.robustness.attacks.square import square
from clipaudit_audits.robustness.attacks.victim import Victim

ROWS = 64  # attempts at once, of which some tensors each are held

AttackName = Literal["apgd-ce", "apgd-t", "fab-t", "square"]


@dataclass(frozen=True)
class Budget:
    """What the attacks may spend on one image: gradient steps per start, starts, target classes, queries.

    prune: targeted APGD goes on after its first checkpoint with the third of the targets nearest to success.
    """

    attacks: tuple[AttackName, ...] = ("apgd-ce", "apgd-t", "fab-t", "square")
    steps: int = 100
    restarts: int = 1
    targets: int = 9
    queries: int = 5000
    prune: bool = True

    def kept(self, targets: int) -> int:
        """How many of so many targets go on: a third, but two at least."""
        return min(targets, max(2, -(-targets // 3))) if self.prune else targets


@dataclass(frozen=True)
class Subjects:
    """n images that the model gets right. pixels (n, 3, H, W), labels (n,), scores (n, C) when clean, a seed each."""

    pixels: torch.Tensor
    labels: torch.Tensor
    scores: torch.Tensor
    seeds: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.labels)

    def only(self, rows: torch.Tensor) -> Subjects:
        """Those at `rows` (m,)."""
        seeds = tuple(self.seeds[row] for row in rows.tolist())
        return Subjects(self.pixels[rows], self.labels[rows], self.scores[rows], seeds)

    def drawn(self, *purpose: str | int) -> list[int]:
        """A seed per image for one purpose: the same whatever other images there are."""
        return [seed_from(seed, *purpose) % 2**63 for seed in self.seeds]


@dataclass
class Broken(Found):
    """`by`: index into the budget's attacks of the one that succeeded; -1 where none did."""

    by: torch.Tensor


def attack(victim: Victim, subjects: Subjects, ball: Ball, budget: Budget) -> Broken:
    """Every attack of the budget on what still stands."""
    found = Found.nothing(subjects.pixels)
    by = torch.full((len(subjects),), -1)
    for number, name in enumerate(budget.attacks):
        standing = torch.nonzero(~found.reached)[:, 0]
        if len(standing):
            found.take(standing, ATTACKS[name](victim, subjects.only(standing), ball, budget))
            by[found.reached & (by < 0)] = number
    return Broken(found.pixels, found.reached, found.steps, found.taken, by)


def cross_entropy(victim: Victim, subjects: Subjects, ball: Ball, budget: Budget) -> Found:
    """APGD on cross-entropy from `restarts` random starts."""
    found = Found.nothing(subjects.pixels)
    for restart in range(budget.restarts):
        standing = torch.nonzero(~found.reached)[:, 0]
        if not len(standing):
            break
        some = subjects.only(standing)
        start = ball.start(some.pixels, some.drawn("apgd-ce", restart))
        found.take(standing, apgd(victim, CrossEntropy(some.labels), some.pixels, start, ball, budget.steps))
    return found


def targeted_dlr(victim: Victim, subjects: Subjects, ball: Ball, budget: Budget) -> Found:
    """APGD on the targeted difference of logits ratio, towards the wrong classes that score best when clean."""

    targets, found = best_wrong(subjects, budget.targets), Found.nothing(subjects.pixels)
    each = targets.shape[1]
    for images in torch.split(torch.arange(len(subjects)), max(1, max(victim.batch, ROWS) // each)):
        rows = images.repeat_interleave(each)
        some = subjects.only(rows)
        start = ball.start(some.pixels, some.drawn("apgd-t"))
        goal, owner = TargetedDLR(some.labels, targets[images].flatten()), rows - images[0]
        part = apgd(victim, goal, some.pixels, start, ball, budget.steps, owner, keep=budget.kept(each))
        for attempt in range(each):
            found.take(images, part.part(slice(attempt, None, each)))
    return found


def nearest(victim: Victim, subjects: Subjects, ball: Ball, budget: Budget) -> Found:
    """FAB towards the wrong classes that score best when clean, from the clean image."""

    def run(some: Subjects, targets: torch.Tensor, owner: torch.Tensor, rank: int) -> Found:
        return fab(victim, Towards(some.labels, targets), some.pixels, ball, budget.steps, owner)

    return _per_target(victim, subjects, budget.targets, run)


def black_box(victim: Victim, subjects: Subjects, ball: Ball, budget: Budget) -> Found:
    """Square."""
    seeds = subjects.drawn("square")
    return square(victim, Margin(subjects.labels), subjects.pixels, ball, budget.queries, seeds)


def _per_target(
    victim: Victim,
    subjects: Subjects,
    most: int,
    run: Callable[[Subjects, torch.Tensor, torch.Tensor, int], Found],
) -> Found:
    """`run` towards the best-scoring wrong classes, as many at a time as fill a batch; broken images drop out."""
    targets = best_wrong(subjects, most)
    found = Found.nothing(subjects.pixels)
    rank = 0
    while rank < targets.shape[1]:
        standing = torch.nonzero(~found.reached)[:, 0]
        if not len(standing):
            break
        left = targets.shape[1] - rank
        groups = -(-left // max(1, victim.batch // len(standing)))
        together = -(-left // groups)  # groups of about the same size: a small rest would waste a batch
        rows = standing.repeat(together)
        wanted = targets[standing, rank : rank + together].T.reshape(-1)
        part = run(subjects.only(rows), wanted, rows, rank)
        for attempt in range(together):
            piece = slice(attempt * len(standing), (attempt + 1) * len(standing))
            found.take(standing, part.part(piece))
        rank += together
    return found


def best_wrong(subjects: Subjects, most: int) -> torch.Tensor:
    """(n, k) wrong classes with the highest clean score, best first; k = min(most, C - 1)."""
    others = subjects.scores.scatter(1, subjects.labels[:, None], float("-inf"))
    return others.topk(min(most, others.shape[1] - 1), dim=1).indices


Attack = Callable[[Victim, Subjects, Ball, Budget], Found]
ATTACKS: dict[AttackName, Attack] = {
    "apgd-ce": cross_entropy,
    "apgd-t": targeted_dlr,
    "fab-t": nearest,
    "square": black_box,
}
