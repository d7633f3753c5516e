"""Forests of groups, skew along the ranking with its chance band, and what the most skewed queries find first."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from clipaudit.results import (
    CurveFigure,
    Estimate,
    Figure,
    ForestFigure,
    GalleryFigure,
    GalleryItem,
    Point,
    Series,
    Status,
)
from clipaudit.stats.ranking_resample import one_hot, replicates
from clipaudit_audits.social_bias.groups import Grouping
from clipaudit_audits.social_bias.ranked_pools import judged_queries
from clipaudit_audits.social_bias.retrieval_skew_measures import Key, exchangeable, mean, numbers
from clipaudit_audits.social_bias.retrieval_skew_study import Study

SHOWN = 3
_POINTS = 16  # of a curve
_REPLICATES = 200
_CHUNK = 50


def all_figures(study: Study, estimates: Sequence[Estimate]) -> list[Figure]:
    """One forest and one curve per grouping of a single column, one forest of pairs; galleries for single columns."""
    figures: list[Figure] = []
    for grouping in study.groupings:
        own = [e for e in estimates if e.metric == "group_skew" and e.subgroup["groups"] == grouping.label]
        if any(e.value is not None for e in own):
            figures.append(_forest(grouping, own))
        if len(grouping.columns) == 1 and len(grouping.values) > 1 and study.queries:
            figures += _along(study, grouping)
    return figures


def slug(grouping: Grouping) -> str:
    return "-by-".join("".join(c if c.isalnum() else "-" for c in name.lower()).strip("-") for name in grouping.columns)


def _forest(grouping: Grouping, estimates: Sequence[Estimate]) -> ForestFigure:
    judged = [e for e in estimates if e.value is not None]
    worst = max(judged, key=lambda e: abs(e.value or 0.0))
    found = sum(e.status is Status.EFFECT for e in judged)
    return ForestFigure(
        id=f"groups-{slug(grouping)}",
        title=f"Who is found first: {grouping.name} (annotated)",
        caption="Skew of each group: ln(share among the first k / share of the pool), mean over queries; 95 % interval "
        "over queries and images; the band is what permuted labels give. Above 0: found first too often.",
        alt=f"{found} of {len(judged)} skews differ from chance after correction; the largest is {worst.value:+.3f} "
        f"({worst.title}).",
        x_label="skew (ln of shares)",
        null_value=0.0,
        points=tuple(_point(e, grouping, several=len({e.subgroup["k"] for e in judged}) > 1) for e in judged),
    )


def _point(estimate: Estimate, grouping: Grouping, *, several: bool) -> Point:
    """`several`: of more than one k, which the series then tell apart."""
    interval, null = estimate.interval, estimate.null
    rest = estimate.subgroup["group"].partition(", ")[2]
    pair = len(grouping.columns) > 1
    at = estimate.subgroup["k"]
    return Point(
        label=estimate.subgroup["group"],
        value=estimate.value,
        low=None if interval is None else interval.low,
        high=None if interval is None else interval.high,
        n=estimate.n,
        group=(f"{rest}, {at}" if several else rest) if pair else at,
        null_low=None if null is None else null.low,
        null_high=None if null is None else null.high,
        note=str(estimate.status),
    )


def _along(study: Study, grouping: Grouping) -> list[Figure]:
    rankings = study.rankings(grouping)
    judged = judged_queries(rankings)
    shortest = (
        int((rankings.order >= 0).sum(axis=1)[judged].min(initial=rankings.order.shape[1])) if judged.any() else 0
    )
    ks = _lengths(shortest, study.params.k)
    if len(ks) < 2:
        return []
    own_pools = bool(study.params.unit)
    order = rankings.order if own_pools else rankings.order[:, : max(ks)]

    def means(columns: NDArray[np.uint16]) -> NDArray[np.float64]:
        found = numbers(replicates(order, columns, ks, full=own_pools), ks)
        return np.stack([mean(found[Key("max_skew", k, study.params.target)][judged]) for k in ks])

    labels = exchangeable(rankings.codes, rankings.clusters, rankings.units)[1](
        _REPLICATES, np.random.default_rng([study.seed, 3])
    )
    parts = [means(one_hot(labels[:, a : a + _CHUNK], rankings.n_groups)) for a in range(0, _REPLICATES, _CHUNK)]
    null = np.concatenate(parts, axis=1)
    return [_curve(study, grouping, ks, means(rankings.columns)[:, 0], null), _gallery(study, grouping)]


def _lengths(shortest: int, asked: Sequence[int]) -> list[int]:
    """From 5 to half of the shortest pool, evenly on a log scale, and those of the parameters."""
    longest = shortest // 2
    spaced = {round(k) for k in np.geomspace(min(5, longest), longest, _POINTS)} if longest > 1 else set()
    return sorted(spaced | {k for k in asked if k < shortest})


def _curve(
    study: Study, grouping: Grouping, ks: Sequence[int], values: NDArray[np.float64], null: NDArray[np.float64]
) -> CurveFigure:
    """values: (K,) of this model; null: (K, R) under permuted labels."""
    lows, highs = np.quantile(null, [0.025, 0.975], axis=1)
    means = null.mean(axis=1)
    outside = int((values > highs).sum())
    alt = f"MaxSkew at k = {ks[0]} is {values[0]:.3f} (chance {means[0]:.3f}) and at k = {ks[-1]} {values[-1]:.3f} "
    alt += f"(chance {means[-1]:.3f}); it lies above the chance band at {outside} of {len(ks)} lengths."
    x = tuple(float(k) for k in ks)
    return CurveFigure(
        id=f"along-{slug(grouping)}",
        title=f"MaxSkew along the ranking: {grouping.name} (annotated)",
        caption=f"Mean over queries of the largest skew among the first k images, {study.params.target} target. The "
        f"band is the central 95 % of {_REPLICATES} permutations of the labels.",
        alt=alt,
        x_label="k, images from the top",
        y_label="MaxSkew@k",
        series=(
            Series(name="this model", x=x, y=tuple(values.tolist())),
            Series(
                name="permuted labels",
                x=x,
                y=tuple(means.tolist()),
                low=tuple(lows.tolist()),
                high=tuple(highs.tolist()),
                line_only=True,
            ),
        ),
        x_log=True,
    )


def _gallery(study: Study, grouping: Grouping) -> GalleryFigure:
    """The queries with the largest MaxSkew at the first k, and what they find first."""
    rankings = study.rankings(grouping)
    judged = judged_queries(rankings)
    sizes = (rankings.order >= 0).sum(axis=1)
    k = min(study.params.k)
    usable = judged & (sizes > k)
    skews = numbers(replicates(rankings.order, rankings.columns, [k], full=rankings.full), [k])
    values = np.where(usable, skews[Key("max_skew", k, study.params.target)][:, 0], -np.inf)
    leader = np.argmax([skews[Key("group_skew", k, "pool", g)][:, 0] for g in range(rankings.n_groups)], axis=0)
    included = [study.made.items[i] for i in np.flatnonzero(grouping.codes >= 0)]
    entries = []
    for q in np.argsort(-values, kind="stable")[:SHOWN]:
        if np.isfinite(values[q]):
            text = study.queries[q][1].text
            entries.append(
                GalleryItem(
                    items=tuple(included[i] for i in rankings.order[q, :SHOWN] if i >= 0),
                    caption=f"'{text}': MaxSkew@{k} {values[q]:.2f}, towards '{grouping.values[leader[q]]}'",
                    score=float(values[q]),
                )
            )
    alt = f"The most skewed query is {entries[0].caption}." if entries else "No query is judged."
    return GalleryFigure(
        id=f"queries-{slug(grouping)}",
        title=f"Queries with the largest skew: {grouping.name} (annotated)",
        caption=f"The first {SHOWN} images of each. Picked for their size: they prove nothing.",
        alt=alt,
        entries=tuple(entries),
    )
