"""From rows to estimates with their sentences. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from clipaudit.numbers import counted, p_text
from clipaudit.results import Direction, Estimate, Null
from clipaudit.stats.bootstrap import bca_mean
from clipaudit.stats.null import null_from_draws
from clipaudit_audits.meaning.meaning_shares import chosen, estimate, interval_of, mean_of, tested
from clipaudit_audits.wording import between, percent

if TYPE_CHECKING:
    from clipaudit.contract import MetricSpec, Outcomes

Floats = NDArray[np.float64]
Rows = Sequence[Mapping[str, Any]]
DRAWS = 2000
MODEL = "the model"
UNITS = "classes"
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


def outcomes(rows: Rows, found: Estimate) -> Outcomes | None:
    """What each image contributes to one of `results`."""
    cue = next((found.subgroup[name] for name in ("look-alike in", "alike in", "by") if name in found.subgroup), "")
    part = [row for row in rows if row["cue"] == (rows[0]["cue"] if cue == MODEL else cue)]
    match found.metric:
        case "class_wins":
            part = [row for row in part if row["match"] is not None]
            values = wins(part)
        case "neighbour_class":
            part = [row for row in part if row["chance"] > 0]
            values = _shared(part, "nearest_label" if cue == MODEL else "cue_nearest_label")
        case "neighbour_alike":
            part = [row for row in part if row["alike"] is not None]
            values = np.array([row["alike"] for row in part], dtype=np.float64)
        case _:
            return None
    return mean_of([str(row["image"]) for row in part], values, [str(row["label"]) for row in part])


def wins(rows: Rows) -> Floats:
    """(n,) 1 where the image of its class is nearer than the look-alike, 0 where it is not; a tie is half a win."""
    match, look = (np.array([row[name] for row in rows], dtype=np.float64) for name in ("to_match", "to_look"))
    return chosen(match, look)


def _wins(cue: str, rows: Rows, spec: MetricSpec, seed: int) -> Estimate:
    hits, labels = wins(rows), [row["label"] for row in rows]
    value, interval = float(hits.mean()), interval_of(hits, labels, seed, UNITS)
    tried = tested(hits, 0.5, labels, seed, 0.5, UNITS)
    return estimate(
        spec, value, labels, interval, role="primary", subgroup={"look-alike in": cue}, test=tried.test,
        null=tried.null, minimum_detectable=tried.detectable, notes=tried.notes,
        sentence=f"An image of the same class with other {NOUNS[cue]} is nearer than a look-alike of another class in "
        f"{percent(value)}{between(interval, 100)} of {counted(len(hits), 'triplet')} ({_classes(labels)}; "
        f"neither way 50.0 %; {p_text(tried.test.p)} before correction). It does not say which other feature decides.",
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
    value, interval = float(hits.mean()), interval_of(hits, labels, seed, UNITS)
    whose = "by the model" if by == MODEL else f"by {by} alone, with no model"
    control = {"role": "control", "direction": Direction.DESCRIPTIVE}
    return estimate(
        spec, value, labels, interval, title=f"{spec.title}, {whose}", subgroup={"by": by}, null=null,
        null_value=null.mean, **({} if by == MODEL else control),
        sentence=f"The nearest neighbour {whose} shares the class of {percent(value)}{between(interval, 100)} of "
        f"{counted(len(hits), 'image')} that have one of their class in the set (at random {percent(null.mean)}).",
    )  # fmt: skip


def _shared(rows: Rows, column: str) -> Floats:
    return np.array([row[column] == row["label"] for row in rows], dtype=np.float64)


def _alike(cue: str, rows: Rows, spec: MetricSpec, seed: int) -> Estimate:
    values, labels = np.array([row["alike"] for row in rows], dtype=np.float64), [row["label"] for row in rows]
    value, interval = float(values.mean()), bca_mean(values, labels, seed, unit=UNITS)
    tried = tested(values, 0.5, labels, seed, 0.5, UNITS)
    return estimate(
        spec, value, labels, interval, subgroup={"alike in": cue}, test=tried.test, null=tried.null,
        minimum_detectable=tried.detectable, notes=tried.notes,
        sentence=f"Of the images of other classes, the one nearest to an image by the model is more alike to it in "
        f"{cue} than {percent(value)}{between(interval, 100)} of them ({counted(len(values), 'image')}; where {cue} "
        "plays no part 50.0 %). Things of one kind often share their looks, so some likeness is no fault.",
    )  # fmt: skip
