"""Models of open_clip: architecture with tag or file, `local-dir:`, `hf-hub:`.

For a file the architecture's name is also the choice of activation: `ViT-B-32` computes GELU, `ViT-B-32-quickgelu`
QuickGELU (OpenAI's, MetaCLIP's and DFN's weights need the latter); the file itself cannot tell.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from clipaudit.contract import Need
from clipaudit.models.checkpoint import fill, read_state
from clipaudit.models.encoder import CAPABILITIES, TorchEncoder, Towers
from clipaudit.models.fingerprint import fingerprint, tokenizer_digest, weights_digest
from clipaudit.models.fold import fold_batch_norms
from clipaudit.models.hub import hub_access
from clipaudit.models.openclip_source import Source, from_folder, from_hub, from_name
from clipaudit.models.openclip_text import OpenClipText, untruncated
from clipaudit.models.options import LoadOptions
from clipaudit.models.pixels import Normalize, Preprocess
from clipaudit.results import ModelInfo

if TYPE_CHECKING:
    from torch import nn

# Where a part came from is not what it is.
_NAMES = frozenset(
    {"hf_model_name", "hf_tokenizer_name", "hf_model_pretrained", "timm_model_pretrained", "custom_text"}
)


def load_named(rest: str, options: LoadOptions) -> TorchEncoder:
    """`architecture@tag` or `architecture@path`."""
    return _load(rest, rest, from_name, options)


def load_folder(rest: str, options: LoadOptions) -> TorchEncoder:
    """`local-dir:path`."""
    return _load(f"local-dir:{rest}", rest, from_folder, options)


def load_hub(rest: str, options: LoadOptions) -> TorchEncoder:
    """`hf-hub:org/name`."""
    return _load(f"hf-hub:{rest}", rest, from_hub, options)


def _load(spec: str, rest: str, find: Callable[[str], Source], options: LoadOptions) -> TorchEncoder:
    """Find, build, fill, wrap; ModelError in one line on any failure, never a model with random weights."""
    device = options.torch_device()
    with hub_access(spec, offline=options.offline):
        source = find(rest)
        state = read_state(source.weights)
        model, tokenizer = _build(source)
        fill(model, state, source.weights, resize=source.resize)
    del state
    config = model.visual.preprocess_cfg
    info = _describe(spec, source, model, tokenizer)
    model = model.to(device).eval()
    model.visual = fold_batch_norms(model.visual, info.image_size or 224)
    return TorchEncoder(
        model,
        partial(_split, tokenizer=tokenizer),
        Preprocess(_resize(config)),
        Normalize(tuple(config["mean"]), tuple(config["std"])),
        info,
    )


def _split(model: Any, *, tokenizer: Any) -> Towers:
    return Towers(image=model.encode_image, text=OpenClipText(model, tokenizer), vision=model.visual)


def _build(source: Source) -> tuple[Any, Any]:
    """The network, still empty, and its tokenizer."""
    import open_clip

    model = open_clip.create_model(
        source.name,
        load_weights=False,
        pretrained_text=False,
        force_preprocess_cfg=dict(source.preprocess),
        **source.overrides,
    )
    return model, open_clip.get_tokenizer(source.name)


def _resize(config: Mapping[str, Any]) -> Any:
    """open_clip's own inference transform without its last step, the normalisation."""
    from open_clip.transform import PreprocessCfg, image_transform_v2
    from torchvision import transforms

    *steps, last = image_transform_v2(PreprocessCfg(**config), is_train=False).transforms
    if not isinstance(last, transforms.Normalize):
        raise RuntimeError(f"open_clip's transform ends in {last}, not in a normalisation")
    return transforms.Compose(steps)


def _describe(spec: str, source: Source, model: nn.Module, tokenizer: Any) -> ModelInfo:
    from open_clip.factory import get_model_config

    net: Any = model
    config = get_model_config(source.name)
    preprocessing = {name: value for name, value in net.visual.preprocess_cfg.items() if name != "fill_color"}
    bias = net.logit_bias
    identity = fingerprint(
        weights_digest(model.state_dict()),
        _structure(config),
        preprocessing,
        tokenizer_digest(untruncated(tokenizer)),
        "float32",
    )
    scheme, _, rest = spec.rpartition(":")
    return ModelInfo(
        spec=spec,
        name=_name(rest) if scheme != "hf-hub" else rest,
        fingerprint=identity,
        kind="open_clip",
        capabilities=tuple(sorted(CAPABILITIES | {Need.ATTENTION})),
        precision="float32",
        embedding_dim=int(config["embed_dim"]),
        image_size=_side(net.visual.image_size),
        context_length=int(tokenizer.context_length),
        logit_scale=net.logit_scale.exp().item(),
        logit_bias=None if bias is None else bias.item(),
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        warnings=source.warnings,
    )


def _name(rest: str) -> str:
    """`ViT-B-32@model.pt` for a file, the folder's name for a folder: no path goes into results."""
    from pathlib import Path

    architecture, at, weights = rest.partition("@")
    return f"{architecture}@{Path(weights).name}" if at else Path(rest).resolve().name


def _side(size: int | tuple[int, int]) -> int:
    return int(size if isinstance(size, int) else size[0])


def _structure(config: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration without names and places."""
    return {
        key: _structure(value) if isinstance(value, Mapping) else value
        for key, value in config.items()
        if key not in _NAMES
    }
