"""What an attack wants: a loss to raise, and when it is done. All take logits (b, C) and the rows (b,) they are of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch.nn import functional


class Goal(Protocol):
    """For n images; `rows` says which of them the logits belong to."""

    def loss(self, logits: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        """(b,), to be raised."""
        ...

    def reached(self, logits: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        """(b,) bool."""
        ...


@dataclass(frozen=True)
class Wrong:
    """Any class but the right one, `labels` (n,): the base of the untargeted goals."""

    labels: torch.Tensor

    def reached(self, logits: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        return logits.argmax(dim=1) != self.labels[rows]


@dataclass(frozen=True)
class CrossEntropy(Wrong):
    """Depends on the logit scale."""

    def loss(self, logits: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        return functional.cross_entropy(logits, self.labels[rows], reduction="none")


@dataclass(frozen=True)
class Margin(Wrong):
    """max over c != y of z_c - z_y: positive exactly where the goal is reached."""

    def loss(self, logits: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        return lead(logits, self.labels[rows]).neg()


@dataclass(frozen=True)
class Towards(Wrong):
    """z_t - z_y for a wrong class t, `targets` (n,); reached by any wrong class."""

    targets: torch.Tensor

    def loss(self, logits: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        return picked(logits, self.targets[rows]) - picked(logits, self.labels[rows])


@dataclass(frozen=True)
class TargetedDLR(Towards):
    """Difference of logits ratio, (z_t - z_y) / (z_1 - (z_3 + z_4) / 2): the same for any logit scale.

    Croce & Hein 2020, equation 7. It needs four classes; with three z_1 - z_3, with two z_1 - z_2 is the divisor.
    """

    def loss(self, logits: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        top = logits.topk(min(4, logits.shape[1]), dim=1).values
        rest = top[:, 2:].mean(dim=1) if top.shape[1] > 2 else top[:, 1]
        return super().loss(logits, rows) / (top[:, 0] - rest + 1e-12)


@dataclass(frozen=True)
class Chosen:
    """The class `targets` (n,) comes first: z_t - max over c != t of z_c."""

    targets: torch.Tensor

    def loss(self, logits: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        return lead(logits, self.targets[rows])

    def reached(self, logits: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        return logits.argmax(dim=1) == self.targets[rows]


def picked(logits: torch.Tensor, classes: torch.Tensor) -> torch.Tensor:
    """(b,) logit of one class (b,) of each row."""
    return logits.gather(1, classes[:, None])[:, 0]


def lead(logits: torch.Tensor, classes: torch.Tensor) -> torch.Tensor:
    """(b,) by how much the class (b,) of each row leads the best of the others."""
    others = logits.scatter(1, classes[:, None], float("-inf"))
    return picked(logits, classes) - others.max(dim=1).values
