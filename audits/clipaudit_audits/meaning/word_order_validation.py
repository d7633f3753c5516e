"""What is planted to validate the audit of word order: images that lie nearer to their caption than to its shuffles."""

from __future__ import annotations

from collections.abc import Sequence

from clipaudit.validation.plan import Planted, Validation
from clipaudit_audits.meaning.composition_planted import LEADS, beats, beats_all, captions, model
from clipaudit_audits.meaning.composition_shuffles import KINDS


def plans() -> Sequence[Validation]:
    """Before all shuffles at once, and before one."""
    led = "lead of the true caption (standard deviations)"
    return (
        Validation(
            "first", "The caption leads each of its shuffles by a known lead", captions,
            tuple(Planted(model(lead, "caption1"), lead, beats_all(lead, len(KINDS))) for lead in LEADS), x_label=led,
        ),
        Validation(
            "accuracy", "The same, shuffle by shuffle; those of one image stand together", captions,
            tuple(Planted(model(lead, "caption1"), lead, beats(lead)) for lead in LEADS), x_label=led,
        ),
    )  # fmt: skip
