"""What is planted to validate the audit of hard negatives: images that lie nearer to their own caption."""

from __future__ import annotations

from collections.abc import Sequence

from clipaudit.validation.plan import Planted, Validation
from clipaudit_audits.meaning.composition_planted import LEADS, beats, model, pairs


def plans() -> Sequence[Validation]:
    """The true caption's share, and the lead over what is chosen without the image."""
    led = "lead of the true caption (standard deviations)"
    return (
        Validation(
            "accuracy", "An image lies nearer to its own caption by a known lead", pairs,
            tuple(Planted(model(lead), lead, beats(lead)) for lead in LEADS), x_label=led,
        ),
        Validation(
            "gain", "The same, against choices without the image that are right by chance alone", pairs,
            tuple(Planted(model(lead), lead, 100 * (beats(lead) - 0.5)) for lead in LEADS), x_label=led,
        ),
    )  # fmt: skip
