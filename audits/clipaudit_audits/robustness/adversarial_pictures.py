"""Clean image, adversarial one, and their difference made visible: small pictures kept in the rows."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from clipaudit.errors import ImageError

if TYPE_CHECKING:
    import pyarrow as pa
    import torch
    from PIL import Image

SIDE = 224
PICTURES = 3  # triples kept per piece of a cell, each of another class
VIEWS = ("clean", "adversarial", "difference")


@dataclass(frozen=True)
class Picture:
    """An image that the audit made, held as the bytes of a file."""

    id: str
    data: bytes = field(repr=False)
    attributes: Mapping[str, str] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.data).hexdigest()

    def load(self) -> Image.Image:
        """RGB. ImageError if the bytes are damaged."""
        from PIL import Image as pil

        try:
            return pil.open(io.BytesIO(self.data)).convert("RGB")
        except OSError as error:
            raise ImageError(f"{self.id}: the kept picture is damaged") from error


def triple(clean: torch.Tensor, adversarial: torch.Tensor) -> list[bytes]:
    """Files of the three views of (3, H, W) images in [0, 1]; the largest change becomes full contrast about grey."""
    change = adversarial - clean
    shown = 0.5 + change / (2 * change.abs().max().clamp_min(1e-12))
    return [_file(view) for view in (clean, adversarial, shown)]


def name(item: str, norm: str, view: str) -> str:
    """Id of one view."""
    return f"{item}#{norm}-{view}"


def pictures(rows: pa.Table) -> list[Picture]:
    """All pictures that the rows hold."""
    return [
        Picture(name(row["item"], row["norm"], view), data)
        for row in rows.select(["item", "norm", "pictures"]).to_pylist()
        if row["pictures"]
        for view, data in zip(VIEWS, row["pictures"], strict=True)
    ]


def _file(pixels: torch.Tensor) -> bytes:
    from PIL import Image as pil

    values = (pixels.permute(1, 2, 0).numpy() * 255).round().clip(0, 255).astype(np.uint8)
    image = pil.fromarray(values)
    image.thumbnail((SIDE, SIDE))
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=85, method=4)
    return buffer.getvalue()
