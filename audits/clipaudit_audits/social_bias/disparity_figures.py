"""Data for plots: gaps beside chance, accuracy per group, and intersections as small multiples."""

from __future__ import annotations

from collections.abc import Sequence

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
    Reference,
    Status,
)
from clipaudit_audits.social_bias import disparity_sentences as say
from clipaudit_audits.social_bias.disparity_measures import RATES
from clipaudit_audits.social_bias.disparity_study import Study
from clipaudit_audits.social_bias.groups import Grouping
from clipaudit_audits.social_bias.intersection_panels import cells_of, drawn, panels, point
from clipaudit_audits.social_bias.rate_figures import gap_point, gaps_forest, group_point, slug

MOST_SHOWN = 12
_SMALL = "too small"
_SHORT = {
    "accuracy_gap": "accuracy",
    "demographic_parity_difference": "class given",
    "true_positive_gap": "true positives",
    "false_positive_gap": "false positives",
    "equalised_odds_difference": "equalised odds",
}


def all_figures(study: Study, estimates: Sequence[Estimate]) -> list[Figure]:
    """Only those with something to show."""
    made: list[Figure | None] = [_gaps(study, estimates), _class_gaps(study, estimates)]
    shown = drawn(study.groupings, [e for e in estimates if e.metric == "accuracy_gap"])
    for grouping in study.groupings:
        accuracies = _of_groups(estimates, "accuracy", grouping)
        if len(grouping.columns) == 1:
            made += [_forest(study, grouping, accuracies), _class_table(study, grouping, estimates)]
        elif grouping.label in shown:
            made.append(_panels(study, grouping, accuracies))
    return [figure for figure in [*made, _worst(study)] if figure is not None]


def _of_groups(estimates: Sequence[Estimate], metric: str, grouping: Grouping) -> list[Estimate]:
    return [e for e in estimates if e.metric == metric and grouping.label in e.subgroup]


def _gaps(study: Study, estimates: Sequence[Estimate]) -> Figure | None:
    kinds = list(_SHORT) if len(study.reported) == 1 else ["accuracy_gap"]
    shown = [e for e in estimates if e.metric in kinds and e.value is not None]
    points = [
        gap_point(e, f"{e.subgroup['groups'].removesuffix(f' ({study.basis})')}: {_SHORT[e.metric]}", str(e.status))
        for e in shown
    ]
    return gaps_forest(shown, points, study.basis)


def _class_gaps(study: Study, estimates: Sequence[Estimate]) -> Figure | None:
    """Of three classes or more: by which grouping is which given unlike?"""
    found = {
        (e.subgroup["class"], e.subgroup["groups"]): e for e in estimates if e.metric == "equalised_odds_difference"
    }
    if len(study.reported) == 1 or not found:
        return None
    columns = tuple(dict.fromkeys(grouping for _, grouping in found))
    cells = [[found.get((name, grouping)) for grouping in columns] for name in study.reported]
    top = max(found, key=lambda key: found[key].value or 0.0)
    return HeatmapFigure(
        id="class-gaps", title="Equalised odds difference of each class", rows=study.reported, columns=columns,
        values=tuple(tuple(None if e is None else e.value for e in row) for row in cells),
        marked=tuple(tuple(e is not None and e.status is Status.EFFECT for e in row) for row in cells),
        value_label="points", caption="Marked: larger than chance after correction. Finer groupings have larger gaps "
        "by chance alone.",
        alt=f"Largest: {top[0]} by {top[1]}, {value_text(found[top].value, 'points')}.",
    )  # fmt: skip


def _forest(study: Study, grouping: Grouping, found: Sequence[Estimate]) -> Figure | None:
    shown = [e for e in found if e.value is not None]
    if not shown:
        return None
    points = tuple(group_point(e, grouping.label) for e in shown)
    worst = min(shown, key=lambda e: e.value or 0.0)
    return ForestFigure(
        id=slug("accuracy", grouping.name), title=f"Accuracy of {study.params.target} by {grouping.label}",
        x_label=f"share agreeing with {say.truth(study.basis)}", points=points,
        references=(Reference(label="all images", value=_overall(study), source="this run"),),
        caption=f"Wilson intervals. Groups are named as {study.basis}.",
        alt=f"Lowest: {worst.subgroup[grouping.label]}, {value_text(worst.value, 'proportion')} of {worst.n} images.",
    )  # fmt: skip


def _panels(study: Study, grouping: Grouping, found: Sequence[Estimate]) -> Figure | None:
    """Accuracy of every cell of an intersection; those that are too small are shown as such."""
    cells = cells_of(study.answers.columns[name] for name in grouping.columns)
    shown = {cells[e.subgroup[grouping.label]]: e for e in found if e.value is not None}
    judged = [e for e in shown.values() if e.status is not Status.TOO_SMALL]
    if not judged:
        return None
    least = min(judged, key=lambda e: e.value or 0.0)
    return PanelsFigure(
        id=slug("accuracy", grouping.name), title=f"Accuracy of {study.params.target} by {grouping.label}",
        x_label=f"share agreeing with {say.truth(study.basis)}",
        panels=panels({cell: point(e) for cell, e in shown.items()}),
        null_value=_overall(study), caption="Wilson intervals; the upright line is the accuracy over all images.",
        alt=f"Lowest: {least.subgroup[grouping.label]}, {value_text(least.value, 'proportion')} of {least.n} images.",
    )  # fmt: skip


def _overall(study: Study) -> float:
    kept = study.answers.readable
    return float((study.answers.predictions == study.answers.targets)[kept].mean())


def _class_table(study: Study, grouping: Grouping, estimates: Sequence[Estimate]) -> Figure | None:
    """Selection rate of each class by group; of a single reported class, its three rates."""
    single = len(study.reported) == 1
    columns = RATES if single else study.reported
    found = {
        (e.subgroup[grouping.label], e.metric if single else e.subgroup["class"]): e.value
        for metric in (RATES if single else RATES[:1])
        for e in _of_groups(estimates, metric, grouping)
        if e.status is not Status.TOO_SMALL
    }
    if not found:
        return None
    rows = tuple(name for name in grouping.values if any(group == name for group, _ in found))
    top = max((key for key in found if not single or key[1] == RATES[0]), key=lambda key: found[key] or 0.0)
    name = study.reported[0] if single else top[1]
    return HeatmapFigure(
        id=slug("classes", grouping.name), rows=rows,
        title=f"Rates of '{name}' by {grouping.label}" if single else f"Which class is given, by {grouping.label}",
        columns=tuple(study.spec.metric(one).title for one in RATES) if single else study.reported,
        values=tuple(tuple(found.get((row, column)) for column in columns) for row in rows),
        value_label="share of images", caption=f"Empty: {_SMALL} to be judged.",
        alt=f"'{name}' is given most to {top[0]}, {value_text(found[top], 'proportion')}.",
    )  # fmt: skip


def _worst(study: Study) -> Figure | None:
    """Images whose annotated class lies furthest behind another."""
    answers = study.answers
    margins = np.where(answers.readable & np.isfinite(answers.margins), answers.margins, np.inf)
    order = [int(i) for i in np.argsort(margins, kind="stable")[:MOST_SHOWN] if margins[i] < 0]
    if not order:
        return None
    entries = tuple(
        GalleryItem(
            items=(answers.items[i],), score=float(margins[i]),
            caption=f"{study.basis} as {answers.targets[i]!s}, given {answers.predictions[i]!s}",
        )
        for i in order
    )  # fmt: skip
    return GalleryFigure(
        id="worst-items", title=f"Images furthest from {say.truth(study.basis)}", entries=entries,
        caption=f"Score: of the {study.basis} class less the best other one.",
        alt=f"{len(entries)} images; the first is {study.basis} as {answers.targets[order[0]]!s}.",
    )  # fmt: skip
