"""Effects of known size for the occupation audit on text: some occupations lean towards the words for women."""

from __future__ import annotations

from collections.abc import Sequence

from clipaudit.validation.plan import Planted, Validation
from clipaudit_audits.social_bias.occupation_validation import JOBS, MENS, SHARES

_SHIFTS = (0.0, 0.02, 0.04, 0.08)
_WOMENS = tuple(name for name in JOBS if name not in MENS)
_WOMEN = "woman,female person,lady,gal,mother,girl"
_PARAMS = {"occupations": JOBS, "shares": SHARES, "templates": ["a photo of {}."]}


def plans() -> Sequence[Validation]:
    """The margin of one occupation, and its correlation with shares of women."""
    spec = f"leaning?words={','.join(_WOMENS)}&towards={_WOMEN}&seed={{seed}}&effect="
    levels = tuple(Planted(f"{spec}{shift}", shift, -shift) for shift in _SHIFTS)
    label = "planted shift in cosine"
    return (
        Validation(
            "margin", "An occupation leans towards the words for women", _nothing, levels, _PARAMS, subgroup="nurse",
            x_label=label,
        ),
        Validation(
            "correlation", "The occupations of most women do", _nothing,
            tuple(Planted(level.model, level.effect, None if level.effect else 0.0) for level in levels), _PARAMS,
            x_label=label,
        ),
    )  # fmt: skip


def _nothing() -> None:
    """The audit shows no image."""
