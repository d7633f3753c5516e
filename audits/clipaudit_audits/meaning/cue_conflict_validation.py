"""What is planted to validate the cue-conflict audit: models that follow shape with a known probability.

A control that decides by shape with probability q, and then with 1 - a for another of k classes, names the shape with
s = q a + (1 - q) (1 - a) / (k - 1) and the texture with t = (1 - q) a + q (1 - a) / (k - 1): its shape bias is
s / (s + t).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations

from clipaudit.data.dataset import Dataset
from clipaudit.validation.plan import Planted, Validation, items

CLASSES = ("bear", "bird", "boat", "car", "cat", "chair", "clock", "dog", "oven", "truck")
ACCURACY = 0.8


def conflicts() -> Dataset:
    """90 stimuli, every shape with every other texture."""
    return items([{"shape": shape, "texture": texture} for shape, texture in permutations(CLASSES, 2)])


def shape_bias(q: float) -> float:
    """Of the control with this q."""
    slip = (1 - ACCURACY) / (len(CLASSES) - 1)
    return (q * ACCURACY + (1 - q) * slip) / (ACCURACY + slip)


def plans() -> Sequence[Validation]:
    """One for each of the estimates that matter."""
    return (
        Validation(
            "shape_bias", "Shape decides with a known probability, else texture", conflicts,
            tuple(
                Planted(f"shape?q={q}&accuracy={ACCURACY}&seed={{seed}}", q, shape_bias(q))
                for q in (0.5, 0.6, 0.7, 0.8, 0.95)
            ),
            x_label="probability that shape decides",
        ),
    )  # fmt: skip
