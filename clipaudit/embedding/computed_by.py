"""What an embedding depends on beside model and content: the packages that draw, decode, resize and compute."""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError, version

PACKAGES = (
    "torch", "open_clip_torch", "timm", "transformers", "tokenizers", "numpy", "pillow", "python_avatars", "resvg-py",
)  # fmt: skip


@cache
def computed_by() -> tuple[str, ...]:
    """Their versions as installed: part of the cache's key, so that what an upgrade changes is seen, not hidden."""
    return tuple(f"{name} {_version(name)}" for name in PACKAGES)


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "absent"
