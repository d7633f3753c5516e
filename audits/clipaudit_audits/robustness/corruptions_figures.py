"""Plots' data of the corruption audit. Proportions run from 0 to 1. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from clipaudit.results import (
    BarsFigure,
    CurveFigure,
    Estimate,
    GalleryFigure,
    GalleryItem,
    HeatmapFigure,
    Point,
    Series,
)
from clipaudit.stats.bootstrap import bca_mean
from clipaudit.stimuli.corruption import CLEAN, COMMON, FAMILIES, FURTHER
from clipaudit_audits.choosing import first_of_each
from clipaudit_audits.robustness.corruptions_measures import Outcomes
from clipaudit_audits.robustness.corruptions_score import title_of
from clipaudit_audits.wording import percent

WORST = 6


def matrix(found: Outcomes) -> HeatmapFigure:
    """Accuracy under every corruption at every severity."""
    names = found.corruptions((*COMMON, *FURTHER))
    values = tuple(tuple(float(found.right[name, s].mean()) for s in found.severities) for name in names)
    lowest = min((value, name) for name, line in zip(names, values, strict=True) for value in line)
    return HeatmapFigure(
        id="matrix", title="Accuracy under corruption", rows=tuple(title_of(name) for name in names),
        columns=tuple(f"severity {s}" for s in found.severities), values=values,
        value_label="share of images named correctly",
        alt=f"Accuracy is {percent(float(found.clean.mean()))} on clean images and lowest under {title_of(lowest[1])}: "
        f"{percent(lowest[0])}.",
        caption=f"{len(found.bases):,} images; without corruption {percent(float(found.clean.mean()))} are named "
        "correctly. The last four are not among the common 15.",
    )  # fmt: skip


def by_severity(found: Outcomes, seed: int) -> CurveFigure | None:
    """Accuracy by severity for each family of corruptions; None with a single severity."""
    if len(found.severities) < 2:
        return None
    series = []
    for family, members in FAMILIES.items():
        names = found.corruptions(members)
        if not names:
            continue
        at = [found.clean] + [np.mean([found.right[n, s] for n in names], axis=0) for s in found.severities]
        bounds = [bca_mean(values, found.clusters, seed, n_resamples=500) for values in at]
        series.append(Series(
            name=family, x=(0.0, *(float(s) for s in found.severities)), y=tuple(float(v.mean()) for v in at),
            low=tuple(b.low for b in bounds), high=tuple(b.high for b in bounds),
        ))  # fmt: skip
    last = ", ".join(f"{s.name} {percent(s.y[-1] or 0.0)}" for s in series)
    return CurveFigure(
        id="severity", title="Accuracy by severity", x_label="severity (0: clean)",
        y_label="share of images named correctly", series=tuple(series), y_range=(0, 1),
        alt=f"At severity {found.severities[-1]}: {last}.", caption="Bands are 95 % bootstrap intervals over images.",
    )  # fmt: skip


def small_changes(estimates: Sequence[Estimate]) -> BarsFigure | None:
    """Predictions flipped by each small change; None without."""
    shown = [e for e in estimates if e.metric in ("change_flips", "any_change")]
    if not shown:
        return None
    points = tuple(
        Point(
            label=e.subgroup.get("change", "any of them"), value=e.value, n=e.n,
            low=e.interval.low if e.interval else None, high=e.interval.high if e.interval else None,
        )
        for e in shown
    )  # fmt: skip
    return BarsFigure(
        id="small-changes", title="Predictions flipped by small changes", y_label="share of images", points=points,
        y_range=(0, 1), alt=shown[0].sentence, caption="Lines are 95 % intervals.",
    )  # fmt: skip


def worst(records: Sequence[Mapping[str, Any]]) -> GalleryFigure:
    """Images that were right when clean and fall at the lowest severity or to a small change, by the lead lost."""
    seen = [r for r in records if r["error"] is None]
    clean = {r["base"]: r for r in seen if r["condition"] == CLEAN and r["prediction"] == r["label"]}
    fallen = [r for r in seen if r["base"] in clean and r["prediction"] != r["label"]]
    ranked = sorted(fallen, key=lambda r: (r["severity"], -(clean[r["base"]]["lead"] - r["lead"]), r["item"]))
    entries = tuple(
        GalleryItem(
            items=(clean[r["base"]]["item"], r["item"]), score=clean[r["base"]]["lead"] - r["lead"],
            caption=f"{r['label']}, under {title_of(r['condition'])}"
            f"{'' if r['small'] else ' of severity ' + str(r['severity'])} taken for "
            f"{r['prediction'] or 'nothing in particular'}",
        )
        for r in first_of_each(ranked, "base", WORST)
    )  # fmt: skip
    return GalleryFigure(
        id="worst", title="First to fall", entries=entries,
        alt=f"Worst: {entries[0].caption}." if entries else "No image that was right when clean falls.",
        caption="Right when clean (left) and wrong when changed (right): mildest change first, one of each image. The "
        "score is the lead that the right class lost, in the model's own score.",
    )  # fmt: skip
