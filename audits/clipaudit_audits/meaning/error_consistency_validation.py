"""What is planted to validate the audit of error consistency: a model that repeats a person's answers with a known
probability q and else answers alone, as often right as the person. Then kappa is q."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from clipaudit.data.dataset import Dataset
from clipaudit.validation.plan import Planted, Validation, items

RESPONSES = Path(__file__).with_name("error_consistency_planted.csv")  # of one made-up observer, 60 % right
LABELS = ("apple", "cup", "hat", "key", "pear")


def trials() -> Dataset:
    """150 trials with the observer's answers."""
    with RESPONSES.open(encoding="utf-8", newline="") as stream:
        answers = [line["response"] for line in csv.DictReader(stream)]
    return items([{"label": LABELS[i % len(LABELS)], "answer": answer} for i, answer in enumerate(answers)])


def plans() -> Sequence[Validation]:
    """Kappa with the observer."""
    return (
        Validation(
            "kappa", "An observer's answers are repeated with a known probability", trials,
            tuple(Planted(f"echo?q={q}&alone=0.6&seed={{seed}}", q, q) for q in (0.0, 0.1, 0.2, 0.4, 0.7)),
            {"observers": str(RESPONSES)}, x_label="probability of repeating",
        ),
    )  # fmt: skip
