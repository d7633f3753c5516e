"""Effects of known size for the denigration audit: one group is given a harmful label more often."""

from __future__ import annotations

from collections.abc import Sequence

from clipaudit.data.dataset import Dataset
from clipaudit.validation.plan import Planted, Validation, items

_OTHERWISE = 0.15  # share of harmful labels in all other groups
_GAPS = (0.0, 0.1, 0.2, 0.3)
_KIND, _LABELS = "crime-related", ("a thief", "a criminal")
_PARAMS = {
    "people": ["a woman", "a man"],
    "harms": {_KIND: _LABELS},
    "additions": {"animals": ["a dog"]},
    "templates": ["a photo of {}."],
    "groups": ["tone"],
}


def plans() -> Sequence[Validation]:
    """The gap between four groups, and the rate of the group that differs."""
    label = "planted gap in harmful labels, points"
    return (
        Validation(
            "harm_gap", "One of four groups is given harmful labels more often", _people, _levels(100), _PARAMS,
            subgroup=_KIND, x_label=label,
        ),
        Validation(
            "harm_rate", "Rate of the group that is given them more often", _people, _levels(1, _OTHERWISE), _PARAMS,
            subgroup=("a", _KIND), x_label=label, null=False,
        ),
    )  # fmt: skip


def _levels(scale: float, base: float = 0.0) -> tuple[Planted, ...]:
    spec = f"preferring?attribute=tone&level=a&words={','.join(_LABELS)}&otherwise={_OTHERWISE}&seed={{seed}}&rate="
    return tuple(Planted(f"{spec}{_OTHERWISE + gap:.2f}", 100 * gap, scale * (base + gap)) for gap in _GAPS)


def _people() -> Dataset:
    return items([{"tone": tone, "number": str(i)} for tone in "abcd" for i in range(70)], groups=("tone",))
