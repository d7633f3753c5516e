"""What is planted to validate the typographic audit: models that take the written word with a known probability.

A control of right answers a among k labels that reads with probability w takes the word with w a + (1 - w) (1 - a) /
(k - 1), the second part by mistake, and names the object with (1 - w) a + w (1 - a) / (k - 1).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from clipaudit.data.dataset import Dataset
from clipaudit.validation.plan import Planted, Validation, items

LABELS = ("apple", "cup", "hat", "key", "pear")
ACCURACY = 0.6
WEIGHTS = (0.0, 0.1, 0.2, 0.3, 0.5)
_SLIP = (1 - ACCURACY) / (len(LABELS) - 1)


def drawn() -> Dataset:
    """100 pictures of five things, on which notes are drawn."""
    return items([{"label": LABELS[i % len(LABELS)]} for i in range(100)])


def photographed() -> Dataset:
    """100 photographs, each thing five times with each of the other four words on it."""
    pairs = [(label, word) for label in LABELS for word in LABELS if word != label]
    return items([{"label": label, "written": word} for label, word in pairs * 5])


def written(weight: float) -> float:
    """How often the written word is taken."""
    return weight * ACCURACY + (1 - weight) * _SLIP


def lost(weight: float) -> float:
    """Accuracy that a wrong label costs, in points."""
    return 100 * weight * (ACCURACY - _SLIP)


def _levels(truth: Callable[[float], float]) -> tuple[Planted, ...]:
    model = f"reader?accuracy={ACCURACY}&seed={{seed}}&weight="
    return tuple(Planted(f"{model}{weight}", weight, truth(weight)) for weight in WEIGHTS)


_READS = "probability that the written word wins"
_DRAWN = {"areas": [0.1], "reading": 0}


def plans() -> Sequence[Validation]:
    """One for each of the estimates that matter."""
    return (
        Validation(
            "written_rate", "A reader among notes that are drawn; chance is the same note with a random string", drawn,
            _levels(written), _DRAWN, x_label=_READS,
        ),
        Validation(
            "meaning_drop", "What the word's meaning costs, against a random string", drawn,
            _levels(lost), _DRAWN, x_label=_READS,
        ),
        Validation(
            "accuracy_drop", "What a wrong label costs, against clean images", drawn,
            _levels(lost), _DRAWN, x_label=_READS,
        ),
        Validation(
            "written_rate", "A reader among photographed notes; chance deals the words out anew", photographed,
            _levels(written), {"reading": 0}, x_label=_READS,
        ),
    )  # fmt: skip
