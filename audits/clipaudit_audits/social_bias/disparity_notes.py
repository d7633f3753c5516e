"""What a reader must know of a cell: what was left out, refused, undecided."""

from __future__ import annotations

import numpy as np

from clipaudit.numbers import counted
from clipaudit.text import printable
from clipaudit_audits.social_bias.disparity_params import classes
from clipaudit_audits.social_bias.disparity_study import Study


def cell_notes(study: Study) -> tuple[str, ...]:
    """One line each."""
    answers, params = study.answers, study.params
    notes = [f"The first class was asked for as {printable(answers.asked)!r}."] if answers.asked else []
    if answers.unasked:
        notes.append(f"{counted(answers.unasked, 'image')} without one of the classes as {params.target!r}: left out.")
    unread = int((~answers.readable).sum())
    if unread:
        notes.append(f"{counted(unread, 'image')} could not be read or scored: left out.")
    for one in classes(params):
        if len(one.values) > 1:
            notes.append(f"{one.name} are one class: all are asked for by {', '.join(map(repr, one.texts))}.")
    notes += [f"Not asked, refused by the model: {printable(text, limit=60)!r}." for text in answers.refused]
    given = answers.predictions[answers.readable]
    nothing = int((given == "").sum())
    if nothing:
        notes.append(f"For {counted(nothing, 'image')} the model preferred none of the labels: counted as wrong.")
    other = int((np.isin(given, params.others)).sum())
    if other:
        notes.append(f"{counted(other, 'image')} were given a label that is nobody's class: counted as wrong.")
    if answers.matched == "label":
        notes.append("The model knows bare labels, not prompts: templates have no effect.")
    return tuple(notes)
