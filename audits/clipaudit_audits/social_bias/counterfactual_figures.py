"""Forests by change, small multiples of several at once, a heatmap of all phrases, and the pairs that moved most."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from clipaudit.results import (
    Estimate,
    Figure,
    ForestFigure,
    GalleryFigure,
    GalleryItem,
    HeatmapFigure,
    Panel,
    PanelsFigure,
    Point,
    Status,
)
from clipaudit_audits.social_bias import counterfactual_sentences as say
from clipaudit_audits.social_bias.counterfactual_findings import Study, word_findings
from clipaudit_audits.social_bias.counterfactual_pairs import Change
from clipaudit_audits.social_bias.intersection_panels import point

PAIRS_SHOWN = 3
_ASKED = ("effect", "joint_effect", "interaction")


def all_figures(made: Study, estimates: Sequence[Estimate]) -> list[Figure]:
    """Empty where nothing was measured."""
    if not made.table.changes():
        return []
    asked = [e for e in estimates if e.metric in _ASKED and e.role != "control" and "attribute" in e.subgroup]
    checks = [e for e in estimates if e.role == "control"]
    figures: list[Figure] = []
    for attribute in dict.fromkeys(e.subgroup["attribute"] for e in asked):
        own = [e for e in asked if e.subgroup["attribute"] == attribute]
        figures.append(_panels(attribute, own) if " x " in attribute else _forest(attribute, own))
    if checks:
        figures.append(_forest("checks", checks))
    return [*figures, _heatmap(made), *(_gallery(made, name) for name in made.table.levels if made.questions)]


def _slug(name: str) -> str:
    return name.replace(" x ", "-by-").replace(" ", "-")


def _alt(estimates: Sequence[Estimate]) -> str:
    found = [e for e in estimates if e.status is Status.EFFECT]
    largest = max(found, key=lambda e: abs(e.value or 0.0), default=None)
    alt = f"{len(found)} of {len(estimates)} effects differ from 0 after correction"
    return alt + ("." if largest is None else f"; the largest is {largest.value:+.4f} in cosine ({largest.title}).")


def _panels(name: str, estimates: Sequence[Estimate]) -> PanelsFigure:
    """Several changes at once: what they do together, and what of it is more than the sum of each alone."""
    shown: dict[str, list[Point]] = {}
    for e in estimates:
        alone = e.subgroup["change"]
        title = f"beyond the sum: {alone}" if e.metric == "interaction" else f"together: {alone}"
        shown.setdefault(title, []).append(point(e).model_copy(update={"label": e.subgroup["words"]}))
    return PanelsFigure(
        id=f"effects-{_slug(name)}",
        title=f"Effect of drawn {name}",
        caption="Change in cosine when several things change at once in the drawing, and the part of it that is more "
        "than the sum of each change alone: mean over pairs, 95 % interval over identities.",
        alt=_alt(estimates),
        x_label="change in cosine",
        null_value=0.0,
        panels=tuple(Panel(title=title, points=tuple(points)) for title, points in shown.items()),
    )


def _forest(name: str, estimates: Sequence[Estimate]) -> ForestFigure:
    title = "Does the model see what was drawn?" if name == "checks" else f"Effect of drawn {name}"
    return ForestFigure(
        id=f"effects-{_slug(name)}",
        title=title,
        caption="Change in cosine when only this changes in the drawing: mean over pairs, 95 % interval over "
        "identities. Above 0: closer to the first pole of the category.",
        alt=_alt(estimates),
        x_label="change in cosine",
        null_value=0.0,
        points=tuple(_point(e) for e in estimates),
    )


def _point(estimate: Estimate) -> Point:
    interval = estimate.interval
    return Point(
        label=estimate.subgroup["words"],
        value=estimate.value,
        low=None if interval is None else interval.low,
        high=None if interval is None else interval.high,
        n=estimate.n,
        group=estimate.subgroup["change"],
        note=str(estimate.status),
    )


def _heatmap(made: Study) -> HeatmapFigure:
    changes = made.table.changes()
    found = {(f.word, f.changes[0]): f.estimate for f in word_findings(made)}
    cells = [[found[word, change] for change in changes] for word in made.words]
    marked = tuple(tuple(e.status is Status.EFFECT for e in row) for row in cells)
    count = sum(map(sum, marked))
    values = [(abs(e.value), e.title, e.value) for row in cells for e in row if e.value is not None]
    largest = max(values, default=None)
    alt = f"{count} of {len(found)} changes in cosine to single phrases differ from 0 after correction"
    alt += "." if largest is None else f"; the largest is {largest[2]:+.4f} ({largest[1]})."
    return HeatmapFigure(
        id="phrases",
        title="Every phrase, every change",
        caption="Mean change in cosine to each phrase; marked where it differs from 0 after Benjamini-Hochberg over "
        "the whole table. A drift common to all phrases is part of it.",
        alt=alt,
        rows=made.words,
        columns=tuple(f"{change.attribute.replace('_', ' ')}: {say.name_of([change])}" for change in changes),
        values=tuple(tuple(e.value for e in row) for row in cells),
        marked=marked,
        value_label="change in cosine",
        diverging=True,
    )


def _gallery(made: Study, attribute: str) -> GalleryFigure:
    """The pairs with the largest change in any category that is no check, each pair once."""
    entries = []
    for change in made.table.changes():
        if change.attribute == attribute:
            entries += _entries(made, change)
    entries.sort(key=lambda entry: (-(entry.score or 0.0), entry.items))
    shown = tuple(entries[:PAIRS_SHOWN])
    name = attribute.replace("_", " ")
    alt = f"The largest change of a single pair is {shown[0].score:.4f} in cosine." if shown else "There are no pairs."
    return GalleryFigure(
        id=f"pairs-{attribute.replace('_', '-')}",
        title=f"Pairs that moved most: {name}",
        caption="Single pairs, picked for their size: they show what was compared, and prove nothing.",
        alt=alt,
        entries=shown,
    )


def _entries(made: Study, change: Change) -> list[GalleryItem]:
    seen = made.effects((change,), made.questions)
    if not len(seen.deltas):
        return []
    best = np.abs(seen.deltas).argmax(axis=1)
    return [
        GalleryItem(
            items=(made.table.items[before], made.table.items[after]),
            caption=f"{who}, {say.name_of([change])}: {made.questions[k].label} {delta[k]:+.4f}",
            score=float(abs(delta[k])),
        )
        for (before, after), who, k, delta in zip(
            seen.indices.tolist(), seen.clusters, best.tolist(), seen.deltas, strict=True
        )
    ]
