"""Examples shown to a second model."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from clipaudit.errors import ModelError
from clipaudit.zeroshot import prompts
from clipaudit_audits.robustness.adversarial_rows import Journal, Record, record, table, unreadable
from clipaudit_audits.robustness.adversarial_subjects import Trial
from clipaudit_audits.robustness.attacks.apgd import apgd
from clipaudit_audits.robustness.attacks.balls import ball
from clipaudit_audits.robustness.attacks.goals import CrossEntropy
from clipaudit_audits.robustness.attacks.victim import Victim

if TYPE_CHECKING:
    import pyarrow as pa

    from clipaudit.models.protocol import DualEncoder


def transfer(trial: Trial, journal: Journal) -> list[pa.Table]:
    """Examples of largest loss at the largest L-infinity radius, made on this model and shown to the second."""
    other = _Second(trial)
    pieces = [table(unreadable(trial))]
    for number, positions in enumerate(trial.chunks(trial.readable())):
        pieces.append(journal.keep(f"transfer-{number:05d}", partial(_transferred, trial, other, positions)))
    return pieces


class _Second:
    """The second model as a classifier of the first one's pixels, which are resized to its own input."""

    def __init__(self, trial: Trial) -> None:
        from clipaudit.models.load import load_encoder

        encoder = load_encoder(trial.params.second)
        if encoder.info.image_size is None:
            raise ModelError(f"{trial.params.second}: does not say the size of its input")
        self.side = encoder.info.image_size
        self.victim = Victim(encoder, _weights(encoder, trial))

    def wrong(self, pixels: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """(n,) bool."""
        side = self.side
        if pixels.shape[-1] != side:
            pixels = functional.interpolate(pixels, (side, side), mode="bicubic", antialias=True).clamp(0, 1)
        return self.victim.scores(pixels).argmax(dim=1) != labels


def _weights(encoder: DualEncoder, trial: Trial) -> torch.Tensor:
    """(C, d) class weights of the second model."""
    templates = trial.params.templates
    with torch.no_grad():
        vectors = torch.cat(
            [encoder.encode_texts(prompts([name], templates)).float().cpu() for name in trial.sample.classes]
        )
    means = functional.normalize(vectors, dim=1).view(len(trial.sample.classes), len(templates), -1).mean(dim=1)
    return functional.normalize(means, dim=1)


def _transferred(trial: Trial, other: _Second, positions: list[int]) -> list[Record]:
    hit = [p for p in positions if trial.right(p)]
    records = [record(trial, p, "clean") for p in positions]
    if not hit:
        return records
    eps, pixels = trial.params.eps("linf")[-1], trial.pixels(hit)
    subjects = trial.subjects(hit, pixels, torch.zeros(0))
    around = ball("linf", eps)
    start = around.start(pixels, subjects.drawn("transfer"))
    made = apgd(
        trial.victim, CrossEntropy(subjects.labels), pixels, start, around, trial.params.steps, stop=False
    ).pixels
    both = ~other.wrong(pixels, subjects.labels)
    own = trial.victim.scores(made).argmax(dim=1) != subjects.labels
    noise = other.wrong(around.start(pixels, subjects.drawn("noise")), subjects.labels)
    for kind, wrong in (("transfer", other.wrong(made, subjects.labels)), ("noise", noise), ("own", own)):
        records += [
            record(trial, p, kind, norm="linf", eps=eps, success=bool(w))
            for p, w, right in zip(hit, wrong, both, strict=True)
            if bool(right)
        ]
    return records
