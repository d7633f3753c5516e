"""What is planted to validate the zero-shot audit: how often the right class is named."""

from __future__ import annotations

from collections.abc import Sequence

from clipaudit.data.dataset import Dataset
from clipaudit.validation.plan import Planted, Validation, items

LABELS = ("apple", "bag", "cup", "hat", "key", "pear", "pen", "plum")


def pictures() -> Dataset:
    """120 pictures, fifteen of each of eight classes."""
    return items([{"label": LABELS[i % len(LABELS)]} for i in range(120)])


def plans() -> Sequence[Validation]:
    """One for each of the estimates that matter."""
    return (
        Validation(
            "accuracy", "The right class of eight is named with a known probability", pictures,
            tuple(
                Planted(f"classifier?accuracy={share}&seed={{seed}}", share, share)
                for share in (0.125, 0.2, 0.25, 0.3, 0.5)
            ),
            {"probes": False}, x_label="probability of the right class",
        ),
    )  # fmt: skip
