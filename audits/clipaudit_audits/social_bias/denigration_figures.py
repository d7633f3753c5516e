"""Data for plots: rates per group beside published ones, intersections, label sets, and the images concerned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from clipaudit.numbers import value_text
from clipaudit.results import (
    Estimate,
    Figure,
    ForestFigure,
    GalleryFigure,
    GalleryItem,
    HeatmapFigure,
    PanelsFigure,
    Status,
)
from clipaudit_audits.choosing import first_of_each
from clipaudit_audits.social_bias.denigration_labels import ANY
from clipaudit_audits.social_bias.denigration_study import Study
from clipaudit_audits.social_bias.groups import Grouping
from clipaudit_audits.social_bias.intersection_panels import cells_of, drawn, panels, point
from clipaudit_audits.social_bias.rate_estimates import rates_by_group
from clipaudit_audits.social_bias.rate_figures import gap_point, gaps_forest, group_point, reference_points, said, slug
from clipaudit_audits.spelled import with_article

MOST_SHOWN = 12


def all_figures(study: Study, estimates: Sequence[Estimate]) -> list[Figure]:
    """Only those with something to show."""
    made: list[Figure | None] = [_gaps(study, estimates)]
    harms = [harm for harm in study.harms if harm != ANY]  # all together: by label set, below
    gaps = [e for e in estimates if e.metric == "harm_gap"]
    shown = {harm: drawn(study.groupings, [e for e in gaps if e.subgroup["labels"] == harm]) for harm in harms}
    for grouping in study.groupings:
        found = {harm: _of_groups(estimates, grouping, harm) for harm in harms}
        if len(grouping.columns) == 1:
            made += [_forest(study, grouping, found), _labels(study, grouping), _sets(study, grouping)]
        made += [_panels(study, grouping, harm, found[harm]) for harm in harms if grouping.label in shown[harm]]
    return [figure for figure in [*made, _gallery(study)] if figure is not None]


def _of_groups(estimates: Sequence[Estimate], grouping: Grouping, harm: str) -> list[Estimate]:
    """The rates in the label set itself."""
    about = {grouping.label, "labels"}
    known = [e for e in estimates if e.metric == "harm_rate" and set(e.subgroup) == about and e.value is not None]
    return [e for e in known if e.subgroup["labels"] == harm]


def _gaps(study: Study, estimates: Sequence[Estimate]) -> Figure | None:
    shown = [e for e in estimates if e.metric == "harm_gap" and e.value is not None]
    points = [gap_point(e, e.subgroup["groups"], e.subgroup["labels"], said(e)) for e in shown]
    return gaps_forest(shown, points, study.basis)


def _forest(study: Study, grouping: Grouping, found: Mapping[str, Sequence[Estimate]]) -> Figure | None:
    """Rates per group, a series for each kind of harm; published ones beside them as marks of further series."""
    every = [e for own in found.values() for e in own]
    if not every:
        return None
    points = [group_point(e, grouping.label, harm) for harm, own in found.items() for e in own]
    for harm, own in found.items():
        points += [p.model_copy(update={"group": f"{harm}: {p.group}"}) for p in reference_points(own, grouping.label)]
    highest = max(every, key=lambda e: e.value or 0.0)
    return ForestFigure(
        id=slug("rate", grouping.name), title=f"Images given a harmful label, by {grouping.label}",
        x_label="share of images", points=tuple(points),
        caption=f"Wilson intervals. Groups are named as {study.basis}. Published rates, where there are any, are "
        "context: another label, prompt or crop gives other rates.",
        alt=f"Highest: {highest.subgroup[grouping.label]}, {value_text(highest.value, 'proportion')} of {highest.n} "
        f"images given {_article(highest.subgroup['labels'])}.",
    )  # fmt: skip


def _article(harm: str) -> str:
    return harm.replace("any", "a", 1) if harm == ANY else f"{with_article(harm)} label"


def _panels(study: Study, grouping: Grouping, harm: str, found: Sequence[Estimate]) -> Figure | None:
    """The rate in every cell of an intersection; those that are too small are shown as such."""
    cells = cells_of(study.answers.columns[name] for name in grouping.columns)
    judged = [e for e in found if e.status is not Status.TOO_SMALL]
    if not judged:
        return None
    most = max(judged, key=lambda e: e.value or 0.0)
    return PanelsFigure(
        id=slug("rate", harm, grouping.name), title=f"Images given {_article(harm)} by {grouping.label}",
        x_label="share of images", panels=panels({cells[e.subgroup[grouping.label]]: point(e) for e in found}),
        null_value=0.0, caption="Wilson intervals.",
        alt=f"Highest: {most.subgroup[grouping.label]}, {value_text(most.value, 'proportion')} of {most.n} images.",
    )  # fmt: skip


def _large(study: Study, grouping: Grouping) -> list[int]:
    return np.flatnonzero(study.large(grouping)).tolist()


def _labels(study: Study, grouping: Grouping) -> Figure | None:
    """Which harmful label is given to which group."""
    kept = _large(study, grouping)
    harmful = [i for i, label in enumerate(study.labels) if any(mask[i] for mask in study.harms.values())]
    if not kept or not harmful:
        return None
    rates = rates_by_group(np.stack([study.chosen[0] == i for i in harmful]), grouping)[:, kept]
    label, group = np.unravel_index(int(rates.argmax()), rates.shape)
    names = tuple(study.labels[i] for i in harmful)
    return HeatmapFigure(
        id=slug("labels", grouping.name), title=f"Which harmful label is given, by {grouping.label}", rows=names,
        columns=tuple(grouping.values[i] for i in kept),
        values=tuple(tuple(float(value) for value in row) for row in rates), value_label="share of images",
        caption="Groups that are too small to be judged are left out.",
        alt=f"Highest: {names[label]} for {grouping.values[kept[group]]}, "
        f"{value_text(float(rates[label, group]), 'proportion')}.",
    )  # fmt: skip


def _sets(study: Study, grouping: Grouping) -> Figure | None:
    """The rate of all harms together in each label set, by group."""
    kept, harm = _large(study, grouping), study.every_harm
    if len(study.sets) < 2 or not kept or not harm:
        return None
    rates = study.rates(grouping, harm)[:, kept]
    spread = np.ptp(rates, axis=0)
    most = int(spread.argmax())
    return HeatmapFigure(
        id=slug("label-sets", grouping.name), title=f"Label sets: images given {_article(harm)} by {grouping.label}",
        rows=tuple(one.name for one in study.sets), columns=tuple(grouping.values[i] for i in kept),
        values=tuple(tuple(float(value) for value in row) for row in rates), value_label="share of images",
        caption="First row: the label set itself. Others: one label left out, or harmless ones added.",
        alt=f"The rate depends most on the label set for {grouping.values[kept[most]]}: it ranges over "
        f"{value_text(100 * float(spread[most]), 'points')}.",
    )  # fmt: skip


def _gallery(study: Study) -> Figure | None:
    """Images that are furthest on the side of a harmful label: its score less the best label of people."""
    offered = study.sets[0].offered
    harms = study.harms.get(study.every_harm)
    if harms is None or not (offered & ~harms).any():
        return None
    scores = np.where(np.isnan(study.answers.scores), -np.inf, study.answers.scores)
    harmful, harmless = (np.where(offered & mask, scores, -np.inf).max(axis=1) for mask in (harms, ~harms))
    given = study.harmed(study.every_harm, study.chosen[0]) & study.answers.readable
    with np.errstate(invalid="ignore"):
        margin = np.where(given, harmful - harmless, -np.inf)
    order = [int(i) for i in np.argsort(-margin, kind="stable") if given[i]]
    ranked = [{"item": study.answers.items[i], "i": i, "unit": int(study.answers.clusters[i])} for i in order]
    shown = first_of_each(ranked, "unit", MOST_SHOWN)
    if not shown:
        return None
    names = study.params.groups
    entries = tuple(
        GalleryItem(
            items=(str(one["item"]),), score=float(margin[one["i"]]),
            caption=f"given {study.labels[study.chosen[0][one['i']]]}; {study.basis} as "
            + ", ".join(study.answers.columns[name][one["i"]] for name in names),
        )
        for one in shown
    )  # fmt: skip
    return GalleryFigure(
        id="worst-items", title="Images furthest on the side of a harmful label", entries=entries,
        caption="Score: of the harmful label less the best other one, in the model's own score. The labels are errors.",
        alt=f"{len(entries)} images; the first was {entries[0].caption}.",
    )  # fmt: skip
