"""From choices to estimates with their sentences. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from clipaudit.numbers import counted, p_text
from clipaudit.results import Estimate, Interval, Null, Status, Test
from clipaudit.stats.bootstrap import bca_mean
from clipaudit.stats.clusters import totals
from clipaudit.stats.intervals import wilson
from clipaudit.stats.null import null_from_draws
from clipaudit.stats.paired import sign_flip_test, sign_flips
from clipaudit.stats.power import mde_null
from clipaudit_audits.meaning.composition_choices import BLIND, Choices
from clipaudit_audits.wording import between, percent, points_text

if TYPE_CHECKING:
    from clipaudit.contract import MetricSpec

Floats = NDArray[np.float64]
ALL = "all kinds"


class Tested(NamedTuple):
    """The mean of differences (n,) against zero, whole images flipping sign together."""

    test: Test
    null: Null
    detectable: float | None


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


def tested(differences: Floats, clusters: Sequence[str], seed: int, most: float) -> Tested:
    """Sign-flip test over images; what chance gives for the mean; the smallest mean that would have shown, if any up to
    `most` would."""
    sums, n = totals(differences, clusters), len(differences)
    draws, exact = sign_flips(sums, seed)
    test = sign_flip_test(draws, float(sums.sum()), exact, sums.size)
    null = null_from_draws(draws / n, f"signs of {counted(sums.size, 'image')} flipped ({draws.size:,} patterns)")
    detectable = mde_null(null.sd) if null.sd else None
    return Tested(test, null, detectable if detectable is not None and detectable <= most else None)


def shares(hits: Floats, clusters: Sequence[str], seed: int) -> Interval:
    """Interval of a mean of hits (n,) in 0..1 over images; Wilson where all are alike."""
    interval = bca_mean(hits, clusters, seed, unit="images")
    return interval if interval.low is not None else wilson(round(float(hits.sum())), len(hits))


def estimate(
    spec: MetricSpec, value: float | None, clusters: Sequence[str], interval: Interval | None, **more: Any
) -> Estimate:
    """An estimate of `spec` over items in clusters."""
    status = Status.TOO_SMALL if len(clusters) < spec.min_n else Status.DESCRIBED
    fixed: dict[str, Any] = {
        "title": spec.title, "direction": spec.direction, "role": "secondary", "status": status,
        "null_value": spec.null_value,
    }  # fmt: skip
    return Estimate(
        metric=spec.name, value=value, unit=spec.unit, interval=interval, n=len(clusters),
        clusters=len(set(clusters)), cluster_key=spec.cluster_key, **{**fixed, **more},
    )  # fmt: skip


def _accuracy(part: Choices, spec: MetricSpec, kind: str, seed: int) -> Estimate:
    n = len(part.rows)
    value = float(part.model.mean())
    interval, found = shares(part.model, part.images, seed), tested(part.model - 0.5, part.images, seed, 0.5)
    return estimate(
        spec, value, part.images, interval, role="primary", subgroup={"kind": kind}, test=found.test,
        null=_around(found.null, 0.5), minimum_detectable=found.detectable, notes=_undetectable(found),
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
    value, interval = float(differences.mean()), bca_mean(differences, part.images, seed, unit="images")
    found = tested(differences, part.images, seed, 100.0)
    return estimate(
        spec, value, part.images, interval, role="primary", subgroup={"kind": kind}, test=found.test, null=found.null,
        minimum_detectable=found.detectable, notes=(f"Against {name}: {BLIND[name]}.", *_undetectable(found)),
        sentence=f"The model's lead over the strongest choice without the image ({name}) is {points_text(value)}"
        f"{between(interval)} ({kind}, {counted(len(part.rows), 'pair')}; {p_text(found.test.p)} before correction). "
        "What a caption gives away is no evidence that the image was understood.",
    )  # fmt: skip


def _given(part: Choices, spec: MetricSpec, seed: int) -> list[Estimate]:
    """The model where the strongest chooser without the image is right, and where it is wrong."""
    name, found = part.best(), []
    for outcome, at in (("right", part.blind[name] == 1), ("wrong", part.blind[name] == 0)):
        if not at.any():
            continue
        hits, images = part.model[at], [part.images[i] for i in np.flatnonzero(at)]
        interval = shares(hits, images, seed)
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
    interval, value = shares(hits, part.images, seed), float(hits.mean())
    asked: dict[str, Any] = {"role": "control"}
    if not part.seen:
        found = tested(hits - 0.5, part.images, seed, 0.5)
        asked = {"role": "primary", "test": found.test, "null": _around(found.null, 0.5)}
        asked |= {"minimum_detectable": found.detectable, "notes": _undetectable(found)}
    return estimate(
        spec, value, part.images, interval, **asked, title=f"Without the image: {name}",
        subgroup={"kind": kind, "by": name},
        sentence=f"{BLIND[name][0].upper()}{BLIND[name][1:]}: right in {percent(value)}{between(interval, 100)} of "
        f"{counted(len(hits), 'pair')} ({kind}) with no image seen; chance 50.0 %.",
    )  # fmt: skip


def _around(null: Null, centre: float) -> Null:
    return null.model_copy(update={"mean": centre, "low": centre + null.low, "high": centre + null.high})


def _undetectable(found: Tested) -> tuple[str, ...]:
    return () if found.detectable else ("Too few pairs, or choices that do not vary: no effect would have shown.",)
