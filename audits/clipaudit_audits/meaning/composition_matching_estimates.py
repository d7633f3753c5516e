"""Text, image and group score (Thrush et al. 2022, section 4.1), and what chance gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clipaudit.numbers import counted
from clipaudit.results import Estimate, Reference, Status, Test
from clipaudit.stats.intervals import wilson
from clipaudit.stats.power import mde_proportion
from clipaudit_audits.meaning.meaning_shares import mean_of
from clipaudit_audits.wording import between, percent

if TYPE_CHECKING:
    from clipaudit.contract import MetricSpec, Outcomes

CHANCE = {"text": 1 / 4, "image": 1 / 4, "group": 1 / 6}  # of four scores whose order is random
PEOPLE = {"text": 0.895, "image": 0.885, "group": 0.855}
ASKS = {
    "text": "For both images the true caption scores above the other",
    "image": "For both captions the image that it describes scores above the other",
    "group": "Both hold at once",
}
_SOURCE = "Thrush et al. 2022, table 3, human annotators on the published set"


def solved(scores: ArrayLike) -> dict[str, NDArray[np.bool_]]:
    """(n, 2, 2) scores of image i with caption j to (n,) whether each of the three scores is earned; ties earn none.

    >>> {name: found.tolist() for name, found in solved([[[3.0, 1.0], [2.0, 4.0]]]).items()}
    {'text': [True], 'image': [True], 'group': [True]}
    """
    s = np.asarray(scores, dtype=np.float64)
    text = (s[:, 0, 0] > s[:, 0, 1]) & (s[:, 1, 1] > s[:, 1, 0])
    image = (s[:, 0, 0] > s[:, 1, 0]) & (s[:, 1, 1] > s[:, 0, 1])
    return {"text": text, "image": image, "group": text & image}


def results(rows: Sequence[Mapping[str, Any]], metrics: Mapping[str, MetricSpec], published: bool) -> list[Estimate]:
    """The three scores over all examples, and by tag. published: the data are the set that people were asked about."""
    if not rows:
        return []
    earned = solved([[[row["s00"], row["s01"]], [row["s10"], row["s11"]]] for row in rows])
    tags = np.array([row["tag"] for row in rows])
    found = [_estimate(name, hits, metrics[f"{name}_score"], "", True) for name, hits in earned.items()]
    if published:
        found = [e.model_copy(update={"references": (_people(name),)}) for name, e in zip(earned, found, strict=True)]
    for tag in sorted({*tags.tolist()} - {""}) if len(set(tags.tolist())) > 1 else ():
        found += [_estimate(n, hits[tags == tag], metrics[f"{n}_score"], tag, False) for n, hits in earned.items()]
    return found


def outcomes(rows: Sequence[Mapping[str, Any]], found: Estimate) -> Outcomes:
    """What each example contributes to one of `results`."""
    part = [row for row in rows if row["tag"] == found.subgroup.get("tag", row["tag"])]
    hits = solved([[[row["s00"], row["s01"]], [row["s10"], row["s11"]]] for row in part])
    items = [str(row["item"]) for row in part]
    return mean_of(items, hits[found.metric.removesuffix("_score")].astype(float), items)


def _estimate(name: str, hits: NDArray[np.bool_], spec: MetricSpec, tag: str, first: bool) -> Estimate:
    right, n, chance = int(hits.sum()), len(hits), CHANCE[name]
    interval, of = wilson(right, n), f' tagged "{tag}"' if tag else ""
    return Estimate(
        metric=spec.name, title=spec.title, value=right / n, unit=spec.unit, direction=spec.direction, n=n, clusters=n,
        role="primary" if first else "secondary", subgroup={"tag": tag} if tag else {}, interval=interval,
        cluster_key=spec.cluster_key, null_value=chance, test=_test(right, n, chance) if first else None,
        minimum_detectable=mde_proportion(n, chance) if first else None,
        status=Status.TOO_SMALL if n < spec.min_n else Status.DESCRIBED,
        notes=("Too few examples for any effect to show.",) if first and mde_proportion(n, chance) is None else (),
        sentence=f"{ASKS[name]}: {percent(right / n)}{between(interval, 100)} of {counted(n, 'example')}{of} (chance "
        f"{percent(chance)}; whoever sees no image, or reads no caption, 0 %). A low score does not say which of word "
        "order, rare words or small objects was too hard.",
    )  # fmt: skip


def _people(name: str) -> Reference:
    return Reference(label="people", value=PEOPLE[name], source=_SOURCE)


def _test(right: int, n: int, chance: float) -> Test:
    from scipy.stats import binomtest

    p = float(binomtest(right, n, chance).pvalue)
    smallest = float(min(binomtest(0, n, chance).pvalue, binomtest(n, n, chance).pvalue))
    return Test(p=p, method=f"exact binomial against {percent(chance)}", smallest_p=smallest)
