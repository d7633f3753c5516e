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
    """

    pixels: torch.Tensor
    reached: torch.Tensor
    steps: torch.Tensor

    @classmethod
    def nothing(cls, clean: torch.Tensor) -> Found:
        """Before any step."""
        n = len(clean)
        return cls(clean.clone(), torch.zeros(n, dtype=torch.bool), torch.zeros(n, dtype=torch.long))

    def take(self, rows: torch.Tensor, other: Found) -> None:
        """Enter what another attack found for the images `rows`: its examples, and its steps on top."""
        self.steps[rows] += other.steps
        self.pixels[rows[other.reached]] = other.pixels[other.reached]
        self.reached[rows] |= other.reached
