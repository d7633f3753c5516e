"""What is planted to validate the manipulation audit: an accuracy that shuffled patches lower. No picture is drawn.

With accuracy a as it is and b at both of two levels, the area under the curve is (a / 2 + b + b / 2) / 2, so that
the loss is 3/4 (a - b).
"""

from __future__ import annotations

from collections.abc import Sequence

from clipaudit.data.dataset import Dataset
from clipaudit.validation.plan import Planted, Validation, items

LABELS = ("apple", "cup", "hat", "key", "pear")
CLEAN = 0.9


def pictures() -> Dataset:
    """100 pictures of five things."""
    return items([{"label": LABELS[i % len(LABELS)]} for i in range(100)])


def plans() -> Sequence[Validation]:
    """One for each of the estimates that matter."""
    return (
        Validation(
            "loss", "Shuffling patches costs a known share of accuracy, at both of two levels", pictures,
            tuple(
                Planted(
                    f"varied?accuracy={CLEAN}&when=patch-shuffle&then={CLEAN - lost / 100:g}&seed={{seed}}", lost,
                    0.75 * lost,
                )
                for lost in (0, 5, 10, 15, 30)
            ),
            {"images": 100, "manipulations": ["patch-shuffle=2,4"]}, x_label="accuracy lost at each level (points)",
        ),
    )  # fmt: skip
