"""What an attack leaves."""

from __future__ import annotations

from dataclasses import dataclass

import torch


@dataclass
class Found:
    """For n images.

    Attributes:
        pixels: (n, 3, H, W) the example found, or the point of largest loss.
        reached: (n,) bool, the goal was reached.
        steps: (n,) gradient steps or queries spent until then.
        taken: (n,) the class that the example is taken for; -1 where the goal was not reached.
    """

    pixels: torch.Tensor
    reached: torch.Tensor
    steps: torch.Tensor
    taken: torch.Tensor

    @classmethod
    def nothing(cls, clean: torch.Tensor) -> Found:
        """Before any step."""
        n = len(clean)
        none = torch.full((n,), -1)
        return cls(clean.clone(), torch.zeros(n, dtype=torch.bool), torch.zeros(n, dtype=torch.long), none)

    def enter(self, rows: torch.Tensor, points: torch.Tensor, logits: torch.Tensor) -> None:
        """The points (m, 3, H, W) with these logits (m, C) reach the goal for the images `rows` (m,)."""
        self.reached[rows] = True
        self.pixels[rows] = points
        self.taken[rows] = logits.argmax(dim=1)

    def take(self, rows: torch.Tensor, other: Found) -> None:
        """Enter what another attack found for the images `rows`: its examples, and its steps on top."""
        self.steps[rows] += other.steps
        self.pixels[rows[other.reached]] = other.pixels[other.reached]
        self.taken[rows[other.reached]] = other.taken[other.reached]
        self.reached[rows] |= other.reached

    def part(self, piece: slice) -> Found:
        """The images of one slice."""
        return Found(self.pixels[piece], self.reached[piece], self.steps[piece], self.taken[piece])
