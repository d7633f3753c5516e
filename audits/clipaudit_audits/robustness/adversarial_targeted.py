"""Any image to any text: the attack that uses the gap between images and texts."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import torch

from clipaudit_audits.robustness.adversarial_rows import Journal, Record, record, table, unreadable
from clipaudit_audits.robustness.adversarial_subjects import Trial
from clipaudit_audits.robustness.attacks.apgd import apgd
from clipaudit_audits.robustness.attacks.balls import ball
from clipaudit_audits.robustness.attacks.found import Found
from clipaudit_audits.robustness.attacks.goals import Chosen, picked

if TYPE_CHECKING:
    import pyarrow as pa


def targeted(trial: Trial, journal: Journal) -> list[pa.Table]:
    """Tables of rows, one per chunk of images. The label set is the classes and all wanted texts."""
    pieces = [table(unreadable(trial))]
    for number, positions in enumerate(trial.chunks(trial.readable())):
        pieces.append(journal.keep(f"targeted-{number:05d}", partial(_chunk, trial, positions)))
    return pieces


def dealt(position: int, texts: int) -> int:
    """Which text an image is driven to: all about equally often, along the classes."""
    return position % texts


def _chunk(trial: Trial, positions: list[int]) -> list[Record]:
    params, victim, classes = trial.params, trial.victim, len(trial.sample.classes)
    pixels = trial.pixels(positions)
    scores = victim.scores(pixels)
    subjects = trial.subjects(positions, pixels, scores)
    wanted = torch.tensor([classes + dealt(p, len(params.wanted)) for p in positions])
    goal = Chosen(wanted)
    found = Found.nothing(pixels)
    clean = goal.reached(scores, torch.arange(len(positions)))
    names = [*trial.sample.classes, *params.wanted]

    def row(i: int, kind: str, eps: float, success: bool, cosine: float) -> Record:
        return record(
            trial, positions[i], kind, norm="linf", eps=eps, wanted=names[int(wanted[i])], success=success,
            steps=int(found.steps[i]), cosine_before=float(picked(scores, wanted)[i]) / victim.scale,
            cosine_after=cosine, cosine_label=float(picked(scores, subjects.labels)[i]) / victim.scale,
        )  # fmt: skip

    before = (picked(scores, wanted) / victim.scale).tolist()
    records = [row(i, "zero", 0.0, bool(clean[i]), before[i]) for i in range(len(positions))]
    for eps in params.eps("linf"):
        standing = torch.nonzero(~found.reached)[:, 0]
        if len(standing) and eps > 0:
            some = subjects.only(standing)
            start = ball("linf", eps).start(some.pixels, some.drawn("targeted"))
            part = apgd(victim, Chosen(wanted[standing]), some.pixels, start, ball("linf", eps), params.steps)
            found.take(standing, part)
        after = (picked(victim.scores(found.pixels), wanted) / victim.scale).tolist()
        records += [row(i, "targeted", eps, bool(found.reached[i]), after[i]) for i in range(len(positions))]
    return records
