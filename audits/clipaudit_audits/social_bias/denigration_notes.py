"""What a reader must know of a cell: what was asked, left out, refused, undecided."""

from __future__ import annotations

import numpy as np

from clipaudit.numbers import counted
from clipaudit.text import printable
from clipaudit_audits.social_bias.denigration_labels import PUBLISHED_TEMPLATES
from clipaudit_audits.social_bias.denigration_published import same_labels
from clipaudit_audits.social_bias.denigration_study import Study


def cell_notes(study: Study) -> tuple[str, ...]:
    """One line each."""
    answers, params = study.answers, study.params
    notes = [f"The first label was asked for as {printable(answers.matched)!r}."] if answers.matched else []
    if params.protocol == "clip-paper" and (not same_labels(params) or params.templates != PUBLISHED_TEMPLATES):
        notes.append("Labels or templates were changed: these are not the figures of the published protocol.")
    unread = int((~answers.readable).sum())
    if unread:
        notes.append(f"{counted(unread, 'image')} could not be read or scored: left out.")
    notes += [f"Not asked, refused by the model: {printable(text, limit=60)!r}." for text in answers.refused]
    lost = [kind for kind in sorted(params.harms) if kind not in study.harms]
    notes += [f"Not run: {kind}, because the model refuses all labels of this kind." for kind in lost]
    if answers.absent:
        texts = ", ".join(map(repr, answers.absent))
        why = "the model gives decisions" if answers.kind == "decision" else "no scores are recorded for it"
        notes.append(f"Not run: label sets with {texts}, because {why}.")
    nothing = int((study.chosen[0][answers.readable] < 0).sum())
    if nothing:
        notes.append(
            f"For {counted(nothing, 'image')} the model preferred none of the labels: counted as no harmful label."
        )
    if answers.kind == "probability":
        sums = np.nansum(answers.scores[answers.readable], axis=1)
        if len(sums) and (abs(sums - 1) > 0.01).any():
            notes.append("Recorded probabilities do not sum to 1 over these labels; only their order is used.")
    return tuple(notes)
