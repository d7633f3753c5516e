"""One change, or one patch, for all images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import torch

from clipaudit.stimuli.recipe import seed_from
from clipaudit_audits.choosing import spread
from clipaudit_audits.robustness.adversarial_params import Part
from clipaudit_audits.robustness.adversarial_pictures import PICTURES, triple
from clipaudit_audits.robustness.adversarial_rows import Journal, Record, record, table, unreadable
from clipaudit_audits.robustness.adversarial_subjects import MADE_ON, Trial
from clipaudit_audits.robustness.attacks.ensemble import Subjects
from clipaudit_audits.robustness.attacks.patch import paste, patch, places, side_of
from clipaudit_audits.robustness.attacks.universal import universal

if TYPE_CHECKING:
    import pyarrow as pa


def for_all(trial: Trial, journal: Journal, part: Part) -> list[pa.Table]:
    """One change, or one patch, made on half of the images that the model gets right and shown on the other half, and
    the other way round; beside it noise of the same size. A natural unit lies in one half."""
    clean = [record(trial, i, "clean") for i in trial.readable()]
    pieces = [table(unreadable(trial)), table(clean)]
    halves = _halves(trial)
    for number, (made_on, shown_on) in enumerate((halves, halves[::-1])):
        if made_on and shown_on:
            work = partial(_shown, trial, part, number, _few(trial, made_on), shown_on)
            pieces.append(journal.keep(f"{part}-{number}", work))
    return pieces


def _halves(trial: Trial) -> tuple[list[int], list[int]]:
    """Positions of the images that the model gets right, every other natural unit in each half."""
    hit = [i for i in trial.readable() if trial.right(i)]
    turn = {cluster: k % 2 for k, cluster in enumerate(dict.fromkeys(trial.sample.clusters[i] for i in hit))}
    first = [i for i in hit if not turn[trial.sample.clusters[i]]]
    return first, [i for i in hit if turn[trial.sample.clusters[i]]]


def _few(trial: Trial, positions: list[int]) -> list[int]:
    """At most `MADE_ON` of them, evenly over the classes: all are held in memory."""
    return [positions[i] for i in spread([trial.sample.labels[p] for p in positions], MADE_ON, trial.cell.seed)]


def _shown(trial: Trial, part: Part, number: int, made_on: list[int], shown_on: list[int]) -> list[Record]:
    """Make it on the one half, count on the other whom it breaks, and whom noise does."""
    seed = seed_from(trial.cell.seed, part, number) % 2**63
    change = (_patch if part == "patch" else _universal)(trial, _subjects(trial, made_on), seed)
    records: list[Record] = []
    shown: set[int] = set()
    for positions in trial.chunks(shown_on):
        some = _subjects(trial, positions)
        for kind, points in ((part, change.made(some)), ("noise", change.noise(some))):
            taken = trial.victim.scores(points).argmax(dim=1)
            sizes = (points - some.pixels).flatten(1).abs().amax(dim=1)
            for i, position in enumerate(positions):
                row = record(
                    trial, position, kind, norm=change.norm, eps=change.eps, size=float(sizes[i]),
                    success=bool(taken[i] != some.labels[i]), taken=trial.sample.classes[int(taken[i])],
                )  # fmt: skip
                label, new = int(some.labels[i]), kind == part and row["success"] and trial.may_be_shown
                if new and len(shown) < PICTURES and label not in shown:
                    shown.add(label)
                    row["pictures"] = triple(some.pixels[i], points[i])
                records.append(row)
    return records


def _subjects(trial: Trial, positions: list[int]) -> Subjects:
    """The images with their pixels; nothing here asks for clean scores."""
    return trial.subjects(positions, trial.pixels(positions), torch.zeros(len(positions), 0))


@dataclass(frozen=True)
class _Change:
    """What is put on any image, and noise as large: images (n, 3, H, W) from subjects."""

    norm: str
    eps: float
    made: Callable[[Subjects], torch.Tensor]
    noise: Callable[[Subjects], torch.Tensor]


def _universal(trial: Trial, made_on: Subjects, seed: int) -> _Change:
    params, eps = trial.params, trial.params.universal_eps
    change = universal(trial.victim, made_on.pixels, made_on.labels, eps, params.rounds, seed)
    noise = eps * torch.randn(change.shape, generator=torch.Generator().manual_seed(seed)).sign()
    return _Change(
        "linf", eps, lambda some: (some.pixels + change).clamp(0, 1), lambda some: (some.pixels + noise).clamp(0, 1)
    )


def _patch(trial: Trial, made_on: Subjects, seed: int) -> _Change:
    """Both the patch and one of random colours, drawn anew for each image, lie at the same place of an image."""
    height, width = made_on.pixels.shape[-2:]
    side = side_of(trial.params.patch_area, height, width)
    made = patch(trial.victim, made_on.pixels, made_on.labels, side, trial.params.rounds, seed)

    def at(some: Subjects) -> torch.Tensor:
        return places(some.drawn("place"), height, width, side)

    def random(some: Subjects) -> torch.Tensor:
        drawn = [torch.rand(made.shape, generator=torch.Generator().manual_seed(s)) for s in some.drawn("patch")]
        return paste(some.pixels, torch.stack(drawn), at(some))

    return _Change("patch", trial.params.patch_area, lambda some: paste(some.pixels, made, at(some)), random)
