"""What is planted to validate the attention-shift audit: scores that are sums over patches, so that maps by occlusion
are these patches' weights, and another word that moves a known share of the weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from clipaudit.data.dataset import Dataset
from clipaudit.validation.plan import Planted, PlantedItem, Validation, items

if TYPE_CHECKING:
    from PIL import Image

LABELS = ("cup", "hat", "key")
MOVED = (0.0, 0.2, 0.4, 0.7)
_SHOWN, _SIDE = 18, 8


class Plate(PlantedItem):
    """A dark plate without a ground."""

    def load(self) -> Image.Image:
        from PIL import Image as pil

        return pil.new("RGBA", (_SIDE, _SIDE), (40, 40, 40, 255))


def plates() -> Dataset:
    """18 plates of three labels; the control looks at no pixel."""
    planted = items([{"label": LABELS[i % len(LABELS)]} for i in range(_SHOWN)])
    return replace(planted, images=[Plate(image.id, image.attributes) for image in planted.images])


def plans() -> Sequence[Validation]:
    """How far the misleading prompt moves the maps, beyond what paraphrases do."""
    levels = tuple(Planted(f"gazing?moved={moved}&seed={{seed}}", moved, None if moved else 0.0) for moved in MOVED)
    params = {"images": _SHOWN, "checked": _SHOWN, "grid": 4, "method": "occlusion"}
    share = "share of the weights that another word moves"
    return (
        Validation(
            "divergence", "Another word moves a known share of the weights", plates, levels, params, "misleading",
            share, seeds=100,
        ),
        Validation(
            "rank_loss", "The same, by ranks of patches", plates, levels, params, "misleading", share,
            seeds=100,
        ),
        Validation(
            "centre_shift", "The same, by centres of relevance", plates, levels, params, "misleading", share,
            seeds=100,
        ),
    )  # fmt: skip
