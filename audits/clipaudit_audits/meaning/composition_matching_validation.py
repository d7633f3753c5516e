"""What is planted to validate the matching of two images and two captions: images nearer to their own caption."""

from __future__ import annotations

from collections.abc import Sequence

from clipaudit.validation.plan import Planted, Validation
from clipaudit_audits.meaning.composition_planted import LEADS, beats, examples, matches_both, model


def plans() -> Sequence[Validation]:
    """All three scores."""
    led = "lead of the own caption (standard deviations)"
    both = tuple(Planted(model(lead), lead, beats(lead) ** 2) for lead in LEADS)
    return (
        Validation(
            "text_score", "Two images, each nearer to its own caption by a known lead", examples, both, x_label=led
        ),
        Validation("image_score", "The same, captions choosing between images", examples, both, x_label=led),
        Validation(
            "group_score", "The same, both at once", examples,
            tuple(Planted(model(lead), lead, matches_both(lead)) for lead in LEADS), x_label=led,
        ),
    )  # fmt: skip
