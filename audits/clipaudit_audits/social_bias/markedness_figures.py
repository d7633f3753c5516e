"""Data for plots: who is given the unmarked label, intersections as tables, self-similarity, distances of labels."""

from __future__ import annotations

import re
from collections.abc import Sequence

from clipaudit.numbers import value_text
from clipaudit.results import Estimate, Figure, ForestFigure, PanelsFigure, Point, Status
from clipaudit_audits.social_bias.groups import Grouping
from clipaudit_audits.social_bias.intersection_panels import cells_of, panels, point
from clipaudit_audits.social_bias.markedness_study import Study

_SMALL = "too small"


def all_figures(study: Study, estimates: Sequence[Estimate]) -> list[Figure]:
    """Only those with something to show."""
    made: list[Figure | None] = [_gaps(estimates)]
    for column in study.judged:
        for grouping in study.groupings:
            found = [
                e for e in estimates
                if e.metric == "unmarked_rate" and grouping.label in e.subgroup and e.subgroup["labels"] == column
            ]  # fmt: skip
            if len(grouping.columns) == 1:
                title = f"Images given '{study.params.unmarked}' rather than a label of {column}"
                made.append(_forest(_slug("unmarked", column), title, "share of images", grouping.label, found))
            elif column in grouping.columns:
                made.append(_panels(study, grouping, column, found))
    for grouping in study.groupings[: len(study.params.groups)]:
        found = [e for e in estimates if e.metric == "self_similarity" and grouping.label in e.subgroup]
        title = f"Self-similarity by {grouping.label}"
        made.append(_forest(_slug("self-similarity", grouping.name), title, "mean cosine", grouping.label, found))
    for column in study.params.groups:
        found = [e for e in estimates if e.metric == "text_distance" and e.subgroup["labels"] == column]
        title = f"Distance of the labels of {column} to '{study.params.unmarked}'"
        made.append(_forest(_slug("distance", column), title, "cosine distance of texts", "label", found))
    return [figure for figure in made if figure is not None]


def _slug(*parts: str) -> str:
    return "-".join(re.findall(r"[a-z0-9]+", " ".join(parts).lower()))


def _gaps(estimates: Sequence[Estimate]) -> Figure | None:
    shown = [e for e in estimates if e.metric == "unmarked_gap" and e.value is not None]
    if not shown:
        return None
    points = tuple(
        Point(
            label=e.subgroup["groups"], value=e.value, low=None if e.interval is None else e.interval.low, n=e.n,
            group=f"labels of {e.subgroup['labels']}", null_low=None if e.null is None else e.null.low,
            null_high=None if e.null is None else e.null.high,
            note="larger than chance" if e.status is Status.EFFECT else "not shown to be larger than chance",
        )
        for e in shown
    )  # fmt: skip
    largest = max(shown, key=lambda e: e.value or 0.0)
    return ForestFigure(
        id="gaps", title="Gaps between annotated groups, beside chance", x_label="largest minus smallest rate (points)",
        points=points, null_value=0.0,
        caption="Mark: observed gap. Line: from the simultaneous lower bound of the true gap, open above. Band: "
        "central 95 % of gaps when groups are permuted.",
        alt=f"The largest of {len(shown)} gaps is {value_text(largest.value, 'points')} ({largest.title}).",
    )  # fmt: skip


def _forest(id: str, title: str, x_label: str, key: str, found: Sequence[Estimate]) -> Figure | None:
    """One mark per group, or per label."""
    shown = [e for e in found if e.value is not None]
    if not shown:
        return None
    points = [
        Point(
            label=e.subgroup[key], value=e.value, n=e.n, group="this model",
            note=_SMALL if e.status is Status.TOO_SMALL else "",
            low=None if e.interval is None else e.interval.low, high=None if e.interval is None else e.interval.high,
        )
        for e in shown
    ]  # fmt: skip
    points += [
        Point(label=e.subgroup[key], value=known.value, group=known.label, note=known.source)
        for e in shown
        for known in e.references
    ]
    low, high = (pick(shown, key=lambda e: e.value or 0.0) for pick in (min, max))
    return ForestFigure(
        id=id, title=title, x_label=x_label, points=tuple(points), caption="Groups are named as annotated.",
        alt=f"From {value_text(low.value, low.unit)} ({low.subgroup[key]}) to {value_text(high.value, high.unit)} "
        f"({high.subgroup[key]}).",
    )  # fmt: skip


def _panels(study: Study, grouping: Grouping, column: str, found: Sequence[Estimate]) -> Figure | None:
    """The rate in every cell of an intersection; those that are too small are shown as such."""
    cells = cells_of(study.answers.columns[name] for name in grouping.columns)
    judged = [e for e in found if e.status is not Status.TOO_SMALL]
    if not judged:
        return None
    most = max(judged, key=lambda e: e.value or 0.0)
    shown = {cells[e.subgroup[grouping.label]]: point(e) for e in found if e.value is not None}
    return PanelsFigure(
        id=_slug("unmarked", column, "by", grouping.name), x_label="share of images", panels=panels(shown),
        title=f"Images given '{study.params.unmarked}' rather than a label of {column}, by {grouping.label}",
        null_value=0.0, caption="Wilson intervals.",
        alt=f"Highest: {most.subgroup[grouping.label]}, {value_text(most.value, 'proportion')} of {most.n} images.",
    )  # fmt: skip
