"""Where an open_clip model comes from: an architecture with a tag or a file, a folder, a repository of the hub."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from clipaudit.errors import ModelError, nearest
from clipaudit.models.hub import close_if_unreachable
from clipaudit.paths import leaves
from clipaudit.text import printable

CONFIG = "open_clip_config.json"
_WEIGHTS = ("open_clip_model.safetensors", "open_clip_pytorch_model.safetensors", "open_clip_pytorch_model.bin")
_SUFFIXES = frozenset({".safetensors", ".bin", ".pt", ".pth"})
_QUICK = "-quickgelu"
_CODE = "trust_remote_code"


@dataclass(frozen=True)
class Source:
    """All that is needed to build the model.

    name: what open_clip calls it. weights: the file. preprocess: a tag's own preprocessing.
    resize: whether positional embeddings may be interpolated (published tags only).
    overrides: parts of open_clip's configuration to replace. warnings: what reports must say.
    """

    name: str
    weights: Path
    preprocess: Mapping[str, Any] = field(default_factory=dict)
    resize: bool = False
    overrides: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def from_name(spec: str) -> Source:
    """`architecture@tag` or `architecture@path`: a known tag wins over a file of that name."""
    import open_clip

    architecture, _, weights = spec.partition("@")
    architecture = architecture.replace("/", "-")
    known = open_clip.list_models()
    if architecture not in known:
        raise ModelError(f"unknown architecture {architecture!r}; {nearest(architecture, known)}")
    tags = open_clip.list_pretrained_tags_by_model(architecture)
    if not weights:
        offered = f"a tag ({', '.join(tags[:6])})" if tags else "a tag"
        raise ModelError(f"{architecture}: say which weights: {architecture}@ followed by {offered} or by a file")
    tag = weights.lower().replace("-", "_")
    if tag in tags:
        return _from_tag(architecture, tag)
    if Path(weights).expanduser().is_file():
        return Source(architecture, Path(weights).expanduser(), warnings=_activation_note(architecture, known))
    raise ModelError(_no_weights(architecture, weights, tag, tags))


def _from_tag(architecture: str, tag: str) -> Source:
    from open_clip.factory import get_model_config
    from open_clip.pretrained import download_pretrained, get_pretrained_cfg

    published = get_pretrained_cfg(architecture, tag)
    quick = bool(published.get("quick_gelu", False))
    if quick != bool(get_model_config(architecture).get("quick_gelu", False)):
        other = architecture + _QUICK if quick else architecture.removesuffix(_QUICK)
        raise ModelError(
            f"{architecture}@{tag}: these weights were trained with{'' if quick else 'out'} QuickGELU and this "
            f"architecture computes otherwise; use {other}@{tag}"
        )
    close_if_unreachable()
    return Source(architecture, Path(download_pretrained(published)), published, resize=True)


def _no_weights(architecture: str, weights: str, tag: str, tags: list[str]) -> str:
    """Why neither a tag nor a file was found."""
    import open_clip

    base = architecture.removesuffix(_QUICK)
    if base != architecture and tag in open_clip.list_pretrained_tags_by_model(base):
        return f"{architecture}@{weights}: these weights were trained without QuickGELU; use {base}@{weights}"
    if "/" in weights or Path(weights).suffix in _SUFFIXES:
        return f"{weights}: no such file (weights for {architecture})"
    return f"{weights!r} is neither a tag of {architecture} nor a file; {nearest(weights, tags)}"


def _activation_note(architecture: str, known: list[str]) -> tuple[str, ...]:
    """A file does not say which activation it was trained with; the architecture's name is the user's choice."""
    base = architecture.removesuffix(_QUICK)
    if base + _QUICK not in known:
        return ()
    chosen, other = ("QuickGELU", base) if architecture != base else ("GELU", base + _QUICK)
    return (
        f"The weight file does not say which activation it was trained with; {architecture} computes {chosen}. "
        f"If that is not what it was trained with, use {other}.",
    )


def from_folder(path: str) -> Source:
    """`local-dir:` with open_clip_config.json, weights and, for text towers of transformers, tokenizer files.

    A relative `hf_model_name` (for example ".") means a folder relative to this one, so that nothing is fetched.
    """
    folder = Path(path).expanduser()
    if not folder.is_dir():
        raise ModelError(f"{folder}: no such folder")
    config = _read_config(folder / CONFIG)
    overrides: dict[str, Any] = {}
    text = dict(config["model_cfg"].get("text_cfg", {}))
    name = str(text.get("hf_model_name") or "")
    if leaves(name):
        raise ModelError(f"{folder / CONFIG}: hf_model_name = {printable(name)!r} leaves the folder; write '.'")
    if name.startswith("."):
        text["hf_model_name"] = str((folder / name).resolve())
        text["hf_model_pretrained"] = False
        overrides["text_cfg"] = text
    return Source(f"local-dir:{folder}", _weights_in(folder), overrides=overrides)


def from_hub(repository: str) -> Source:
    """`hf-hub:` as open_clip reads it."""
    from open_clip.pretrained import download_pretrained_from_hf

    close_if_unreachable()
    _read_config(Path(download_pretrained_from_hf(repository, CONFIG)))
    return Source(f"hf-hub:{repository}", Path(download_pretrained_from_hf(repository)))


def _read_config(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise ModelError(f"{path}: no such file; a folder of open_clip has its configuration there")
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path}: not valid JSON ({error})") from error
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror}") from error
    if not isinstance(config, dict) or not isinstance(config.get("model_cfg"), dict):
        raise ModelError(f"{path}: has no 'model_cfg'")
    if not isinstance(config["model_cfg"].get("text_cfg", {}), dict):
        raise ModelError(f"{path}: 'text_cfg' must be an object")
    _refuse_code(config, path)
    return config


def _refuse_code(config: Any, path: Path) -> None:
    """open_clip hands `tokenizer_kwargs` on to transformers, which would run what the folder brings."""
    if isinstance(config, Mapping):
        if config.get(_CODE):
            raise ModelError(f"{path}: {_CODE} asks to run code that comes with the weights; it is never run")
        config = list(config.values())
    if isinstance(config, list):
        for part in config:
            _refuse_code(part, path)


def _weights_in(folder: Path) -> Path:
    for name in _WEIGHTS:
        if (folder / name).is_file():
            return folder / name
    found = sorted(path for path in folder.iterdir() if path.suffix in _SUFFIXES)
    if not found:
        raise ModelError(f"{folder}: no weights; expected {_WEIGHTS[0]}")
    if len(found) > 1:
        names = ", ".join(path.name for path in found[:5])
        raise ModelError(f"{folder}: several weight files ({names}); name the right one {_WEIGHTS[0]}")
    return found[0]
