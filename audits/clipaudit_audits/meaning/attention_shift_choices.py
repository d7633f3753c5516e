"""Which images are shown, and under which prompts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from clipaudit.data.dataset import Dataset
from clipaudit.errors import DataError
from clipaudit.stimuli.recipe import seed_from
from clipaudit.zeroshot import fill
from clipaudit_audits.choosing import spread
from clipaudit_audits.meaning.attention_shift_params import AttentionShiftParams
from clipaudit_audits.meaning.attention_shift_stimuli import Covered, Shown, shown_of

ACCURATE, MISLEADING, NEUTRAL = "accurate", "misleading", "neutral"
CHECKED_ROLES = (ACCURATE, MISLEADING, NEUTRAL)


@dataclass(frozen=True)
class Choice:
    """One image: prompts by role, and whether its maps are checked."""

    shown: Shown
    cluster: str
    misled: str  # the label that the misleading prompt names
    prompts: Mapping[str, str]
    checked: bool

    @property
    def item(self) -> str:
        return self.shown.base.id

    @property
    def label(self) -> str:
        return self.shown.attributes["label"]


def choose(dataset: Dataset, params: AttentionShiftParams, seed: int) -> list[Choice]:
    """At most `params.images` images, evenly over the classes; those to be checked come first.

    Raises DataError without the column label, or without two labels that have no word in common.
    """
    dataset.require("label")
    labels = dataset.column("label")
    chosen = spread(labels, params.images, seed)
    names = sorted({labels[i] for i in chosen})
    checked = set(spread([labels[i] for i in chosen], params.checked, seed))
    cluster = dataset.cluster if dataset.cluster in dataset.columns else None
    found = []
    for place, i in enumerate(chosen):
        image = dataset.images[i]
        misled = another(labels[i], names, seed_from(seed, image.id, "misleading"))
        if misled is None:
            raise DataError(
                f"attention_shift: data set {dataset.id!r} has no second label without a word of {labels[i]!r}; a "
                "misleading prompt needs one"
            )
        shown = shown_of(image, params.ground, params.object_size, seed)
        named = image.attributes[cluster] if cluster else image.id
        found.append(Choice(shown, named, misled, prompts_of(labels[i], misled, params), place in checked))
    return sorted(found, key=lambda choice: not choice.checked)


def another(label: str, names: Sequence[str], seed: int) -> str | None:
    """A label that has no word in common with `label`, drawn with `seed`; None where there is none.

    >>> another("red apple", ["apple", "red apple", "pear"], 0)
    'pear'
    """
    words = set(label.lower().split())
    others = [name for name in names if not words & set(name.lower().split())]
    return others[int(np.random.default_rng(seed).integers(len(others)))] if others else None


def paraphrase_roles(params: AttentionShiftParams) -> list[str]:
    """Names of the roles of the paraphrases."""
    return [f"{ACCURATE}-{number}" for number in range(1, len(params.paraphrases) + 1)]


def prompts_of(label: str, misled: str, params: AttentionShiftParams) -> dict[str, str]:
    """Text of each role."""
    paraphrases = (fill(template, label) for template in params.paraphrases)
    return {
        ACCURATE: fill(params.template, label),
        **dict(zip(paraphrase_roles(params), paraphrases, strict=True)),
        MISLEADING: fill(params.template, misled),
        NEUTRAL: params.neutral,
    }


def occluded(choice: Choice, params: AttentionShiftParams) -> list[Covered]:
    """The picture with each patch covered in turn, row by row, and with all of them."""
    count = params.grid**2
    single = np.eye(count, dtype=np.bool_).reshape(count, params.grid, params.grid)
    names = [*(f"patch-{number}" for number in range(count)), "all"]
    every = np.concatenate([single, np.ones((1, params.grid, params.grid), np.bool_)])
    return [Covered(choice.shown, cells, params.fill, name) for cells, name in zip(every, names, strict=True)]
