"""Data for plots: who is given the unmarked label, intersections, self-similarity, distances of labels, and the images
that are furthest on the side of a group's label."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from clipaudit.numbers import value_text
from clipaudit.results import Estimate, Figure, ForestFigure, GalleryFigure, GalleryItem, PanelsFigure, Status
from clipaudit_audits.choosing import first_of_each
from clipaudit_audits.social_bias.groups import Grouping
from clipaudit_audits.social_bias.intersection_panels import cells_of, drawn, panels, point
from clipaudit_audits.social_bias.markedness_study import Study
from clipaudit_audits.social_bias.rate_figures import gap_point, gaps_forest, group_point, reference_points, said, slug

SHOWN = 3


def all_figures(study: Study, estimates: Sequence[Estimate]) -> list[Figure]:
    """Only those with something to show."""
    made: list[Figure | None] = [_gaps(study, estimates)]
    named = f"Groups are named as {study.basis}."
    gaps = [e for e in estimates if e.metric == "unmarked_gap"]
    for column in study.judged:
        shown = drawn(study.groupings, [e for e in gaps if e.subgroup["labels"] == column])
        for grouping in study.groupings:
            found = [
                e for e in estimates
                if e.metric == "unmarked_rate" and grouping.label in e.subgroup and e.subgroup["labels"] == column
            ]  # fmt: skip
            if len(grouping.columns) == 1:
                title = f"Images given '{study.params.unmarked}' rather than a label of {column}"
                made.append(_forest(slug("unmarked", column), title, "share of images", grouping.label, found, named))
            elif column in grouping.columns and grouping.label in shown:
                made.append(_panels(study, grouping, column, found))
    for grouping in study.groupings[: len(study.params.groups)]:
        found = [e for e in estimates if e.metric == "self_similarity" and grouping.label in e.subgroup]
        title = f"Self-similarity by {grouping.label}"
        made.append(_forest(slug("self-similarity", grouping.name), title, "mean cosine", grouping.label, found, named))
    made.append(_distances(study, estimates))
    made += [_gallery(study, column) for column in study.judged]
    return [figure for figure in made if figure is not None]


def _gaps(study: Study, estimates: Sequence[Estimate]) -> Figure | None:
    shown = [e for e in estimates if e.metric == "unmarked_gap" and e.value is not None]
    points = [gap_point(e, e.subgroup["groups"], f"labels of {e.subgroup['labels']}", said(e)) for e in shown]
    return gaps_forest(shown, points, study.basis)


def _forest(
    id: str, title: str, x_label: str, key: str, found: Sequence[Estimate], caption: str
) -> ForestFigure | None:
    """One mark per group, or per label."""
    shown = [e for e in found if e.value is not None]
    if not shown:
        return None
    points = [*(group_point(e, key, "this model") for e in shown), *reference_points(shown, key)]
    low, high = (pick(shown, key=lambda e: e.value or 0.0) for pick in (min, max))
    return ForestFigure(
        id=id, title=title, x_label=x_label, points=tuple(points), caption=caption,
        alt=f"From {value_text(low.value, low.unit)} ({low.subgroup[key]}) to {value_text(high.value, high.unit)} "
        f"({high.subgroup[key]}).",
    )  # fmt: skip


def _distances(study: Study, estimates: Sequence[Estimate]) -> Figure | None:
    """Of all labels to the unmarked one."""
    found = [e for e in estimates if e.metric == "text_distance"]
    caption, x_label = "Means over templates.", "cosine distance of texts"
    title = f"Distance of the labels to '{study.params.unmarked}'"
    figure = _forest("distances", title, x_label, "label", found, caption)
    if figure is None:
        return None
    points = tuple(group_point(e, "label", f"labels of {e.subgroup['labels']}") for e in found)
    return figure.model_copy(update={"points": points})


def _panels(study: Study, grouping: Grouping, column: str, found: Sequence[Estimate]) -> Figure | None:
    """The rate in every cell of an intersection; those that are too small are shown as such."""
    cells = cells_of(study.answers.columns[name] for name in grouping.columns)
    judged = [e for e in found if e.status is not Status.TOO_SMALL]
    if not judged:
        return None
    most = max(judged, key=lambda e: e.value or 0.0)
    shown = {cells[e.subgroup[grouping.label]]: point(e) for e in found if e.value is not None}
    return PanelsFigure(
        id=slug("unmarked", column, "by", grouping.name), x_label="share of images", panels=panels(shown),
        title=f"Images given '{study.params.unmarked}' rather than a label of {column}, by {grouping.label}",
        null_value=0.0, caption="Wilson intervals.",
        alt=f"Highest: {most.subgroup[grouping.label]}, {value_text(most.value, 'proportion')} of {most.n} images.",
    )  # fmt: skip


def _gallery(study: Study, column: str) -> Figure | None:
    """The images that a label of the column names most clearly; None where the unmarked one is always ahead."""
    lead, label = study.lead(column)
    order = [int(i) for i in np.argsort(-lead, kind="stable") if lead[i] > 0]
    answers = study.answers
    shown = first_of_each(({"i": i, "unit": int(answers.clusters[i])} for i in order), "unit", SHOWN)
    if not shown:
        return None
    entries = tuple(
        GalleryItem(
            items=(answers.items[one["i"]],), score=float(lead[one["i"]]),
            caption=f"'{study.labels[label[one['i']]]}'; {study.basis} as "
            + ", ".join(answers.columns[name][one["i"]] for name in study.params.groups),
        )
        for one in shown
    )  # fmt: skip
    return GalleryFigure(
        id=slug("named", column), entries=entries,
        title=f"Images furthest on the side of a label of {column} from '{study.params.unmarked}'",
        caption="Score: of that label less the unmarked one, in the model's own score. Picked for their size: they "
        "prove nothing.",
        alt=f"The first is called {entries[0].caption}; the label leads by {lead[order[0]]:.4f}.",
    )  # fmt: skip
