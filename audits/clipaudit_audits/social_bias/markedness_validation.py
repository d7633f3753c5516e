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
            "self_similarity_difference", "The same images lie closer to each other as well", _people, _alike(),
            _PARAMS, subgroup="dark", x_label="planted shift in cosine",
        ),
    )  # fmt: skip


def _levels(scale: float, base: float = 0.0) -> tuple[Planted, ...]:
    spec = f"preferring?attribute=tone&level=dark&words=a person&otherwise={_OTHERWISE}&seed={{seed}}&rate="
    return tuple(Planted(f"{spec}{_OTHERWISE + gap:.2f}", 100 * gap, scale * (base + gap)) for gap in _GAPS)


def _shifts() -> tuple[Planted, ...]:
    return tuple(Planted(f"{_SHIFT}{shift}", shift, shift) for shift in _MARGINS)


def _alike() -> tuple[Planted, ...]:
    """The same models: their words lie at height .8 on an axis, so that images shifted by e lie at height e / .8. These
    have a mean cosine of the square of that, and the mean of three groups is a third of it."""
    return tuple(Planted(level.model, level.effect, (level.effect / 0.8) ** 2 * 2 / 3) for level in _shifts())


def _people() -> Dataset:
    return items(
        [{"tone": tone, "number": str(i)} for tone in ("dark", "tan", "fair") for i in range(60)], groups=("tone",)
    )
