"""The same tower with meaningless weights. Adebayo et al. 2018, Sanity checks for saliency maps, NeurIPS: a map that
stays the same then shows edges of the picture, and nothing of the model."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn


@contextmanager
def shuffled(vision: nn.Module, seed: int) -> Iterator[None]:
    """Inside, the entries of each parameter are permuted among themselves: sizes stay, what was learnt is gone."""
    import torch

    kept = {name: parameter.detach().clone() for name, parameter in vision.named_parameters()}
    generator = torch.Generator().manual_seed(seed % 2**63)
    try:
        with torch.no_grad():
            for parameter in vision.parameters():
                order = torch.randperm(parameter.numel(), generator=generator).to(parameter.device)
                parameter.copy_(parameter.detach().reshape(-1)[order].view(parameter.shape))
        yield
    finally:
        with torch.no_grad():
            for name, parameter in vision.named_parameters():
                parameter.copy_(kept[name])
