"""Weights from a file into a network, strictly: every tensor finds its place or loading fails.

Pickles are read with `weights_only=True`: code in them is refused, not run.
"""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clipaudit.errors import ModelError
from clipaudit.models.hub import first_line

if TYPE_CHECKING:
    import torch
    from torch import nn

# Buffers that older versions of transformers stored and newer ones compute.
_COMPUTED = ("text.transformer.embeddings.position_ids",)


def read_state(path: Path) -> dict[str, torch.Tensor]:
    """Names and tensors of a safetensors file or of a pickle; ModelError in one line for anything else."""
    if not path.is_file():
        raise ModelError(f"{path}: no such file")
    if path.stat().st_size == 0:
        raise ModelError(f"{path}: the file is empty")
    loaded = _read_safetensors(path) if _is_safetensors(path) else _read_pickle(path)
    state = loaded.get("state_dict", loaded) if isinstance(loaded, Mapping) else None
    if not isinstance(state, Mapping) or not state or not all(_is_tensor(value) for value in state.values()):
        raise ModelError(
            f"{path}: holds no weights (expected a mapping of names to tensors, or one under 'state_dict')"
        )
    return {str(name).removeprefix("module."): tensor for name, tensor in state.items()}


def fill(model: nn.Module, state: dict[str, torch.Tensor], path: Path, *, resize: bool = False) -> None:
    """Put the weights into an open_clip model; ModelError names a few keys if anything is missing, extra or misshapen.

    Other layouts that open_clip knows (MobileCLIP, Hugging Face towers, older versions) are converted first.
    resize: interpolate positional embeddings of another length, as some published tags need.
    """
    from open_clip.convert import convert_state_dict
    from open_clip.model import convert_to_custom_text_state_dict, resize_pos_embed, resize_text_pos_embed

    state = convert_state_dict(model, state)
    if "positional_embedding" in state and not hasattr(model, "positional_embedding"):
        state = convert_to_custom_text_state_dict(state)
    wanted = model.state_dict()
    for name in [name for name in _COMPUTED if name in state and name not in wanted]:
        del state[name]
    for name in ("logit_scale", "logit_bias"):  # scalar or a vector of one, by version
        if name in state and name in wanted and state[name].numel() == wanted[name].numel():
            state[name] = state[name].reshape(wanted[name].shape)
    if resize:
        resize_pos_embed(state, model)
        resize_text_pos_embed(state, model)
    problem = mismatch(state, wanted)
    if problem:
        raise ModelError(f"{path}: does not fit this architecture: {problem}")
    model.load_state_dict(state, strict=True)


def mismatch(state: Mapping[str, torch.Tensor], wanted: Mapping[str, torch.Tensor]) -> str:
    """What keeps `state` from filling `wanted`, with a few names each; "" if nothing does."""
    missing = sorted(wanted.keys() - state.keys())
    extra = sorted(state.keys() - wanted.keys())
    misshapen = [
        f"{name} is {tuple(state[name].shape)}, not {tuple(wanted[name].shape)}"
        for name in sorted(state.keys() & wanted.keys())
        if state[name].shape != wanted[name].shape
    ]
    found = [
        f"{len(names)} {what} ({', '.join(names[:3])}{', ...' if len(names) > 3 else ''})"
        for names, what in ((missing, "tensors missing"), (extra, "unknown"), (misshapen, "of another shape"))
        if names
    ]
    return "; ".join(found)


def _is_safetensors(path: Path) -> bool:
    """By content, not by name: a header of JSON behind its length in 8 bytes."""
    with path.open("rb") as file:
        return path.suffix == ".safetensors" or file.read(9)[8:] == b"{"


def _read_safetensors(path: Path) -> Any:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise ModelError(f"{path}: damaged or truncated safetensors file ({first_line(error)})") from error


def _read_pickle(path: Path) -> Any:
    import torch

    _refuse_swollen(path)
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise ModelError(
            f"{path}: not a file of weights that can be read without running code in it; save the state_dict alone, "
            "best as .safetensors"
        ) from error
    except Exception as error:  # a broken archive fails in many ways: EOFError, RuntimeError, KeyError, ...
        hint = _pickle_hint(str(error))
        raise ModelError(f"{path}: {hint} ({first_line(error, 120)})") from error


def _refuse_swollen(path: Path) -> None:
    """torch stores tensors as they are, and would unpack compressed ones to any size."""
    if not zipfile.is_zipfile(path):
        return
    try:
        with zipfile.ZipFile(path) as archive:
            declared = sum(member.file_size for member in archive.infolist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return  # damaged: said by torch
    size = path.stat().st_size
    if declared > size:
        raise ModelError(f"{path}: declares {declared:,} bytes in a file of {size:,} (a decompression bomb?)")


def _pickle_hint(message: str) -> str:
    if "TorchScript" in message:
        return "a TorchScript archive holds code; save its state_dict() as .safetensors and load that"
    return "damaged or truncated weight file"


def _is_tensor(value: object) -> bool:
    import torch

    return isinstance(value, torch.Tensor)
