"""What is planted to validate the audit of changed texts: misspelt labels that fail more often than rewordings."""

from __future__ import annotations

from collections.abc import Sequence

from clipaudit.data.dataset import Dataset
from clipaudit.validation.plan import Planted, Validation, items

LABELS = ("lemon", "melon", "grape", "peach", "cherry")
REWORDED = 0.2
_PARAMS = {"candidates": 3}
_SHARES = (0.2, 0.3, 0.4, 0.5, 0.7)


def pictures() -> Dataset:
    """100 pictures of five things."""
    return items([{"label": LABELS[i % len(LABELS)]} for i in range(100)])


def model(misspelt: float) -> str:
    """Misspelt texts fail for that share of the images, rewordings for the share REWORDED, independently."""
    return f"misreader?labels={','.join(LABELS)}&misspelt={misspelt}&reworded={REWORDED}&seed={{seed}}"


def robust(misspelt: float) -> float:
    """Share of the images for which neither misspelt texts nor other orders of the words fail."""
    return (1 - misspelt) * (1 - REWORDED)


def plans() -> Sequence[Validation]:
    """Swapped letters against rewordings, and what stands under all changes."""
    failing = "share of images for which misspelt labels fail"
    return (
        Validation(
            "attack_success", "Swapped letters fail for more images than rewordings do", pictures,
            tuple(Planted(model(share), share, share) for share in _SHARES), _PARAMS, "letters swapped",
            x_label=failing,
        ),
        Validation(
            "robust_accuracy", "What stands where swapped letters and rewordings fail independently", pictures,
            tuple(Planted(model(share), share, robust(share)) for share in _SHARES), _PARAMS, null=False,
            x_label=failing,
        ),
    )  # fmt: skip
