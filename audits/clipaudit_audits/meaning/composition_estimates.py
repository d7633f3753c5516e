"""From choices to estimates with their sentences. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from clipaudit.numbers import counted, p_text
from clipaudit.results import Estimate, Interval
from clipaudit.stats.bootstrap import bca_mean
from clipaudit_audits.meaning.composition_choices import BLIND, Choices
from clipaudit_audits.meaning.meaning_shares import estimate, interval_of, mean_of, tested
from clipaudit_audits.wording import between, percent, points_text

if TYPE_CHECKING:
    from clipaudit.contract import MetricSpec, Outcomes

Floats = NDArray[np.float64]
ALL = "all kinds"
UNITS = "images"


def results(choices: Choices, metrics: Mapping[str, MetricSpec], seed: int) -> list[Estimate]:
    """All kinds together, then each: the model, the choosers without the image, and by how much it beats them."""
    found: list[Estimate] = []
    kinds: list[str | None] = [None, *(choices.kinds if len(choices.kinds) > 1 else ())]
    for kind in kinds if choices.rows else ():
        part = choices.only(kind)
        where = kind or ALL
        if part.seen:
            found += [_accuracy(part, metrics["accuracy"], where, seed), _gain(part, metrics["gain"], where, seed)]
        if part.seen and kind is None:
            found += _given(part, metrics["accuracy_given"], seed)
        found += [_blind(name, part, metrics["text_only"], where, seed) for name in part.blind]
    return found


def outcomes(choices: Choices, found: Estimate) -> Outcomes | None:
    """What each pair contributes to one of `results`; None for what is right given the texts, whose pairs differ from
    model to model with the strongest choice."""
    kind = found.subgroup.get("kind", ALL)
    part = choices.only(None if kind == ALL else kind)
    items = [str(row["item"]) for row in part.rows]
    match found.metric:
        case "accuracy":
            return mean_of(items, part.model, part.images)
        case "gain":
            return mean_of(items, part.model - part.blind[part.best()], part.images, 100.0)
        case "text_only":
            return mean_of(items, part.blind[found.subgroup["by"]], part.images)
    return None


def _accuracy(part: Choices, spec: MetricSpec, kind: str, seed: int) -> Estimate:
    n = len(part.rows)
    value = float(part.model.mean())
    interval, found = (
        interval_of(part.model, part.images, seed, UNITS),
        tested(part.model, 0.5, part.images, seed, 0.5, UNITS),
    )
    return estimate(
        spec, value, part.images, interval, role="primary", subgroup={"kind": kind}, test=found.test,
        null=found.null, minimum_detectable=found.detectable, notes=found.notes,
        sentence=f"The model takes the true caption in {percent(value)}{between(interval, 100)} of "
        f"{counted(n, 'pair')} ({kind}, {counted(len(set(part.images)), 'image')}; chance 50.0 %). Without the image "
        f"{_best(part)}. A right choice shows that this difference was "
        "noticed, not that the scene was understood.",
    )  # fmt: skip


def _best(part: Choices) -> str:
    name = part.best()
    return f"a choice by {name} reaches {percent(float(part.blind[name].mean()))}"


def _gain(part: Choices, spec: MetricSpec, kind: str, seed: int) -> Estimate:
    name = part.best()
    differences = 100 * (part.model - part.blind[name])
    value, interval = float(differences.mean()), _lead(differences, part, seed)
    found = tested(differences, 0.0, part.images, seed, 100.0, UNITS)
    return estimate(
        spec, value, part.images, interval, role="primary", subgroup={"kind": kind}, test=found.test, null=found.null,
        minimum_detectable=found.detectable, notes=(f"Against {name}: {BLIND[name]}.", *found.notes),
        sentence=f"The model's lead over the strongest choice without the image ({name}) is {points_text(value)}"
        f"{between(interval)} ({kind}, {counted(len(part.rows), 'pair')}; {p_text(found.test.p)} before correction). "
        "What a caption gives away is no evidence that the image was understood.",
    )  # fmt: skip


def _lead(differences: Floats, part: Choices, seed: int) -> Interval:
    """Interval of the lead over the strongest of several choosers, picked on these same pairs.

    That pick makes the lead look smaller than it is, never larger: so the low end is as usual, and the high end is one
    that fails in 2.5 % for all choosers together (Bonferroni).
    """
    usual = bca_mean(differences, part.images, seed, unit=UNITS)
    wide = bca_mean(differences, part.images, seed, level=1 - 0.05 / len(part.blind), unit=UNITS)
    if usual.low is None or len(part.blind) == 1:
        return usual
    how = f"{usual.method}, the high end for {len(part.blind)} choosers at once"
    return usual.model_copy(update={"high": wide.high, "method": how})


def _given(part: Choices, spec: MetricSpec, seed: int) -> list[Estimate]:
    """The model where the strongest chooser without the image is right, and where it is wrong."""
    name, found = part.best(), []
    for outcome, at in (("right", part.blind[name] == 1), ("wrong", part.blind[name] == 0)):
        if not at.any():
            continue
        hits, images = part.model[at], [part.images[i] for i in np.flatnonzero(at)]
        interval = interval_of(hits, images, seed, UNITS)
        found.append(estimate(
            spec, float(hits.mean()), images, interval, subgroup={"without the image": outcome},
            title=f"True caption taken where {name} is {outcome}",
            sentence=f"Where {name} alone is {outcome}, the model takes the true caption in "
            f"{percent(float(hits.mean()))}{between(interval, 100)} of {counted(len(hits), 'pair')}.",
        ))  # fmt: skip
    return found


def _blind(name: str, part: Choices, spec: MetricSpec, kind: str, seed: int) -> Estimate:
    """A check beside the model's choices; where no image was shown, it is what was asked, and is tested."""
    hits = part.blind[name]
    interval, value = interval_of(hits, part.images, seed, UNITS), float(hits.mean())
    asked: dict[str, Any] = {"role": "control"}
    if not part.seen:
        found = tested(hits, 0.5, part.images, seed, 0.5, UNITS)
        asked = {"role": "primary", "test": found.test, "null": found.null}
        asked |= {"minimum_detectable": found.detectable, "notes": found.notes}
    return estimate(
        spec, value, part.images, interval, **asked, title=f"Without the image: {name}",
        subgroup={"kind": kind, "by": name},
        sentence=f"{BLIND[name][0].upper()}{BLIND[name][1:]}: right in {percent(value)}{between(interval, 100)} of "
        f"{counted(len(hits), 'pair')} ({kind}) with no image seen; chance 50.0 %.",
    )  # fmt: skip
