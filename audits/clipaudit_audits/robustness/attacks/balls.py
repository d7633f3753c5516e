"""How far an attack may go from a clean image, and which way a step goes. Images are (n, 3, H, W) in [0, 1]."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import torch

Norm = Literal["linf", "l2"]
_TINY = 1e-12
_ROUNDING = 2.0**-24  # of float32 below 1: clean + reach, rounded, stays within eps


class Ball(Protocol):
    """All images within `eps` of a clean one, in one norm, and in [0, 1]."""

    @property
    def norm(self) -> Norm: ...

    @property
    def eps(self) -> float: ...

    def project(self, clean: torch.Tensor, points: torch.Tensor) -> torch.Tensor:
        """Into the ball and into [0, 1]."""
        ...

    def direction(self, gradient: torch.Tensor) -> torch.Tensor:
        """The step of norm 1 that raises the loss most; zero where the gradient is zero."""
        ...

    def size(self, change: torch.Tensor) -> torch.Tensor:
        """(n,) norm of each change."""
        ...

    def start(self, clean: torch.Tensor, seeds: Sequence[int]) -> torch.Tensor:
        """A random point at distance eps (before cutting to [0, 1]); row i depends on seeds[i] alone."""
        ...


@dataclass(frozen=True)
class LInf:
    """No pixel moves by more than eps."""

    eps: float
    norm: Norm = "linf"

    def project(self, clean: torch.Tensor, points: torch.Tensor) -> torch.Tensor:
        reach = max(0.0, self.eps - _ROUNDING)
        return points.clamp(clean - reach, clean + reach).clamp(0, 1)

    def direction(self, gradient: torch.Tensor) -> torch.Tensor:
        return gradient.sign()

    def size(self, change: torch.Tensor) -> torch.Tensor:
        return change.flatten(1).abs().amax(dim=1)

    def start(self, clean: torch.Tensor, seeds: Sequence[int]) -> torch.Tensor:
        noise = torch.stack([torch.rand(clean.shape[1:], generator=_generator(seed)) * 2 - 1 for seed in seeds])
        noise = noise / over(noise.flatten(1).abs().amax(dim=1), noise)
        return self.project(clean, clean + self.eps * noise.to(clean.device))


@dataclass(frozen=True)
class L2:
    """The root of the summed squares of all changes is at most eps."""

    eps: float
    norm: Norm = "l2"

    def project(self, clean: torch.Tensor, points: torch.Tensor) -> torch.Tensor:
        change = points - clean
        size = self.size(change)
        # A hair inside, so that rounding of clean + change stays within eps; [0, 1] is convex and only shortens.
        factor = torch.where(size > self.eps, self.eps * (1 - 1e-6) / size.clamp_min(_TINY), torch.ones_like(size))
        return (clean + change * over(factor, change)).clamp(0, 1)

    def direction(self, gradient: torch.Tensor) -> torch.Tensor:
        return gradient / over(self.size(gradient).clamp_min(_TINY), gradient)

    def size(self, change: torch.Tensor) -> torch.Tensor:
        size: torch.Tensor = torch.linalg.vector_norm(change.flatten(1), dim=1)
        return size

    def start(self, clean: torch.Tensor, seeds: Sequence[int]) -> torch.Tensor:
        noise = torch.stack([torch.randn(clean.shape[1:], generator=_generator(seed)) for seed in seeds])
        return self.project(clean, clean + self.eps * self.direction(noise).to(clean.device))


def ball(norm: Norm, eps: float) -> Ball:
    """The ball of one norm and radius."""
    return LInf(eps) if norm == "linf" else L2(eps)


def over(values: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """(n,) to (n, 1, 1, 1), to multiply images with."""
    return values.view(-1, *[1] * (like.ndim - 1))


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)
