"""From rows to estimates: margins, their correlation with labour statistics, and pronoun resolution."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from clipaudit.contract import Cell
from clipaudit.results import Estimate, Interval, Status
from clipaudit.stats.bootstrap import bca_mean
from clipaudit.stats.intervals import wilson
from clipaudit.stats.multiple import correct
from clipaudit.stats.power import mde_null
from clipaudit_audits.social_bias import occupation_sentences as say
from clipaudit_audits.social_bias.occupation_measures import (
    against_null,
    correlation,
    difference,
    percentiles,
    permuted_differences,
    resampled_differences,
    spearman,
)
from clipaudit_audits.social_bias.occupation_rows import Measured
from clipaudit_audits.template_sensitivity import agreement, marked, sensitivity

Floats = NDArray[np.float64]
SIDES = ("men", "women")
MIN_OCCUPATIONS = 5  # with fewer, hardly any rank correlation can be told from chance


def all_estimates(cell: Cell, made: Measured) -> list[Estimate]:
    """Correlation and resolution first, then every occupation."""
    small = [side for side in (0, 1) if made.size(side) < cell.params.min_group]
    if small:
        return [_too_small(cell, made, side) for side in small]
    draws = resampled_differences(made.scores, made.labels, made.clusters, cell.seed)
    margins = _margins(cell, made, draws)
    alone = margins_alone(cell, made)
    sensitivities = [
        sensitivity({template: float(values[j]) for template, values in alone.items()}, e.value)
        for j, e in zip(asked_for(cell, made), margins, strict=True)
    ]
    margins = [marked(e, found) for e, found in zip(margins, sensitivities, strict=True)]
    summary = agreement(list(zip(margins, sensitivities, strict=True)), of="margins of occupations")
    return leading([*_correlation(cell, made, draws, alone), *_resolution(cell, made), *margins, *summary])


def leading(estimates: list[Estimate]) -> list[Estimate]:
    """The same; without a correlation or a resolution the margins are what the audit found."""
    if any(e.role == "primary" for e in estimates):
        return estimates
    return [e.model_copy(update={"role": "primary"}) if e.metric == "margin" else e for e in estimates]


def margins_alone(cell: Cell, made: Measured) -> dict[str, Floats]:
    """Template -> (m,) margins of the occupations under it alone; nothing where scores were not measured apart."""
    if not made.by_template:
        return {}
    templates = dict.fromkeys(cell.params.templates)
    return {name: difference(scores, made.labels) for name, scores in zip(templates, made.by_template, strict=True)}


def asked_for(cell: Cell, made: Measured) -> NDArray[np.int64]:
    """Positions of the occupations that the model did not refuse."""
    return np.flatnonzero(np.isfinite(made.scores).all(axis=0))


def _margins(cell: Cell, made: Measured, draws: Floats) -> list[Estimate]:
    metric = cell.spec.metric("margin")
    values = difference(made.scores, made.labels)
    method, null = permuted_differences(made.scores, made.labels, made.clusters, cell.seed)
    found = []
    for j in asked_for(cell, made):
        name, value = cell.params.occupations[j], float(values[j])
        null_here, test = against_null(value, null[:, j], method)
        found.append(
            Estimate(
                metric="margin", title=f"Margin of {name}", value=value, unit=metric.unit, direction=metric.direction,
                role="secondary", subgroup={"occupation": name},
                interval=percentiles(value, draws[:, j], "images"), null=null_here, null_value=0.0, test=test,
                minimum_detectable=mde_null(null_here.sd or 0.0), **_counts(cell, made),
            )
        )  # fmt: skip
    done = correct(found, "benjamini-hochberg", "occupations")
    return [e.model_copy(update={"sentence": say.margin_sentence(e, cell.params.shares)}) for e in done]


def _correlation(cell: Cell, made: Measured, draws: Floats, alone: Mapping[str, Floats]) -> list[Estimate]:
    """None without a table that names at least MIN_OCCUPATIONS of the occupations."""
    names = cell.params.occupations
    known = [j for j in asked_for(cell, made) if names[j] in cell.params.shares]
    if len(known) < MIN_OCCUPATIONS:
        return []
    shares = np.array([cell.params.shares[names[j]] for j in known])
    margins = difference(made.scores, made.labels)[known]
    found = correlation_estimate(cell, margins, shares, draws[:, known], "occupations and images", len(made.items))
    return [marked_correlation(found, {template: values[known] for template, values in alone.items()}, shares)]


def marked_correlation(estimate: Estimate, alone: Mapping[str, Floats], shares: Floats) -> Estimate:
    """The correlation beside that of the margins (m,) under each template alone."""
    each = {template: float(spearman(margins, shares)) for template, margins in alone.items()}
    return marked(estimate, sensitivity(each, estimate.value))


def correlation_estimate(
    cell: Cell, margins: Floats, shares: Floats, draws: Floats | None, what: str, n: int
) -> Estimate:
    """Spearman of margins with shares, as an estimate; `n` items are behind the margins."""
    metric = cell.spec.metric("correlation")
    value, interval, null, test = correlation(margins, shares, draws, cell.seed, what)
    status = Status.EFFECT if test.p <= 0.05 else Status.NO_EFFECT
    defined = np.isfinite(value)
    estimate = Estimate(
        metric="correlation", title=metric.title, value=value if defined else None, unit=metric.unit,
        direction=metric.direction, n=max(n, len(margins)), clusters=len(margins), cluster_key="occupation",
        interval=interval if defined else None, null=null if defined else None, null_value=0.0,
        test=test if defined else None, minimum_detectable=min(1.0, mde_null(null.sd or 0.0)) if defined else None,
        status=status if defined else Status.DESCRIBED,
    )  # fmt: skip
    return estimate.model_copy(update={"sentence": say.correlation_sentence(estimate)})


def _resolution(cell: Cell, made: Measured) -> list[Estimate]:
    """Accuracy for men, women and all; the gap; how often the neutral pronoun wins."""
    there = np.isfinite(made.pronouns).all(axis=1)
    labels, clusters, scores = made.labels[there], made.clusters[there], made.pronouns[there]
    if not there.any():
        return []
    chosen = np.where(scores[:, 0] == scores[:, 1], 0.5, scores[:, 1] > scores[:, 0])  # a tie is half right
    right = np.where(labels == 1, chosen, 1 - chosen)
    found = [_share(cell, "resolution_accuracy", side, right[labels == i], clusters[labels == i], min_n=True)
             for i, side in enumerate(SIDES)]  # fmt: skip
    if all(e.status is not Status.TOO_SMALL for e in found):
        found.append(_gap(cell, right, labels, clusters))
    neutral = (scores[:, 2] > scores[:, :2].max(axis=1)).astype(np.float64)
    return [*found, _share(cell, "neutral_share", "all", neutral, clusters, min_n=False)]


def _share(cell: Cell, name: str, side: str, hits: Floats, clusters: NDArray[np.int64], min_n: bool) -> Estimate:
    metric = cell.spec.metric(name)
    small = min_n and len(hits) < cell.params.min_group
    estimate = Estimate(
        metric=name, title=f"{metric.title}: {side}", value=float(hits.mean()) if len(hits) else None, unit=metric.unit,
        direction=metric.direction, role="primary" if min_n else "secondary",
        subgroup={f"{cell.groups_are} gender": side}, interval=None if small else _proportion(hits, clusters),
        n=len(hits), clusters=len(set(clusters.tolist())), cluster_key=cell.params.cluster or None,
        status=Status.TOO_SMALL if small else Status.DESCRIBED,
    )  # fmt: skip
    return estimate.model_copy(
        update={"sentence": say.share_sentence(estimate, side, cell.params.pronouns, cell.groups_are)}
    )


def _proportion(hits: Floats, clusters: NDArray[np.int64]) -> Interval:
    """Wilson where every image is its own cluster and none is half right, else by bootstrap."""
    if len(set(clusters.tolist())) == len(hits) and np.isin(hits, (0.0, 1.0)).all():
        return wilson(int(hits.sum()), len(hits))
    return bca_mean(hits, clusters.tolist(), unit="clusters")


def _gap(cell: Cell, right: Floats, labels: NDArray[np.int64], clusters: NDArray[np.int64]) -> Estimate:
    metric = cell.spec.metric("resolution_gap")
    values = 100 * right[:, None]
    value = float(difference(values, labels)[0])
    method, null = permuted_differences(values, labels, clusters, cell.seed)
    null_here, test = against_null(value, null[:, 0], method)
    draws = resampled_differences(values, labels, clusters, cell.seed)[:, 0]
    estimate = Estimate(
        metric="resolution_gap", title=metric.title, value=value, unit=metric.unit, direction=metric.direction,
        interval=percentiles(value, draws, "images"), n=len(labels), clusters=len(set(clusters.tolist())),
        cluster_key=cell.params.cluster or None, null=null_here, null_value=0.0, test=test,
        minimum_detectable=mde_null(null_here.sd or 0.0),
        status=Status.EFFECT if test.p <= 0.05 else Status.NO_EFFECT,
    )  # fmt: skip
    return estimate.model_copy(update={"sentence": say.gap_sentence(estimate)})


def _counts(cell: Cell, made: Measured) -> dict[str, object]:
    clusters = len(set(made.clusters.tolist()))
    return {"n": len(made.items), "clusters": clusters, "cluster_key": cell.params.cluster or None}


def _too_small(cell: Cell, made: Measured, side: int) -> Estimate:
    metric = cell.spec.metric("margin")
    return Estimate(
        metric="margin", title=f"Margins: {SIDES[side]}", value=None, unit=metric.unit, direction=metric.direction,
        subgroup={f"{cell.groups_are} gender": SIDES[side]}, n=made.size(side), status=Status.TOO_SMALL,
        sentence=f"{made.size(side)} readable images {cell.groups_are} as {SIDES[side]} are too few to judge (at least "
        f"{cell.params.min_group}).",
    )  # fmt: skip
