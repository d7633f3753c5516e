"""Plots' data of the calibration audit. Proportions run from 0 to 1. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from clipaudit.results import (
    CurveFigure,
    Estimate,
    ForestFigure,
    GalleryFigure,
    GalleryItem,
    Point,
    ReliabilityBin,
    ReliabilityCurve,
    ReliabilityFigure,
    Series,
)
from clipaudit_audits.choosing import first_of_each
from clipaudit_audits.robustness.calibration_measures import bin_numbers, binned, bins_for, selective
from clipaudit_audits.robustness.calibration_params import CalibrationParams
from clipaudit_audits.robustness.calibration_score import Answers
from clipaudit_audits.robustness.calibration_spec import SPEC
from clipaudit_audits.robustness.typographic_measures import share
from clipaudit_audits.wording import percent

WORST = 6
COVERAGES = tuple(i / 20 for i in range(1, 21))


def reliability(
    found: Answers, params: CalibrationParams, estimates: Sequence[Estimate], seed: int
) -> ReliabilityFigure:  # fmt: skip
    """Accuracy by stated confidence: all images, then each annotated group that is large enough."""
    curves = [_curve("all images", found, params, seed)]
    for name, of_image in found.groups.items():
        values = np.array(of_image)
        for value in sorted({v for v in of_image if v.strip()}):
            part = found.part(values == value)
            if len(set(part.clusters)) >= SPEC.metric("group_spread").min_n:
                curves.append(_curve(f"{name}: {value}", part, params, seed))
    return ReliabilityFigure(
        id="reliability", title="Reliability diagram", curves=tuple(curves), alt=estimates[0].sentence,
        caption="Below the diagonal the model is surer than it is right. Each mark is a bin of equally many images; "
        "lines are 95 % intervals. Groups with few images are left out.",
    )  # fmt: skip


def _curve(name: str, found: Answers, params: CalibrationParams, seed: int) -> ReliabilityCurve:
    numbers = bin_numbers(found.confidence, bins_for(len(found.clusters), params.bins))
    table, clusters = binned(found.confidence, found.correct, numbers), np.array(found.clusters, dtype=object)
    bins = []
    for b, confidence in enumerate((table.confidence / table.count)[0].tolist()):
        right = share(found.correct[numbers == b], list(clusters[numbers == b]), seed)
        value, ends = right.value or 0.0, right.interval
        low, high = (value if end is None else end for end in (ends.low, ends.high))
        bins.append(ReliabilityBin(confidence=confidence, accuracy=value, low=low, high=high, n=right.n))
    return ReliabilityCurve(name=name, bins=tuple(bins))


def selection(found: Answers) -> CurveFigure:
    """Accuracy by the share of images answered, the surest first."""
    y = tuple(selective(found.confidence, found.correct, coverage) for coverage in COVERAGES)
    return CurveFigure(
        id="selective", title="Accuracy where the model is surest", x_label="share of images answered",
        y_label="share that was right", series=(Series(name="surest first", x=COVERAGES, y=y),), y_range=(0, 1),
        alt=f"Right on {percent(y[9])} of the surer half, on {percent(y[-1])} of all.",
        caption="A confidence that carries information falls from left to right.",
    )  # fmt: skip


def by_group(estimates: Sequence[Estimate]) -> ForestFigure | None:
    """Confidence above accuracy by group; None without groups."""
    shown = [e for e in estimates if e.metric == "overconfidence" and e.subgroup]
    if not shown:
        return None
    points = tuple(
        Point(
            label=", ".join(e.subgroup.values()), group=", ".join(e.subgroup), value=e.value, n=e.n,
            low=e.interval.low if e.interval else None, high=e.interval.high if e.interval else None,
        )
        for e in shown
    )  # fmt: skip
    most = max(shown, key=lambda e: e.value or 0.0)
    return ForestFigure(
        id="groups", title="Confidence above accuracy, by group", x_label="points", points=points,
        null_value=0.0, alt=f"Largest: {most.sentence}", caption="Right of 0: surer than right.",
    )  # fmt: skip


def worst(records: Sequence[Mapping[str, Any]]) -> GalleryFigure:
    """The wrong answers given with most confidence, one of each class."""
    wrong = [r for r in records if r["error"] is None and r["prediction"] != r["label"]]
    ranked = sorted(wrong, key=lambda r: (-r["confidence"], r["item"]))
    entries = tuple(
        GalleryItem(
            items=(r["item"],), score=r["confidence"],
            caption=f"{r['label']}, taken for {r['prediction']} with {percent(r['confidence'])}",
        )
        for r in first_of_each(ranked, "label", WORST)
    )  # fmt: skip
    return GalleryFigure(
        id="worst", title="Surest of the wrong", entries=entries, caption="One of each class, by stated confidence.",
        alt=f"Worst: {entries[0].caption}." if entries else "No answer was wrong.",
    )  # fmt: skip
