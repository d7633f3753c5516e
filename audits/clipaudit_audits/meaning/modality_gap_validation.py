"""What is planted to validate the audit of the modality gap: clouds of images and texts at a known distance."""

from __future__ import annotations

from collections.abc import Sequence

from clipaudit.data.dataset import Dataset
from clipaudit.validation.plan import Planted, Validation, items

GAPS = (0.0, 0.1, 0.2, 0.4, 0.8)


def captioned() -> Dataset:
    """60 images with a caption each."""
    return items([{"caption": f"caption {i}"} for i in range(60)])


def plans() -> Sequence[Validation]:
    """The distance between the means."""
    return (
        Validation(
            "gap", "Images and texts lie apart by a known distance", captioned,
            tuple(Planted(f"apart?gap={gap}&seed={{seed}}", gap, gap) for gap in GAPS), x_label="distance of the means",
        ),
    )  # fmt: skip
