"""The true caption among all of its shuffles at once: one choice of 1 + k."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from clipaudit.numbers import counted
from clipaudit.results import Estimate, Test
from clipaudit.stats.null import null_from_draws
from clipaudit.stats.power import mde_proportion
from clipaudit_audits.meaning.composition_choices import Choices
from clipaudit_audits.meaning.composition_estimates import UNITS
from clipaudit_audits.meaning.meaning_shares import estimate, interval_of, mean_of
from clipaudit_audits.wording import between, percent

if TYPE_CHECKING:
    from clipaudit.contract import MetricSpec, Outcomes

Floats = NDArray[np.float64]
DRAWS = 2000
_BATCH = 100  # draws made at once


def shares_of_first(scores: Floats) -> Floats:
    """(n, 1 + k) scores to what each of a row's candidates gets of the first place: 1, or its share where several tie.

    >>> shares_of_first(np.array([[3.0, 1.0, 2.0], [1.0, 1.0, 0.0]])).tolist()
    [[1.0, 0.0, 0.0], [0.5, 0.5, 0.0]]
    """
    top = np.isclose(scores, scores.max(axis=1, keepdims=True), rtol=1e-6, atol=1e-12)
    return np.asarray(top / top.sum(axis=1, keepdims=True))


def exchanged(won: Floats, seed: int) -> Floats:
    """(DRAWS,) mean share of the first place when any of a row's candidates may be the true one, each as likely."""
    rng, rows = np.random.default_rng(seed), np.arange(len(won))
    batches = (rng.integers(0, won.shape[1], (_BATCH, len(won))) for _ in range(DRAWS // _BATCH))
    return np.concatenate([won[rows, drawn].mean(axis=1) for drawn in batches])


def first(choices: Choices, spec: MetricSpec, seed: int) -> list[Estimate]:
    """One estimate over the captions that have every kind of shuffle; none without images or with one kind alone."""
    whole = _whole(choices)
    return [_estimate(_won(whole), [image for image, _ in whole], spec, seed)] if whole else []


def outcomes(choices: Choices) -> Outcomes:
    """What each caption contributes to the estimate of `first`."""
    whole = _whole(choices)
    return mean_of([f"{image}#{text}" for image, text in whole], _won(whole)[:, 0], [image for image, _ in whole])


Whole = Mapping[tuple[str, str], Sequence[Mapping[str, Any]]]


def _whole(choices: Choices) -> Whole:
    """(image, caption) to its rows, of those that have one of every kind."""
    kinds = len(choices.kinds)
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for row in choices.rows if choices.seen and kinds > 1 else ():
        groups.setdefault((row["image"], row["caption"]), []).append(row)
    return {name: rows for name, rows in groups.items() if len(rows) == kinds}


def _won(whole: Whole) -> Floats:
    return shares_of_first(np.array([[rows[0]["true"], *(row["false"] for row in rows)] for rows in whole.values()]))


def _estimate(won: Floats, images: Sequence[str], spec: MetricSpec, seed: int) -> Estimate:
    hits, chance = won[:, 0], 1 / won.shape[1]
    value, interval, draws = float(hits.mean()), interval_of(hits, images, seed, UNITS), exchanged(won, seed)
    extreme = int((np.abs(draws - chance) >= abs(value - chance) - 1e-12).sum())
    test = Test(
        p=(1 + extreme) / (DRAWS + 1), method=f"Monte Carlo exchange of the true caption and its shuffles ({DRAWS:,})",
        smallest_p=1 / (DRAWS + 1),
    )  # fmt: skip
    return estimate(
        spec, value, images, interval, role="primary", test=test, null_value=chance,
        null=null_from_draws(draws, f"the true caption exchanged with its shuffles, {DRAWS:,} times"),
        minimum_detectable=mde_proportion(len(hits), chance), notes=("Smallest effect: as of independent captions.",),
        sentence=f"The true caption comes before all {won.shape[1] - 1} shuffles in {percent(value)}"
        f"{between(interval, 100)} of {counted(len(hits), 'caption')} ({counted(len(set(images)), 'image')}; chance "
        f"{percent(chance)}). A shuffle can be told by how it reads: see what is chosen without the image.",
    )  # fmt: skip
