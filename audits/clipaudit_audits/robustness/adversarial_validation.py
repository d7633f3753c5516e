"""What is planted to validate the adversarial audit: a network in which each image's distance from the border is
uniform up to a reach, so that the share that stands at a radius is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from clipaudit.data.dataset import Dataset
from clipaudit.models.control_bordered import LABELS, picture
from clipaudit.validation.plan import Planted, PlantedItem, Validation, items

if TYPE_CHECKING:
    from PIL import Image

ACCURACY, RADIUS = 0.9, 2  # of 255
REACHES = (2.5, 4.0, 8.0)  # of 255
_SHOWN = 48


class Numbered(PlantedItem):
    """A picture in which the network reads its number, which is its id, and class."""

    def load(self) -> Image.Image:
        return picture(int(self.id), self.attributes["label"])


def pictures() -> Dataset:
    """48 pictures of two classes."""
    planted = items([{"label": LABELS[i % len(LABELS)]} for i in range(_SHOWN)])
    return replace(planted, images=[Numbered(image.id, image.attributes) for image in planted.images])


def broken(reach: float) -> float:
    """Share of the images right when clean that the radius breaks."""
    return min(1.0, RADIUS / reach)


def plans() -> Sequence[Validation]:
    """Robust accuracy and attack success, at one radius of L-infinity."""
    models = [f"bordered?accuracy={ACCURACY}&reach={reach / 255:.6f}&seed={{seed}}" for reach in REACHES]
    params = {
        "parts": ["linf"], "eps_linf": [f"{RADIUS}/255"], "attacks": ["apgd-ce", "apgd-t"], "steps": 10, "targets": 1,
        "queries": 10,
    }  # fmt: skip
    known = list(zip(models, map(broken, REACHES), strict=True))
    share = "share of right images within the radius"
    return (
        Validation(
            "robust_accuracy", "Distances from the border are uniform: a known share stands", pictures,
            tuple(Planted(model, gone, ACCURACY * (1 - gone)) for model, gone in known), params, null=False,
            x_label=share, seeds=100,
        ),
        Validation(
            "attack_success", "Distances from the border are uniform: a known share is broken", pictures,
            tuple(Planted(model, gone, gone) for model, gone in known), params, null=False, x_label=share, seeds=100,
        ),
    )  # fmt: skip
