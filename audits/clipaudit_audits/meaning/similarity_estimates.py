"""From rows to estimates with their sentences. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from clipaudit.numbers import counted, p_text
from clipaudit.results import Direction, Estimate, Interval, Null, Status, Test
from clipaudit.stats.bootstrap import bca_mean
from clipaudit.stats.clusters import totals
from clipaudit.stats.intervals import wilson
from clipaudit.stats.null import null_from_draws
from clipaudit.stats.paired import sign_flip_test, sign_flips
from clipaudit.stats.power import mde_null
from clipaudit_audits.wording import between, percent

if TYPE_CHECKING:
    from clipaudit.contract import MetricSpec

Floats = NDArray[np.float64]
Rows = Sequence[Mapping[str, Any]]
DRAWS = 2000
MODEL = "the model"
NOUNS = {"colour": "colours", "texture": "textures"}


def results(rows: Rows, metrics: Mapping[str, MetricSpec], seed: int) -> list[Estimate]:
    """Triplets by cue; whom the nearest neighbour shares its class with; how alike the nearest stranger looks.

    rows: those without an error, sorted by item.
    """
    found: list[Estimate] = []
    cues = sorted({row["cue"] for row in rows})
    by_cue = {cue: [row for row in rows if row["cue"] == cue] for cue in cues}
    for cue, part in by_cue.items():
        if triplets := [row for row in part if row["match"] is not None]:
            found.append(_wins(cue, triplets, metrics["class_wins"], seed))
    if cues:
        found += _neighbours(by_cue, metrics["neighbour_class"], seed)
    for cue, part in by_cue.items():
        if placed := [row for row in part if row["alike"] is not None]:
            found.append(_alike(cue, placed, metrics["neighbour_alike"], seed))
    return found


def wins(rows: Rows) -> Floats:
    """(n,) 1 where the image of its class is nearer than the look-alike, 0 where it is not; a tie is half a win."""
    match, look = (np.array([row[name] for row in rows], dtype=np.float64) for name in ("to_match", "to_look"))
    return np.asarray(np.where(np.isclose(match, look, rtol=1e-6, atol=1e-12), 0.5, (match > look).astype(float)))


def _wins(cue: str, rows: Rows, spec: MetricSpec, seed: int) -> Estimate:
    hits, labels = wins(rows), [row["label"] for row in rows]
    value, interval = float(hits.mean()), _shares(hits, labels, seed)
    test, null, detectable = _tested(hits, labels, seed)
    return _estimate(
        spec, value, labels, interval, role="primary", subgroup={"look-alike in": cue}, test=test, null=null,
        minimum_detectable=detectable, notes=_undetectable(detectable),
        sentence=f"An image of the same class with other {NOUNS[cue]} is nearer than a look-alike of another class in "
        f"{percent(value)}{between(interval, 100)} of {counted(len(hits), 'triplet')} ({_classes(labels)}; "
        f"neither way 50.0 %; {p_text(test.p)} before correction). It does not say which other feature decides.",
    )  # fmt: skip


def _classes(labels: Sequence[str]) -> str:
    n = len(set(labels))
    return "1 class" if n == 1 else f"{n:,} classes"


def _neighbours(by_cue: Mapping[str, Rows], spec: MetricSpec, seed: int) -> list[Estimate]:
    """Of images with another one of their class: by the model, then by each cue alone."""
    asked = {cue: [row for row in part if row["chance"] > 0] for cue, part in by_cue.items()}
    first = next(iter(asked.values()))
    if not first:
        return []
    labels, chance = [row["label"] for row in first], np.array([row["chance"] for row in first])
    draws = (np.random.default_rng(seed).random((DRAWS, len(chance))) < chance).mean(axis=1)
    null = null_from_draws(draws, f"neighbours drawn at random, {DRAWS:,} times")
    ways = {MODEL: _shared(first, "nearest_label")}
    ways |= {cue: _shared(part, "cue_nearest_label") for cue, part in asked.items()}
    return [_neighbour(by, hits, labels, spec, null, seed) for by, hits in ways.items()]


def _neighbour(by: str, hits: Floats, labels: Sequence[str], spec: MetricSpec, null: Null, seed: int) -> Estimate:
    value, interval = float(hits.mean()), _shares(hits, labels, seed)
    whose = "by the model" if by == MODEL else f"by {by} alone, with no model"
    control = {"role": "control", "direction": Direction.DESCRIPTIVE}
    return _estimate(
        spec, value, labels, interval, title=f"{spec.title}, {whose}", subgroup={"by": by}, null=null,
        null_value=null.mean, **({} if by == MODEL else control),
        sentence=f"The nearest neighbour {whose} shares the class of {percent(value)}{between(interval, 100)} of "
        f"{counted(len(hits), 'image')} that have one of their class in the set (at random {percent(null.mean)}).",
    )  # fmt: skip


def _shared(rows: Rows, column: str) -> Floats:
    return np.array([row[column] == row["label"] for row in rows], dtype=np.float64)


def _alike(cue: str, rows: Rows, spec: MetricSpec, seed: int) -> Estimate:
    values, labels = np.array([row["alike"] for row in rows], dtype=np.float64), [row["label"] for row in rows]
    value, interval = float(values.mean()), bca_mean(values, labels, seed, unit="classes")
    test, null, detectable = _tested(values, labels, seed)
    return _estimate(
        spec, value, labels, interval, subgroup={"alike in": cue}, test=test, null=null,
        minimum_detectable=detectable, notes=_undetectable(detectable),
        sentence=f"Of the images of other classes, the one nearest to an image by the model is more alike to it in "
        f"{cue} than {percent(value)}{between(interval, 100)} of them ({counted(len(values), 'image')}; where {cue} "
        "plays no part 50.0 %). Things of one kind often share their looks, so some likeness is no fault.",
    )  # fmt: skip


def _shares(hits: Floats, labels: Sequence[str], seed: int) -> Interval:
    interval = bca_mean(hits, labels, seed, unit="classes")
    return interval if interval.low is not None else wilson(round(float(hits.sum())), len(hits))


def _tested(values: Floats, labels: Sequence[str], seed: int) -> tuple[Test, Null, float | None]:
    """The mean of values (n,) against one half, whole classes flipping sign together."""
    sums = totals(values - 0.5, labels)
    draws, exact = sign_flips(sums, seed)
    test = sign_flip_test(draws, float(sums.sum()), exact, sums.size)
    null = null_from_draws(0.5 + draws / len(values), f"signs of {_classes(labels)} flipped ({draws.size:,} patterns)")
    detectable = mde_null(null.sd) if null.sd else None
    return test, null, detectable if detectable is not None and detectable <= 0.5 else None


def _undetectable(found: float | None) -> tuple[str, ...]:
    return () if found else ("Too few images, or choices that do not vary: no effect would have shown.",)


def _estimate(spec: MetricSpec, value: float, labels: Sequence[str], interval: Interval, **more: Any) -> Estimate:
    status = Status.TOO_SMALL if len(labels) < spec.min_n else Status.DESCRIBED
    fixed: dict[str, Any] = {
        "title": spec.title, "direction": spec.direction, "role": "secondary", "status": status,
        "null_value": spec.null_value,
    }  # fmt: skip
    return Estimate(
        metric=spec.name, value=value, unit=spec.unit, interval=interval, n=len(labels), clusters=len(set(labels)),
        cluster_key=spec.cluster_key, **{**fixed, **more},
    )  # fmt: skip
