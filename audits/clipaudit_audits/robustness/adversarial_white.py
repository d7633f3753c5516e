"""Robust accuracy: every attack at every radius, from small to large, and the checks of the measurement itself."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal

import torch

from clipaudit_audits.robustness.adversarial_params import AdversarialParams
from clipaudit_audits.robustness.adversarial_pictures import PICTURES, triple
from clipaudit_audits.robustness.adversarial_rows import Journal, Record, record, table, unreadable
from clipaudit_audits.robustness.adversarial_subjects import CHECKED, CHUNK, Trial
from clipaudit_audits.robustness.attacks.balls import Ball, ball
from clipaudit_audits.robustness.attacks.ensemble import Budget, Subjects, attack, black_box, cross_entropy
from clipaudit_audits.robustness.attacks.goals import Margin, Wrong

if TYPE_CHECKING:
    import pyarrow as pa

LARGE: dict[str, float] = {"linf": 32 / 255, "l2": 20.0}  # at which nothing stands, if gradients lead anywhere
Norm = Literal["linf", "l2"]


def budget_of(params: AdversarialParams) -> Budget:
    """What one image may cost."""
    return Budget(params.attacks, params.steps, params.restarts, params.targets, params.queries, params.prune)


def white_box(trial: Trial, journal: Journal, norm: Norm) -> list[pa.Table]:
    """Tables of rows, one per chunk of images."""
    pieces = [table(unreadable(trial))]
    for number, positions in enumerate(trial.chunks(trial.readable())):
        checked = (number + 1) * CHUNK <= CHECKED
        pieces.append(journal.keep(f"{norm}-{number:05d}", partial(_records, trial, norm, positions, checked)))
    return pieces


def _records(trial: Trial, norm: Norm, positions: list[int], checked: bool) -> list[Record]:
    return _Chunk.of(trial, norm, positions).records(checked)


@dataclass(frozen=True)
class _Chunk:
    """Some images; `hit` are the positions of those that the model gets right, `subjects` the same as tensors."""

    trial: Trial
    norm: Norm
    positions: list[int]
    hit: list[int]
    subjects: Subjects
    zero: list[str]  # what the attacks' own forward pass takes each image for

    @classmethod
    def of(cls, trial: Trial, norm: Norm, positions: list[int]) -> _Chunk:
        pixels = trial.pixels(positions)
        scores = trial.victim.scores(pixels)
        zero = [trial.sample.classes[i] for i in scores.argmax(dim=1).tolist()]
        right = [i for i, position in enumerate(positions) if trial.right(position)]
        hit = [positions[i] for i in right]
        return cls(trial, norm, positions, hit, trial.subjects(hit, pixels[right], scores[right]), zero)

    def records(self, checked: bool) -> list[Record]:
        """The attack, noise of the same size, and the checks where this chunk is one that is checked."""
        found = [*self._zero(), *self._attacks(), *self._noise()]
        if checked and self.hit:
            found += [*self._gradient(), *self._again(), *self._large(), *self._square()]
        return found

    def _row(self, kind: str, eps: float, position: int, **values: object) -> Record:
        return record(self.trial, position, kind, norm=self.norm, eps=eps, **values)

    def _zero(self) -> list[Record]:
        labels = self.trial.sample.labels
        return [
            self._row(
                "zero", 0.0, position, taken=taken, success=taken != labels[position],
                by="tie" if self.trial.leads[position] <= self.trial.rounding else None,
            )
            for position, taken in zip(self.positions, self.zero, strict=True)
        ]  # fmt: skip

    def _attacks(self) -> list[Record]:
        """Radii ascending: who is broken at one is broken at all larger ones, by the same example."""
        budget, classes = budget_of(self.trial.params), self.trial.sample.classes
        broken: dict[int, Record] = {}
        found: list[Record] = []
        shown: set[int] = set()
        for eps in self.trial.params.eps(self.norm):
            standing = [i for i in range(len(self.hit)) if i not in broken]
            spent = dict.fromkeys(range(len(self.hit)), 0)
            if standing and eps > 0:
                some = self.subjects.only(torch.tensor(standing))
                result = attack(self.trial.victim, some, ball(self.norm, eps), budget)
                sizes = ball(self.norm, eps).size(result.pixels - some.pixels)
                for j, i in enumerate(standing):
                    spent[i] = int(result.steps[j])
                    if bool(result.reached[j]):
                        broken[i] = {
                            "taken": classes[int(result.taken[j])],
                            "by": budget.attacks[int(result.by[j])],
                            "size": float(sizes[j]),
                        }
                        label = int(some.labels[j])
                        if len(shown) < PICTURES and label not in shown and self.trial.may_be_shown:
                            shown.add(label)
                            broken[i]["pictures"] = triple(some.pixels[j], result.pixels[j])
            for i, position in enumerate(self.hit):
                found.append(
                    self._row("attack", eps, position, success=i in broken, steps=spent[i], **broken.get(i, {}))
                )
            for example in broken.values():
                example.pop("pictures", None)
            found += [self._row("attack", eps, p) for p in self.positions if p not in set(self.hit)]
        return found

    def _noise(self) -> list[Record]:
        """A random change as large as the attack's."""
        return [
            row
            for eps in self.trial.params.eps(self.norm)
            if self.hit
            for row in self._shown("noise", eps, self._start(ball(self.norm, eps), "noise"))
        ]

    def _shown(self, kind: str, eps: float, points: torch.Tensor) -> list[Record]:
        wrong = Wrong(self.subjects.labels).reached(self.trial.victim.scores(points), torch.arange(len(points)))
        return self._flags(kind, eps, wrong)

    def _flags(self, kind: str, eps: float, success: torch.Tensor) -> list[Record]:
        return [self._row(kind, eps, p, success=bool(s)) for p, s in zip(self.hit, success, strict=True)]

    def _gradient(self) -> list[Record]:
        """Success: the gradient is masked. It is zero or not finite, or a small step along it does not raise the loss.

        The step is the smallest radius; the loss is the margin, which cannot saturate.
        """
        subjects, goal, rows = self.subjects, Margin(self.subjects.labels), torch.arange(len(self.hit))
        _, before, gradient = self.trial.victim.gradients(subjects.pixels, goal, rows)
        around = ball(self.norm, self._eps_checked())
        moved = around.project(subjects.pixels, subjects.pixels + around.eps * around.direction(gradient))
        after = goal.loss(self.trial.victim.scores(moved), rows)
        flat = gradient.flatten(1).abs().amax(dim=1)
        return self._flags("gradient", around.eps, ~((flat > 0) & torch.isfinite(flat) & (after > before)))

    def _again(self) -> list[Record]:
        """APGD alone at the smallest radius: from another start, and with a quarter of the steps from the same."""
        params, eps = self.trial.params, self._eps_checked()
        short = Budget(steps=max(1, params.steps // 4), restarts=1)
        again = Budget(steps=params.steps, restarts=1)
        other = Subjects(*self._parts(), tuple(self.subjects.drawn("again")))
        around = ball(self.norm, eps)
        return [
            *self._flags("short", eps, cross_entropy(self.trial.victim, self.subjects, around, short).reached),
            *self._flags("again", eps, cross_entropy(self.trial.victim, other, around, again).reached),
        ]

    def _large(self) -> list[Record]:
        """APGD alone where nothing may stand."""
        eps = LARGE[self.norm]
        budget = Budget(steps=self.trial.params.steps, restarts=1)
        found = cross_entropy(self.trial.victim, self.subjects, ball(self.norm, eps), budget)
        return self._flags("large", eps, found.reached)

    def _square(self) -> list[Record]:
        """Square alone, from scores only, at the largest radius."""
        eps = self.trial.params.eps(self.norm)[-1]
        budget = Budget(queries=self.trial.params.queries)
        return self._flags(
            "square", eps, black_box(self.trial.victim, self.subjects, ball(self.norm, eps), budget).reached
        )

    def _start(self, around: Ball, purpose: str) -> torch.Tensor:
        return around.start(self.subjects.pixels, self.subjects.drawn(purpose))

    def _parts(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        return self.subjects.pixels, self.subjects.labels, self.subjects.scores

    def _eps_checked(self) -> float:
        """The smallest radius above 0, where some images still stand and a check can tell something."""
        return next((eps for eps in self.trial.params.eps(self.norm) if eps > 0), LARGE[self.norm])
