"""Model specifications, and what loads each.

| spec | what |
|---|---|
| `reference` | the embedded default, built from weights that arrive as pip packages |
| `ViT-B-32@tag`, `ViT-B-32@path/to/file` | an open_clip architecture with published weights or a file |
| `local-dir:path`, `hf-hub:org/name` | open_clip's own forms |
| `transformers:org/name-or-path` | CLIP- and SigLIP-type models of transformers |
| `recorded:dir` | outputs recorded elsewhere |
| `py:module:factory` | your own |
| `control:name` | a planted effect, to test audits |
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from clipaudit.errors import ModelError, nearest
from clipaudit.images import ImageRef
from clipaudit.models.options import LoadOptions, Progress
from clipaudit.models.protocol import DualEncoder, Model
from clipaudit.text import printable

Loaded = DualEncoder | Model


def load_encoder(
    spec: str, *, device: str | None = None, offline: bool = False, progress: Progress | None = None
) -> DualEncoder:
    """The network behind `spec`, in float32. ModelError in one line if there is none or it cannot be loaded."""
    loaded = _load(spec, LoadOptions(device, offline, progress))
    if isinstance(loaded, DualEncoder):
        return loaded
    raise ModelError(f"{spec}: has outputs but no network to run; choose a live model")


def open_model(
    spec: str,
    *,
    cache_dir: Path,
    precision: str = "auto",
    sample: Sequence[ImageRef] = (),
    texts: Sequence[str] = (),
    device: str | None = None,
    offline: bool = False,
    on_batch: Callable[[str, int, int], None] | None = None,
    progress: Progress | None = None,
) -> Model:
    """The model that audits see. Networks are given a precision (see `precision`) and the embedding cache."""
    loaded = _load(spec, LoadOptions(device, offline, progress))
    if not isinstance(loaded, DualEncoder):
        return loaded
    from clipaudit.embedding.cache import EmbeddingCache
    from clipaudit.embedding.live import LiveModel
    from clipaudit.models.allocator import keep_freed_memory
    from clipaudit.models.precision import resolve_precision

    keep_freed_memory()
    encoder = resolve_precision(loaded, precision, sample, texts, cache_dir)
    return LiveModel(encoder, EmbeddingCache(cache_dir), on_batch)


def parse_spec(spec: str) -> tuple[str, str]:
    """Scheme and rest: ("local-dir", "models/a"), ("open_clip", "ViT-B-32@tag"), ("reference", "").

    >>> parse_spec("py:mine:make")
    ('py', 'mine:make')
    """
    if spec == "reference":
        return "reference", ""
    scheme, colon, rest = spec.partition(":")
    if colon and scheme in _LOADERS and scheme not in _BARE:
        if not rest:
            raise ModelError(f"{spec}: nothing follows the colon; {_FORMS[scheme]}")
        return scheme, rest
    if colon and "@" not in scheme:
        raise ModelError(f"unknown kind of model {scheme!r}; {nearest(scheme, _FORMS)}")
    if "@" not in spec and (close := nearest(spec, ["reference"])).startswith("did"):
        raise ModelError(f"unknown model {spec!r}; {close}")
    return "open_clip", spec


def _load(spec: str, options: LoadOptions) -> Loaded:
    scheme, rest = parse_spec(spec)
    try:
        return _LOADERS[scheme](rest, options)
    except OSError as error:  # a name that is too long for a file, a folder that may not be read
        raise ModelError(f"{printable(spec)}: {error.strerror or error}") from error


def _reference(_rest: str, options: LoadOptions) -> Loaded:
    from clipaudit.models.reference import load_reference

    return load_reference(options)


def _open_clip(rest: str, options: LoadOptions) -> Loaded:
    from clipaudit.models.openclip import load_named

    return load_named(rest, options)


def _local_dir(rest: str, options: LoadOptions) -> Loaded:
    from clipaudit.models.openclip import load_folder

    return load_folder(rest, options)


def _hf_hub(rest: str, options: LoadOptions) -> Loaded:
    from clipaudit.models.openclip import load_hub

    return load_hub(rest, options)


def _transformers(rest: str, options: LoadOptions) -> Loaded:
    from clipaudit.models.transformers_clip import load_transformers

    return load_transformers(rest, options)


def _recorded(rest: str, _options: LoadOptions) -> Loaded:
    from clipaudit.models.recorded import load_recorded

    return load_recorded(Path(rest).expanduser())


def _control(rest: str, _options: LoadOptions) -> Loaded:
    from clipaudit.models.control import open_control

    return open_control(rest)


def _custom(rest: str, _options: LoadOptions) -> Loaded:
    from clipaudit.models.custom import load_custom

    return load_custom(rest)


_LOADERS: dict[str, Callable[[str, LoadOptions], Loaded]] = {
    "reference": _reference,
    "open_clip": _open_clip,
    "local-dir": _local_dir,
    "hf-hub": _hf_hub,
    "transformers": _transformers,
    "recorded": _recorded,
    "control": _control,
    "py": _custom,
}

#: Those whose spec is not "scheme:rest".
_BARE = frozenset({"reference", "open_clip"})

_FORMS = {
    "local-dir": "write local-dir:path",
    "hf-hub": "write hf-hub:org/name",
    "transformers": "write transformers:org/name or transformers:path",
    "recorded": "write recorded:dir",
    "control": "write control:name",
    "py": "write py:module:factory",
}
