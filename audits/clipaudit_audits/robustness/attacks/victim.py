"""The model under attack: logits and gradients of a batch of pixels, in pieces that fit in memory."""

from __future__ import annotations

import time

import torch
from torch.nn import functional

from clipaudit.models.protocol import DualEncoder
from clipaudit_audits.robustness.attacks.goals import Goal
from clipaudit_audits.robustness.attacks.memory import Pieces

BATCHES = {"cpu": 8}  # on a processor a pass with gradients is fastest while it fits in the caches
BATCH = 64


class Victim:
    """A zero-shot classifier: scale * cosine of the image embedding to fixed class weights.

    Args:
        encoder: the image tower; works on pixels in [0, 1] and normalises them itself.
        weights: (C, d) unit class weights.
        scale: of the logits (CLIP's temperature); the predicted class does not depend on it.
        batch: most images in one pass; None chooses by device.
        exact: the same network in float32 where `encoder` computes in less: an example counts only if it agrees.

    Attributes:
        forwards, backwards: images passed through the network so far.
        halvings: how often a batch did not fit in memory and was halved.
    """

    def __init__(
        self,
        encoder: DualEncoder,
        weights: torch.Tensor,
        scale: float = 1.0,
        batch: int | None = None,
        exact: DualEncoder | None = None,
    ) -> None:
        self.encoder, self.exact = encoder, exact
        self.weights = weights.to(encoder.device, torch.float32).clone()
        self.scale = scale
        self.forwards = self.backwards = 0
        self._pieces = Pieces(batch or BATCHES.get(encoder.device.type, BATCH))

    @property
    def classes(self) -> int:
        return len(self.weights)

    @property
    def batch(self) -> int:
        return self._pieces.size

    @property
    def halvings(self) -> int:
        return self._pieces.halvings

    def logits(self, pixels: torch.Tensor) -> torch.Tensor:
        """(b, 3, H, W) to (b, C), in one pass; differentiable. Attacks keep their state, and logits, on the CPU."""
        return self._logits(self.encoder, pixels)

    def scores(self, pixels: torch.Tensor) -> torch.Tensor:
        """(n, 3, H, W) to (n, C), without gradients."""

        def forward(rows: torch.Tensor) -> torch.Tensor:
            with torch.inference_mode():
                return self.logits(pixels[rows])

        self.forwards += len(pixels)
        return torch.cat(self._pieces.map(forward, len(pixels))).clone()

    def gradients(
        self, pixels: torch.Tensor, goal: Goal, rows: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Logits (n, C), loss (n,) and its gradient (n, 3, H, W) at pixels (n, 3, H, W) of the images `rows` (n,)."""

        def both(piece: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
            part = pixels[piece].to(self.encoder.device, copy=True).requires_grad_()
            with torch.enable_grad():
                logits = self.logits(part)
                loss = goal.loss(logits, rows[piece])
                (gradient,) = torch.autograd.grad(loss.sum(), [part])
            return logits.detach(), loss.detach(), gradient.cpu()

        self.forwards += len(pixels)
        self.backwards += len(pixels)
        logits, loss, gradient = zip(*self._pieces.map(both, len(pixels)), strict=True)
        return torch.cat(logits), torch.cat(loss), torch.cat(gradient).contiguous()

    def reached(self, logits: torch.Tensor, pixels: torch.Tensor, goal: Goal, rows: torch.Tensor) -> torch.Tensor:
        """(n,) bool: the goal is reached by these logits and, where the network is not in float32, by float32 too."""
        found = goal.reached(logits, rows)
        if self.exact is None or not bool(found.any()):
            return found
        with torch.inference_mode():
            confirmed = goal.reached(self._logits(self.exact, pixels[found]), rows[found])
        return found.clone().index_put((found,), confirmed)

    def seconds_per_pass(self, pixels: torch.Tensor) -> float:
        """Seconds of a forward and backward pass per image of this batch, after a warm-up."""
        goal_rows = torch.arange(len(pixels))
        for _ in range(2):
            started = time.perf_counter()
            self.gradients(pixels, _First(), goal_rows)
            seconds = time.perf_counter() - started
        return seconds / len(pixels)

    def _logits(self, encoder: DualEncoder, pixels: torch.Tensor) -> torch.Tensor:
        vectors = functional.normalize(encoder.encode_pixels(pixels).float(), dim=1)
        return (self.scale * vectors @ self.weights.T).cpu()


class _First:
    """The first class: any loss does to time a pass."""

    def loss(self, logits: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        return logits[:, 0]

    def reached(self, logits: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        return torch.zeros(len(logits), dtype=torch.bool)
