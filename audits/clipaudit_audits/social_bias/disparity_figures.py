"""Data for plots: gaps beside chance, accuracy per group, and each pair of columns as a table."""

from __future__ import annotations

import re
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
    Point,
    Reference,
    Status,
)
from clipaudit_audits.social_bias.disparity_study import Study
from clipaudit_audits.social_bias.groups import Grouping

MOST_SHOWN = 12
_SMALL = "too small"
_TESTED = (
    "accuracy_gap", "demographic_parity_difference", "true_positive_gap", "false_positive_gap",
    "equalised_odds_difference",
)  # fmt: skip


def all_figures(study: Study, estimates: Sequence[Estimate]) -> list[Figure]:
    """Only those with something to show."""
    made: list[Figure | None] = [_gaps(study, estimates), _class_gaps(study, estimates)]
    for grouping in study.groupings:
        accuracies = _of_groups(estimates, "accuracy", grouping)
        made.append(
            _forest(study, grouping, accuracies) if len(grouping.columns) == 1 else _table(study, grouping, accuracies)
        )
        if len(grouping.columns) == 1:
            made.append(_class_table(study, grouping, estimates))
    return [figure for figure in [*made, _worst(study)] if figure is not None]


def _of_groups(estimates: Sequence[Estimate], metric: str, grouping: Grouping) -> list[Estimate]:
    return [e for e in estimates if e.metric == metric and grouping.label in e.subgroup]


def _slug(*parts: str) -> str:
    return "-".join(re.findall(r"[a-z0-9]+", " ".join(parts).lower()))


def _gaps(study: Study, estimates: Sequence[Estimate]) -> Figure | None:
    kinds = _TESTED if len(study.reported) == 1 else _TESTED[:1]
    shown = [e for e in estimates if e.metric in kinds and e.value is not None]
    if not shown:
        return None
    points = tuple(
        Point(
            label=e.title, value=e.value, low=None if e.interval is None else e.interval.low, high=e.value, n=e.n,
            group=study.spec.metric(e.metric).title, null_low=None if e.null is None else e.null.low,
            null_high=None if e.null is None else e.null.high,
            note="larger than chance" if e.status is Status.EFFECT else "not shown to be larger than chance",
        )
        for e in shown
    )  # fmt: skip
    largest = max(shown, key=lambda e: e.value or 0.0)
    return ForestFigure(
        id="gaps", title="Gaps between annotated groups, beside chance", x_label="largest minus smallest rate (points)",
        points=points, null_value=0.0,
        caption="Mark: observed gap. Line to its left: simultaneous lower bound of the true gap. Band: central 95 % of "
        "gaps when groups are permuted. A mark inside its band is what chance gives.",
        alt=f"The largest of {len(shown)} gaps is {value_text(largest.value, 'points')} ({largest.title}).",
    )  # fmt: skip


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
    points = tuple(
        Point(
            label=e.subgroup[grouping.label], value=e.value, n=e.n, note=_SMALL if e.status is Status.TOO_SMALL else "",
            low=None if e.interval is None else e.interval.low, high=None if e.interval is None else e.interval.high,
        )
        for e in shown
    )  # fmt: skip
    kept = study.answers.readable
    overall = float((study.answers.predictions == study.answers.targets)[kept].mean())
    worst = min(shown, key=lambda e: e.value or 0.0)
    return ForestFigure(
        id=_slug("accuracy", grouping.name), title=f"Accuracy of {study.params.target} by {grouping.label}",
        x_label="share agreeing with the annotation", points=points,
        references=(Reference(label="all images", value=overall, source="this run"),),
        caption="Wilson intervals. Groups are named as annotated.",
        alt=f"Lowest: {worst.subgroup[grouping.label]}, {value_text(worst.value, 'proportion')} of {worst.n} images.",
    )  # fmt: skip


def _table(study: Study, grouping: Grouping, found: Sequence[Estimate]) -> Figure | None:
    """Accuracy of every cell of an intersection; cells that are too small stay empty."""
    columns = (study.answers.columns[name] for name in grouping.columns)
    parts = {", ".join(cell): cell for cell in zip(*columns, strict=True)}
    cells = {parts[e.subgroup[grouping.label]]: e for e in found}
    rows = sorted({", ".join(cell[:-1]) for cell in cells})
    last = sorted({cell[-1] for cell in cells})
    judged = {
        (", ".join(cell[:-1]), cell[-1]): e.value
        for cell, e in cells.items()
        if e.status is not Status.TOO_SMALL and e.value is not None
    }
    if not judged:
        return None
    least = min(judged, key=lambda cell: judged[cell] or 0.0)
    return HeatmapFigure(
        id=_slug("accuracy", grouping.name), title=f"Accuracy by {grouping.label}", rows=tuple(rows),
        columns=tuple(last), values=tuple(tuple(judged.get((row, name)) for name in last) for row in rows),
        value_label="accuracy", caption=f"Empty: {_SMALL} to be judged.",
        alt=f"Lowest: {least[0]}, {least[1]}, {value_text(judged[least], 'proportion')}.",
    )  # fmt: skip


def _class_table(study: Study, grouping: Grouping, estimates: Sequence[Estimate]) -> Figure | None:
    """Selection rate of each class by group."""
    found = {
        (e.subgroup[grouping.label], e.subgroup["class"]): e.value
        for e in _of_groups(estimates, "selection_rate", grouping)
        if e.status is not Status.TOO_SMALL
    }
    if not found:
        return None
    rows = tuple(name for name in grouping.values if any(group == name for group, _ in found))
    top = max(found, key=lambda key: found[key] or 0.0)
    return HeatmapFigure(
        id=_slug("selection", grouping.name), title=f"Which class is given, by {grouping.label}", rows=rows,
        columns=study.reported, values=tuple(tuple(found.get((row, name)) for name in study.reported) for row in rows),
        value_label="share of images given the class", caption=f"Empty: {_SMALL} to be judged.",
        alt=f"Highest: {top[1]} for {top[0]}, {value_text(found[top], 'proportion')}.",
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
            caption=f"annotated as {answers.targets[i]!s}, given {answers.predictions[i]!s}",
        )
        for i in order
    )  # fmt: skip
    return GalleryFigure(
        id="worst-items", title="Images furthest from their annotation", entries=entries,
        caption="Score: of the annotated class less the best other one.",
        alt=f"{len(entries)} images; the first is annotated as {answers.targets[order[0]]!s}.",
    )  # fmt: skip
