"""`transformers:`: CLIP- and SigLIP-type models of transformers, from the hub or from a folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clipaudit.errors import ModelError, nearest
from clipaudit.models.encoder import CAPABILITIES, TorchEncoder, Towers
from clipaudit.models.fingerprint import fingerprint, tokenizer_digest, weights_digest
from clipaudit.models.hub import close_if_unreachable, hub_access
from clipaudit.models.openclip_text import REMEMBERED, refuse_longer
from clipaudit.models.options import LoadOptions
from clipaudit.models.pixels import Normalize, Preprocess
from clipaudit.results import ModelInfo

if TYPE_CHECKING:
    import torch
    from PIL import Image

#: Whether a batch of texts may end at its longest one. CLIP is causal and pools at the end of text; Chinese-CLIP masks
#: its padding; SigLIP was trained with padding to the full context, without a mask, and pools at the last position.
FAMILIES: Mapping[str, bool] = {"clip": True, "chinese_clip": True, "siglip": False}

_PIXELS = ("do_resize", "size", "resample", "do_center_crop", "crop_size", "do_normalize", "image_mean", "image_std")
_NOT_STRUCTURE = frozenset({"transformers_version", "_name_or_path", "dtype", "torch_dtype", "architectures"})


def load_transformers(rest: str, options: LoadOptions) -> TorchEncoder:
    """`org/name` or a folder. Weights load strictly; a folder needs no network."""
    spec = f"transformers:{rest}"
    folder = Path(rest).expanduser()
    place = str(folder) if folder.is_dir() else rest
    device = options.torch_device()
    with hub_access(spec, offline=options.offline), _no_bars():
        if not folder.is_dir():
            _refuse_path(rest)
            close_if_unreachable()
        model, tokenizer, processor = _read(spec, place, local=folder.is_dir())
    info = _describe(spec, model, tokenizer, processor)
    return TorchEncoder(
        model.to(device),
        partial(_split, tokenizer=tokenizer),
        Preprocess(partial(_resize, processor)),
        _normalize(processor),
        info,
    )


class TransformersText:
    """The text tower with its tokenizer; `cut` says whether a batch may end at its longest text."""

    def __init__(self, model: Any, tokenizer: Any, *, cut: bool) -> None:
        self._model, self._tokenizer = model, tokenizer
        self._context = _context(model)
        self._padding = "longest" if cut else "max_length"
        self._keys = ("input_ids", "attention_mask") if cut else ("input_ids",)
        self._length = lru_cache(maxsize=REMEMBERED)(lambda text: len(_ids(tokenizer, text)))

    def encode(self, texts: Sequence[str]) -> torch.Tensor:
        """(B, d), not normalised; ModelError for a text longer than the context."""
        refuse_longer(texts, self._length, self._context)
        batch = self._tokenizer(list(texts), padding=self._padding, max_length=self._context, return_tensors="pt")
        device = next(self._model.parameters()).device
        inputs = {key: batch[key].to(device) for key in self._keys if key in batch}
        return _vectors(self._model.get_text_features(**inputs))

    def length(self, text: str) -> int:
        return self._length(text)


def _split(model: Any, *, tokenizer: Any) -> Towers:
    cut = FAMILIES[model.config.model_type]
    return Towers(image=partial(_image, model), text=TransformersText(model, tokenizer, cut=cut))


def _image(model: Any, pixels: torch.Tensor) -> torch.Tensor:
    return _vectors(model.get_image_features(pixel_values=pixels))


def _vectors(output: Any) -> torch.Tensor:
    """Projected vectors: transformers returned them bare before version 5, and inside an output since."""
    vectors: torch.Tensor = getattr(output, "pooler_output", output)
    return vectors


def _read(spec: str, place: str, *, local: bool) -> tuple[Any, Any, Any]:
    """Model, tokenizer, image processor; ModelError for another kind of model or weights that do not fit."""
    import torch
    from transformers import AutoConfig, AutoImageProcessor, AutoModel, AutoTokenizer

    access = {"local_files_only": local, "trust_remote_code": False}  # code of a repository: never, nor asked for
    config: Any = AutoConfig.from_pretrained(place, **access)
    if config.model_type not in FAMILIES:
        raise ModelError(f"{spec}: model type {config.model_type!r} is not supported; {nearest('', FAMILIES)}")
    model, report = AutoModel.from_pretrained(place, **access, dtype=torch.float32, output_loading_info=True)
    problems = {kind: sorted(map(str, names)) for kind, names in report.items() if names}
    if problems:
        kind, names = next(iter(problems.items()))
        raise ModelError(f"{spec}: weights do not fit: {kind.replace('_', ' ')}: {', '.join(names[:3])}")
    tokenizer: Any = AutoTokenizer.from_pretrained(place, **access)
    processor: Any = AutoImageProcessor
    return model, tokenizer, processor.from_pretrained(place, **access)


def _refuse_path(rest: str) -> None:
    """A hub name has one slash at most and no leading dot or slash; anything else was meant as a folder."""
    if rest.startswith((".", "/", "~")) or rest.count("/") > 1:
        raise ModelError(f"{rest}: no such folder")


def _resize(processor: Any, image: Image.Image) -> torch.Tensor:
    """(3, H, W) in [0, 1]: the model's own processing without its last step."""
    pixels: torch.Tensor = processor(image, do_normalize=False, return_tensors="pt")["pixel_values"][0]
    return pixels


def _normalize(processor: Any) -> Normalize:
    if not getattr(processor, "do_normalize", True):
        return Normalize((0.0,) * 3, (1.0,) * 3)
    return Normalize(tuple(processor.image_mean), tuple(processor.image_std))


def _ids(tokenizer: Any, text: str) -> Sequence[int]:
    ids: Sequence[int] = tokenizer(text, truncation=False, verbose=False)["input_ids"]
    return ids


def _context(model: Any) -> int:
    return int(model.config.text_config.max_position_embeddings)


def _describe(spec: str, model: Any, tokenizer: Any, processor: Any) -> ModelInfo:
    if abs(float(getattr(processor, "rescale_factor", 1 / 255)) * 255 - 1) > 1e-6:
        raise ModelError(f"{spec}: its image processor does not scale pixels to [0, 1]")
    settings = processor.to_dict()
    bias = getattr(model, "logit_bias", None)
    identity = fingerprint(
        weights_digest(model.state_dict()),
        _structure(model.config.to_diff_dict()),
        {key: settings.get(key) for key in _PIXELS},
        tokenizer_digest(partial(_ids, tokenizer)),
        "float32",
    )
    place = spec.partition(":")[2]
    return ModelInfo(
        spec=spec,
        name=Path(place).resolve().name if Path(place).is_dir() else place,
        fingerprint=identity,
        kind="transformers",
        capabilities=tuple(sorted(CAPABILITIES)),
        precision="float32",
        embedding_dim=_width(model.config),
        image_size=int(model.config.vision_config.image_size),
        context_length=_context(model),
        logit_scale=model.logit_scale.exp().item(),
        logit_bias=None if bias is None else bias.item(),
        parameters=sum(parameter.numel() for parameter in model.parameters()),
    )


def _width(config: Any) -> int:
    """Length of an embedding: CLIP projects to it, SigLIP's text head does unless it says otherwise."""
    text = config.text_config
    return int(getattr(config, "projection_dim", None) or getattr(text, "projection_size", None) or text.hidden_size)


def _structure(config: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration without versions, names and places."""
    return {
        key: _structure(value) if isinstance(value, Mapping) else value
        for key, value in config.items()
        if key not in _NOT_STRUCTURE
    }


@contextmanager
def _no_bars() -> Iterator[None]:
    """transformers draws a bar for each file that it reads, terminal or not."""
    from transformers import utils

    logging: Any = utils.logging
    before: bool = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if before:
            logging.enable_progress_bar()
