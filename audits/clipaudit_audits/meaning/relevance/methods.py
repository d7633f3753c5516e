"""Which method fits a model's image tower, and why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from clipaudit.errors import UsageError
from clipaudit_audits.meaning.relevance.attention import Transformer, attention_maps
from clipaudit_audits.meaning.relevance.gradcam import gradcam_maps, is_convolutional

if TYPE_CHECKING:
    import torch
    from torch import nn

    from clipaudit.models.protocol import DualEncoder, Model

MethodName = Literal["gradient-weighted attention", "Grad-CAM", "occlusion"]


@dataclass(frozen=True)
class Inside:
    """A network that can be looked into. `maps`: pixels (B, 3, H, W) in [0, 1] and unit texts (B, P, d), on the device
    of `encoder`, to relevance (B, P, h, w) on the CPU. `vision`: its image tower."""

    encoder: DualEncoder
    vision: nn.Module
    maps: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


@dataclass(frozen=True)
class Method:
    """How relevance is had, and why so. `inside` is None for occlusion, that asks for scores only."""

    name: MethodName
    reason: str
    inside: Inside | None = None


def method_for(model: Model, first_layer: int = -1) -> Method:
    """Gradient-weighted attention for transformers, Grad-CAM for convolutional towers, occlusion for all others.

    first_layer: see `attention_maps`. Raises UsageError for a transformer that has no such block.
    """
    encoder: Any = getattr(model, "encoder", None)
    if encoder is None:
        return Method("occlusion", "the model gives no network to look into")
    vision = getattr(encoder, "vision", None)
    if vision is None:
        return Method("occlusion", f"no relevance method knows the image towers of {encoder.info.kind} models")
    tower = Transformer.of(vision)
    if tower is not None:
        blocks = len(tower.attentions)
        if not -blocks <= first_layer < blocks:
            raise UsageError(
                f"first_layer = {first_layer}: the image tower has {blocks} blocks, from 0 to {blocks - 1}"
            )
        maps = partial(attention_maps, encoder.encode_pixels, tower, first_layer=first_layer)
        return Method("gradient-weighted attention", "the image tower is a transformer", Inside(encoder, vision, maps))
    if is_convolutional(vision):
        maps = partial(gradcam_maps, encoder.encode_pixels, vision)
        return Method("Grad-CAM", "the image tower is convolutional", Inside(encoder, vision, maps))
    return Method("occlusion", f"no relevance method knows image towers of type {_kind(vision)}")


def _kind(vision: nn.Module) -> str:
    return type(getattr(vision, "trunk", vision)).__name__
