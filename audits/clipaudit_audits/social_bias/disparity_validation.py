"""Effects of known size for the disparity audit: one group is recognised less often than the others."""

from __future__ import annotations

from collections.abc import Sequence

from clipaudit.data.dataset import Dataset
from clipaudit.validation.plan import Planted, Validation, items

_OTHERS = 0.7  # accuracy for all other groups
_GAPS = (0.0, 0.1, 0.2, 0.3)
_PARAMS = {"groups": ["tone"]}
_CLASS = "artist"
_TONES = ("dark", "brown", "tan", "fair", "pale")  # the first differs


def plans() -> Sequence[Validation]:
    """The gap in accuracy between two groups and between five, and what stands beside it."""
    label = "planted gap in accuracy, points"
    return (
        Validation(
            "accuracy_gap", "One of two groups is recognised less often", _two, _levels(100), _PARAMS, x_label=label
        ),
        Validation(
            "accuracy", "Accuracy of the group that is recognised less often", _two, _levels(1, of_group=True), _PARAMS,
            subgroup="dark", x_label=label, null=False,
        ),
        Validation(
            "true_positive_gap", "The same within one class", _two, _levels(100), _PARAMS, subgroup=_CLASS,
            x_label=label,
        ),
        Validation(
            "accuracy_gap", "One of five groups is recognised less often", _five, _levels(100), _PARAMS, x_label=label
        ),
        Validation(
            "between_group_variance", "The same: variance of the five groups' accuracies", _five,
            tuple(Planted(level.model, level.effect, level.effect**2 * 4 / 25) for level in _levels(100)), _PARAMS,
            x_label=label,
        ),
    )  # fmt: skip


def _levels(scale: float, of_group: bool = False) -> tuple[Planted, ...]:
    spec = f"varied?accuracy={_OTHERS}&when=dark&seed={{seed}}&then="
    return tuple(
        Planted(f"{spec}{_OTHERS - gap:.2f}", 100 * gap, scale * (_OTHERS - gap if of_group else gap)) for gap in _GAPS
    )


def _two() -> Dataset:
    return _people(_TONES[:2], 90)


def _five() -> Dataset:
    return _people(_TONES, 60)


def _people(tones: Sequence[str], each: int) -> Dataset:
    """`each` images of every group, half of them in each of two classes."""
    labels = (_CLASS, "doctor")
    lines = [{"label": labels[i % 2], "tone": tone, "number": str(i)} for tone in tones for i in range(each)]
    return items(lines, groups=("tone",))
