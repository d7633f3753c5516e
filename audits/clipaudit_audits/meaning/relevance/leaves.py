"""Gradients of scores with respect to tensors inside a network, without any through what lies before them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


@dataclass
class Leaves:
    """Tensors met during a forward pass. The first becomes a leaf: the graph begins there, and what lies before it
    costs no more than without gradients."""

    tensors: list[torch.Tensor] = field(default_factory=list)

    def meet(self, tensor: torch.Tensor) -> torch.Tensor:
        """The tensor that the network is to go on with."""
        if not self.tensors:
            tensor = tensor.detach().clone().requires_grad_()
        self.tensors.append(tensor)
        return tensor


def score_gradients(
    encode: Callable[[torch.Tensor], torch.Tensor],
    pixels: torch.Tensor,
    directions: torch.Tensor,
    leaves: Leaves,
    *,
    cosine: bool,
) -> list[tuple[torch.Tensor, ...]]:
    """For each text, the gradient of every image's score with respect to each tensor met.

    Args:
        encode: (B, 3, H, W) to (B, d); meets `leaves` on its way.
        directions: (B, P, d) unit vectors: the texts of each image.
        leaves: still empty.
        cosine: whether the score is the cosine, or the dot product of a vector that keeps its length.
    """
    import torch

    with torch.enable_grad():
        vectors = encode(pixels)
        vectors = torch.nn.functional.normalize(vectors, dim=-1) if cosine else vectors
        scores = torch.einsum("bd,bpd->p", vectors, directions.to(vectors))  # images do not meet in the network
        return [
            torch.autograd.grad(scores[p], _met(leaves.tensors), retain_graph=p + 1 < len(scores))
            for p in range(len(scores))
        ]


def _met(tensors: Sequence[torch.Tensor]) -> list[torch.Tensor]:
    if not tensors:
        raise RuntimeError("the forward pass met none of the tensors that were waited for")
    return list(tensors)
