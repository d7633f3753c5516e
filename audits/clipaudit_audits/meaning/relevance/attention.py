"""Gradient-weighted attention, for transformers whose tokens are patches: open_clip's own and timm's.

Chefer, Gur, Wolf 2021, Generic attention-model explainability, ICCV, equations 5 and 6: with A a block's attention
and dA the gradient of the score, R <- R + mean_heads((dA * A)+) R, from R = 1. The authors' notebook for CLIP uses the
last block only; which is the first block used is a parameter here too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from clipaudit_audits.meaning.relevance.leaves import Leaves, score_gradients

if TYPE_CHECKING:
    import torch
    from torch import nn


@dataclass(frozen=True)
class Transformer:
    """What has to be known of an image tower: attention modules in order, tokens before the patches, the pooling."""

    attentions: tuple[nn.Module, ...]
    prefix: int
    pooled: slice  # rows that the embedding is read from

    @classmethod
    def of(cls, vision: nn.Module) -> Transformer | None:
        """The parts of open_clip's VisionTransformer, or of a timm one; None for towers of another kind."""
        found = _open_clip(vision) or _timm(getattr(vision, "trunk", vision))
        return found if found is not None and all(map(_readable, found.attentions)) else None


def attention_maps(
    encode: Callable[[torch.Tensor], torch.Tensor],
    tower: Transformer,
    pixels: torch.Tensor,
    directions: torch.Tensor,
    first_layer: int = -1,
) -> torch.Tensor:
    """(B, P, h, w) float32, not negative: relevance of each patch for each text.

    Args:
        encode: (B, 3, H, W) to (B, d), through `tower`.
        directions: (B, P, d) unit vectors, the texts of each image.
        first_layer: index of the first block used, negative from the end: -1 the last alone, 0 all.
    """
    leaves = Leaves()
    with _tapped(tower.attentions[first_layer:], leaves):
        gradients = score_gradients(encode, pixels, directions, leaves, cosine=True)
    weights = [tensor.detach().float() for tensor in leaves.tensors]
    maps = [_rolled_out(weights, [g.float() for g in of_text], tower) for of_text in gradients]
    import torch

    return torch.stack(maps, dim=1).cpu()


def _rolled_out(weights: Sequence[torch.Tensor], gradients: Sequence[torch.Tensor], tower: Transformer) -> torch.Tensor:
    """(B, h, w): weights and gradients are (B, heads, L, L), one pair a block."""
    import torch

    batch, _, length, _ = weights[0].shape
    relevance = torch.eye(length, device=weights[0].device).expand(batch, length, length)
    for attention, gradient in zip(weights, gradients, strict=True):
        step = (gradient * attention).clamp_min(0).mean(dim=1)
        relevance = relevance + step @ relevance
    side = round((length - tower.prefix) ** 0.5)
    return relevance[:, tower.pooled, tower.prefix :].mean(dim=1).reshape(batch, side, side)


def _open_clip(vision: Any) -> Transformer | None:
    blocks = getattr(getattr(vision, "transformer", None), "resblocks", None)
    if blocks is None or getattr(vision, "attn_pool", None) is not None:
        return None
    pooled = {"tok": slice(0, 1), "avg": slice(1, None)}.get(getattr(vision, "pool_type", ""))
    return None if pooled is None else Transformer(_attentions(blocks), 1, pooled)


def _timm(trunk: Any) -> Transformer | None:
    blocks, prefix = getattr(trunk, "blocks", None), getattr(trunk, "num_prefix_tokens", None)
    if blocks is None or prefix is None or getattr(trunk, "attn_pool", None) is not None:
        return None
    pooled = {"token": slice(0, 1), "avg": slice(prefix, None)}.get(getattr(trunk, "global_pool", ""))
    return None if pooled is None else Transformer(_attentions(blocks), int(prefix), pooled)


def _attentions(blocks: Any) -> tuple[nn.Module, ...]:
    return tuple(getattr(block, "attn", None) or block for block in blocks)


def _readable(attention: Any) -> bool:
    import torch

    if isinstance(attention, torch.nn.MultiheadAttention):
        return bool(attention.batch_first and attention.in_proj_weight is not None)
    return hasattr(attention, "fused_attn") and hasattr(attention, "attn_drop")


@contextmanager
def _tapped(attentions: Sequence[nn.Module], leaves: Leaves) -> Iterator[None]:
    """Inside, the modules compute their weights openly and show them to `leaves`; afterwards they are as before."""
    import torch

    with ExitStack() as stack:
        for module in attentions:
            is_torch = isinstance(module, torch.nn.MultiheadAttention)
            stack.enter_context(_open_torch(module, leaves) if is_torch else _open_timm(module, leaves))
        yield


@contextmanager
def _open_torch(module: Any, leaves: Leaves) -> Iterator[None]:
    """torch returns a copy of its weights, off the way to its output: computed here instead."""

    def forward(query: torch.Tensor, _key: torch.Tensor, _value: torch.Tensor, **_: Any) -> tuple[torch.Tensor, None]:
        import torch

        batch, length, width = query.shape
        joint = torch.nn.functional.linear(query, module.in_proj_weight, module.in_proj_bias)
        q, k, v = joint.reshape(batch, length, 3, module.num_heads, -1).permute(2, 0, 3, 1, 4)
        weights = leaves.meet((q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5).softmax(dim=-1))
        return module.out_proj((weights @ v).transpose(1, 2).reshape(batch, length, width)), None

    module.forward = forward
    try:
        yield
    finally:
        del module.forward


@contextmanager
def _open_timm(module: Any, leaves: Leaves) -> Iterator[None]:
    """timm's attention without the fused kernel: its weights pass through `attn_drop`."""
    fused, module.fused_attn = module.fused_attn, False
    handle = module.attn_drop.register_forward_hook(lambda _module, _inputs, output: leaves.meet(output))
    try:
        yield
    finally:
        handle.remove()
        module.fused_attn = fused
