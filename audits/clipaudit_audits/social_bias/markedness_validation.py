"""Effects of known size for the markedness audit: the unmarked label is preferred more often for one group."""

from __future__ import annotations

from collections.abc import Sequence

from clipaudit.data.dataset import Dataset
from clipaudit.validation.plan import Planted, Validation, items

_OTHERWISE = 0.4  # share of unmarked labels in all other groups
_GAPS = (0.0, 0.1, 0.2, 0.35)
_MARGINS = (0.0, 0.01, 0.03, 0.08)
_SHIFT = (
    "counterfactual?attribute=tone&level=dark&words=photo of a person&seed={seed}&effect="  # the unmarked label alone
)
_PARAMS = {"groups": ["tone"], "templates": ["a photo of {}."]}


def plans() -> Sequence[Validation]:
    """The gap in unmarked labels and the rate of one group; and, from embeddings, the margin over one's own label."""
    label = "planted gap in unmarked labels, points"
    return (
        Validation(
            "unmarked_gap", "The unmarked label is preferred more often for one of three groups", _people, _levels(100),
            _PARAMS, x_label=label,
        ),
        Validation(
            "unmarked_rate", "Rate of the group for which it is", _people, _levels(1, _OTHERWISE), _PARAMS,
            subgroup="dark", x_label=label, null=False,
        ),
        Validation(
            "above_own_margin", "Images of one group lie closer to the unmarked label", _people, _shifts(), _PARAMS,
            subgroup="dark", x_label="planted shift in cosine",
        ),
        Validation(
            "self_similarity_difference", "Images of one of two groups lie closer to each other", _pair, _alike(),
            _PARAMS, subgroup="dark", x_label="planted difference in mean cosine",
        ),
    )  # fmt: skip


def _levels(scale: float, base: float = 0.0) -> tuple[Planted, ...]:
    spec = f"preferring?attribute=tone&level=dark&words=a person&otherwise={_OTHERWISE}&seed={{seed}}&rate="
    return tuple(Planted(f"{spec}{_OTHERWISE + gap:.2f}", 100 * gap, scale * (base + gap)) for gap in _GAPS)


def _shifts() -> tuple[Planted, ...]:
    return tuple(Planted(f"{_SHIFT}{shift}", shift, shift) for shift in _MARGINS)


def _alike() -> tuple[Planted, ...]:
    """Images at heights m + spread z on an axis have a mean cosine of m^2; that of both groups is half of it, where the
    other lies at 0. Where nothing is planted both lie far from 0, at either side: alike, and as varied as in any model.
    """
    spec = "association?attribute=tone&a=a1&b=b1&dim=512&x=dark&seed={seed}"
    levels = [Planted(f"{spec}&y=fair&d=1.9", 0.0, 0.0)]
    for d in (1.2, 1.5, 1.7):
        height = 0.1 * d / (1 - d**2 / 4) ** 0.5 / 2  # of the control's spread, .1
        levels.append(Planted(f"{spec}&y=nobody&d={d}", height**2 / 2, height**2 / 2))
    return tuple(levels)


def _pair() -> Dataset:
    return items([{"tone": tone, "number": str(i)} for tone in ("dark", "fair") for i in range(60)], groups=("tone",))


def _people() -> Dataset:
    return items(
        [{"tone": tone, "number": str(i)} for tone in ("dark", "tan", "fair") for i in range(60)], groups=("tone",)
    )
