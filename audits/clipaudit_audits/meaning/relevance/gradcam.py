"""Grad-CAM, for towers whose last features are a map: open_clip's ModifiedResNet, timm's convolutional networks.

Selvaraju et al. 2017, Grad-CAM, ICCV, equations 1 and 2: channels A_k of the last map, weighted by the mean of their
gradient. The score is the dot product with the text, not the cosine: a cosine does not change when all features grow,
so its map sums to zero over the image, and an object that fills the embedding would get no relevance at all. The
rectification of equation 2 is left to whoever reads the map: its sign orders patches too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from clipaudit_audits.meaning.relevance.leaves import Leaves, score_gradients

if TYPE_CHECKING:
    import torch
    from torch import nn


def is_convolutional(vision: nn.Module) -> bool:
    """Whether a tower is made of convolutions; a transformer has one, that cuts the image into patches."""
    import torch

    return sum(isinstance(module, torch.nn.Conv2d) for module in vision.modules()) > 1


def gradcam_maps(
    encode: Callable[[torch.Tensor], torch.Tensor],
    vision: nn.Module,
    pixels: torch.Tensor,
    directions: torch.Tensor,
) -> torch.Tensor:
    """(B, P, h, w) float32, signed: relevance of each place of the last feature map for each text.

    Args:
        encode: (B, 3, H, W) to (B, d), through `vision`.
        directions: (B, P, d) unit vectors, the texts of each image.

    Raises ValueError where no module gives a map of features.
    """
    import torch

    leaves = Leaves()
    layer = last_map(encode, vision, pixels[:1])
    handle = layer.register_forward_hook(lambda _module, _inputs, output: leaves.meet(output))
    try:
        gradients = score_gradients(encode, pixels, directions, leaves, cosine=False)
    finally:
        handle.remove()
    features = leaves.tensors[0].detach().float()
    maps = [(of_text[0].float().mean(dim=(2, 3), keepdim=True) * features).sum(dim=1) for of_text in gradients]
    return torch.stack(maps, dim=1).cpu()


def last_map(encode: Callable[[torch.Tensor], torch.Tensor], vision: nn.Module, pixels: torch.Tensor) -> nn.Module:
    """The module that gives the last map of features (B, C, h, w), h and w above 1, in a forward pass of one image."""
    import torch

    found: list[nn.Module] = []

    def note(module: nn.Module, _inputs: Any, output: Any) -> None:
        if isinstance(output, torch.Tensor) and output.ndim == 4 and min(output.shape[2:]) > 1:
            found.append(module)

    handles = [module.register_forward_hook(note) for module in vision.modules()]
    try:
        with torch.no_grad():
            encode(pixels)
    finally:
        for handle in handles:
            handle.remove()
    if not found:
        raise ValueError("no module of the image tower gives a map of features")
    return found[-1]
