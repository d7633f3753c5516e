"""Forests of groups, small multiples of intersections, skew along the ranking before its chance band, and what the
most skewed queries find first."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from clipaudit.results import (
    Estimate,
    Figure,
    ForestFigure,
    GalleryFigure,
    GalleryItem,
    PanelsFigure,
    Point,
    RankFigure,
    Series,
    Status,
)
from clipaudit.stats.ranking_resample import one_hot, replicates
from clipaudit_audits.social_bias.groups import Grouping
from clipaudit_audits.social_bias.intersection_panels import cells_of, panels, point
from clipaudit_audits.social_bias.ranked_pools import judged_queries
from clipaudit_audits.social_bias.retrieval_skew_measures import Key, exchangeable, mean, numbers
from clipaudit_audits.social_bias.retrieval_skew_study import Study

SHOWN = 3
_POINTS = 10  # of a curve
_REPLICATES = 200
_CHUNK = 50


def all_figures(study: Study, estimates: Sequence[Estimate]) -> list[Figure]:
    """Forest, rank plot and gallery of every single column; small multiples of every intersection."""
    figures: list[Figure] = []
    for grouping in study.groupings:
        own = [e for e in estimates if e.metric == "group_skew" and e.subgroup["groups"] == grouping.label]
        if any(e.value is not None for e in own):
            alone = len(grouping.columns) == 1
            figures.append(_forest(grouping, own) if alone else _panels(study, grouping, own))
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
        title=f"Who is found first: {grouping.label}",
        caption="Skew of each group: ln(share among the first k / share of the pool), mean over queries; 95 % interval "
        "over queries and images; the band is what permuted labels give. Above 0: found first too often.",
        alt=f"{found} of {len(judged)} skews differ from chance after correction; the largest is {worst.value:+.3f} "
        f"({worst.title}).",
        x_label="skew (ln of shares)",
        null_value=0.0,
        points=tuple(_point(e) for e in judged),
    )


def _point(estimate: Estimate) -> Point:
    return point(estimate).model_copy(
        update={"label": estimate.subgroup["group"], "group": estimate.subgroup["k"], "note": str(estimate.status)}
    )


def _panels(study: Study, grouping: Grouping, estimates: Sequence[Estimate]) -> PanelsFigure:
    """Of the first k at which a group can be judged: the others stand among the estimates. Groups that are too small
    have no k."""
    first = next(e.subgroup["k"] for e in estimates if e.value is not None)
    cells = cells_of(study.made.columns[name] for name in grouping.columns)
    shown = {cells[e.subgroup["group"]]: e for e in estimates if e.subgroup.get("k", first) == first}
    judged = [e for e in shown.values() if e.value is not None]
    found = sum(e.status is Status.EFFECT for e in judged)
    alt = f"{found} of {len(judged)} skews differ from chance after correction"
    if judged:
        worst = max(judged, key=lambda e: abs(e.value or 0.0))
        alt += f"; the largest is {worst.value:+.3f} ({worst.title})"
    return PanelsFigure(
        id=f"groups-{slug(grouping)}",
        title=f"Who is found first: {grouping.label}",
        caption=f"Skew of each intersection among the {first} images. Bars: 95 % interval over queries and images; "
        "bands: what permuted labels give. Above 0: found first too often.",
        alt=f"{alt}.",
        x_label="skew (ln of shares)",
        null_value=0.0,
        panels=panels({cell: point(e) for cell, e in shown.items()}),
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
    lines = _lines(study, grouping)

    def means(columns: NDArray[np.uint16]) -> NDArray[np.float64]:
        """(lines, K, R) means over the judged queries."""
        found = numbers(replicates(order, columns, ks, full=own_pools), ks)
        return np.stack([[mean(found[key._replace(k=k)][judged]) for k in ks] for key in lines])

    labels = exchangeable(rankings.codes, rankings.clusters, rankings.units)[1](
        _REPLICATES, np.random.default_rng([study.seed, 3])
    )
    parts = [means(one_hot(labels[:, a : a + _CHUNK], rankings.n_groups)) for a in range(0, _REPLICATES, _CHUNK)]
    null = np.concatenate(parts, axis=2)
    return [_rank(study, grouping, ks, means(rankings.columns)[:, :, 0], null), _gallery(study, grouping)]


def _lines(study: Study, grouping: Grouping) -> dict[Key, str]:
    """What is followed along the ranking, with its name: the largest skew, then the skew of each group."""
    groups = {Key("group_skew", 0, "pool", g): name for g, name in enumerate(grouping.values)}
    return {Key("max_skew", 0, study.params.target): "MaxSkew", **groups}


def _lengths(shortest: int, asked: Sequence[int]) -> list[int]:
    """From 5 to half of the shortest pool, evenly on a log scale, and those of the parameters."""
    longest = shortest // 2
    spaced = {round(k) for k in np.geomspace(min(5, longest), longest, _POINTS)} if longest > 1 else set()
    return sorted(spaced | {k for k in asked if k < shortest})


def _rank(
    study: Study, grouping: Grouping, ks: Sequence[int], values: NDArray[np.float64], null: NDArray[np.float64]
) -> RankFigure:
    """values: (lines, K) of this model; null: (lines, K, R) under permuted labels."""
    lines = _lines(study, grouping)
    lows, highs = np.quantile(null, [0.025, 0.975], axis=2)
    expected = np.array([[k * _share(grouping, key) for k in ks] for key in lines])
    chance = null[0].mean(axis=1)
    outside = int((values[0] > highs[0]).sum())
    alt = f"MaxSkew at k = {ks[0]} is {values[0, 0]:.3f} (chance {chance[0]:.3f}) and at k = {ks[-1]} "
    alt += f"{values[0, -1]:.3f} (chance {chance[-1]:.3f}); it lies above the chance band at {outside} of {len(ks)} "
    alt += "lengths."
    return RankFigure(
        id=f"along-{slug(grouping)}",
        title=f"Skew along the ranking: {grouping.label}",
        caption=f"Means over queries: the largest skew among the first k images ({study.params.target} target), then "
        "the skew of each group, ln(share among the first k / share of the pool). Bands: central 95 % of "
        f"{_REPLICATES} permutations of the labels. A group starts where one image of it is expected.",
        alt=alt,
        x_label="k, images from the top",
        y_label="skew (ln of shares)",
        null_value=0.0,
        series=tuple(
            Series(
                name=name,
                x=tuple(float(k) for k in ks),
                y=_known(values[i], expected[i]),
                low=_known(lows[i], expected[i]),
                high=_known(highs[i], expected[i]),
            )
            for i, name in enumerate(lines.values())
        ),
    )


def _share(grouping: Grouping, key: Key) -> float:
    """Of the pool; of everything for the largest skew."""
    return float((grouping.codes == key.group).sum() / (grouping.codes >= 0).sum()) if key.group >= 0 else 1.0


def _known(values: NDArray[np.float64], expected: NDArray[np.float64]) -> tuple[float | None, ...]:
    """None where not defined, and where chance would show less than one image of the group."""
    kept = np.isfinite(values) & (expected >= 1)
    return tuple(value if ok else None for value, ok in zip(values.tolist(), kept.tolist(), strict=True))


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
        title=f"Queries with the largest skew: {grouping.label}",
        caption=f"The first {SHOWN} images of each. Picked for their size: they prove nothing.",
        alt=alt,
        entries=tuple(entries),
    )
