"""What is planted to validate the corruption audit: an accuracy that fog lowers. No picture is drawn for it."""

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
            "corruption_drop", "Fog at two severities costs a known share of accuracy", pictures,
            tuple(
                Planted(
                    f"varied?accuracy={CLEAN}&when=fog&then={CLEAN - lost / 100:g}&seed={{seed}}", lost, float(lost)
                )
                for lost in (0, 5, 10, 15, 30)
            ),
            {"images": 100, "corruptions": ["fog"], "severities": [2, 4], "changes": []},
            x_label="accuracy lost (points)",
        ),
    )  # fmt: skip
