"""What is planted to validate the calibration audit: confidence that is too high everywhere, or that says nothing."""

from __future__ import annotations

from collections.abc import Sequence

from clipaudit.data.dataset import Dataset
from clipaudit.validation.plan import Planted, Validation, items

LABELS = ("apple", "cup", "hat", "key", "pear")
LOW, HIGH = 0.5, 0.9
_PICTURES = 200


def pictures() -> Dataset:
    """200 pictures of five things."""
    return items([{"label": LABELS[i % len(LABELS)]} for i in range(_PICTURES)])


def too_sure(excess: float) -> str:
    """A control that is surer than it is right by so much, at every confidence."""
    return f"graded?low={LOW}&high={HIGH}&accuracy={(LOW + HIGH) / 2 - excess:g}&seed={{seed}}"


def telling(slope: float) -> str:
    """A control whose confidence says so much about its answers."""
    return f"graded?low={LOW}&high={HIGH}&accuracy=0.7&slope={slope}&seed={{seed}}"


def gain(slope: float, n: int = _PICTURES) -> float:
    """Points of accuracy that leaving out the less sure half of n gains: the mean of the upper n / 2 of n uniform
    order statistics, i / (n + 1), less a half."""
    return 100 * slope * (HIGH - LOW) * n / 4 / (n + 1)


def plans() -> Sequence[Validation]:
    """Calibration error, confidence above accuracy, and what confidence is good for."""
    sizes = (0.0, 0.05, 0.08, 0.12, 0.2)
    said = "confidence less accuracy"
    return (
        Validation(
            "ece", "Confidence is too high by the same amount everywhere", pictures,
            tuple(Planted(too_sure(size), size, size) for size in sizes), x_label=said,
        ),
        Validation(
            "overconfidence", "Confidence is too high by the same amount everywhere", pictures,
            tuple(Planted(too_sure(size), size, 100 * size) for size in sizes), x_label=said,
        ),
        Validation(
            "selective_gain", "Surer answers are more often right", pictures,
            tuple(Planted(telling(slope), slope, gain(slope)) for slope in (0.0, 0.5, 1.0, 1.5)),
            x_label="rise of accuracy with confidence",
        ),
    )  # fmt: skip
