"""Effects of known size for the counterfactual audit: one level of one attribute moves people towards some words."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

from clipaudit.data.dataset import Dataset
from clipaudit.validation.plan import Planted, Validation, items

_SHIFTS = (0.0, 0.01, 0.02, 0.04)
_CRIME = "criminal / law-abiding"
_PARAMS = {
    "categories": [
        {"name": "crime", "title": _CRIME, "plus": ["a thief", "a thug"], "minus": ["a witness", "a juror"]},
        {"name": "wealth", "title": "rich / poor", "plus": ["an heir", "a banker"], "minus": ["a beggar", "a tramp"]},
    ],
    "templates": ["a drawing of {}."],
    "attributes": ["tone", "presentation"],
    "interactions": [["tone", "presentation"]],
    "reference": {"tone": "light"},
}
_LEVELS = tuple(
    Planted(f"counterfactual?attribute=tone&level=dark&words=thief,thug&seed={{seed}}&effect={shift}", shift, shift)
    for shift in _SHIFTS
)


def plans() -> Sequence[Validation]:
    """The shift of a category, that of one phrase, and the shift of both changes at once."""
    label = "planted shift in cosine"
    return (
        Validation(
            "effect", "People drawn darker lie closer to one pole of a category", _people, _LEVELS, _PARAMS,
            subgroup=("tone", _CRIME), x_label=label,
        ),
        Validation(
            "joint_effect", "The same, with another change that plants nothing", _people, _LEVELS, _PARAMS,
            subgroup=_CRIME, x_label=label,
        ),
    )  # fmt: skip


def _people() -> Dataset:
    """As many identities as the audit uses at most, each in two tones, two hair lengths and two kinds of clothing."""
    columns = ("identity", "tone", "presentation", "clothing")
    each = product([f"{i:02d}" for i in range(16)], ("light", "dark"), ("short hair", "long hair"), ("hoodie", "suit"))
    lines = [dict(zip(columns, values, strict=True)) for values in each]
    return items(lines, groups=columns[1:], cluster="identity")
