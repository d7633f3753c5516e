"""Plots' data of the zero-shot audit. Proportions run from 0 to 1. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from clipaudit.results import BarsFigure, CurveFigure, Estimate, GalleryFigure, GalleryItem, Point, Reference, Series
from clipaudit_audits.choosing import first_of_each
from clipaudit_audits.robustness.zero_shot_score import TRAINED
from clipaudit_audits.wording import percent

WORST = 6


def bars(estimates: Sequence[Estimate]) -> BarsFigure:
    """Zero-shot, few-shot and supervised, side by side, with chance."""
    named = {"accuracy": "zero-shot, all classes", "accuracy_top5": "zero-shot, first five"}
    shown = [(named[e.metric], e) for e in estimates if e.metric in named]
    shown += [("zero-shot, probes' classes", e) for e in estimates if e.metric == "shared_accuracy"]
    shown += [(f"probe, {e.subgroup['training']}", e) for e in probe_estimates(estimates)]
    points = tuple(_bar(name, e) for name, e in shown if e.value is not None)
    main = next(e for e in estimates if e.metric == "accuracy")
    chance = [] if main.null is None else [Reference(label="chance", value=main.null.mean, source=main.null.method)]
    return BarsFigure(
        id="accuracy", title="Zero-shot beside training", y_label="share of images named correctly", points=points,
        y_range=(0, 1), references=tuple(chance),
        caption="The first bars are over all classes. Probes choose among the classes with enough images; compare them "
        "with zero-shot on the probes' classes. Lines are 95 % intervals.",
        alt="; ".join(f"{point.label}: {_spoken(point.value)}" for point in points) + ".",
    )  # fmt: skip


def curve(estimates: Sequence[Estimate]) -> CurveFigure | None:
    """Accuracy by training images per class; None with fewer than two points."""
    few = [e for e in probe_estimates(estimates) if e.subgroup != TRAINED and e.value is not None]
    if len(few) < 2:
        return None
    shots = [int(e.subgroup["training"].split()[0].replace(",", "")) for e in few]
    level = next(e for e in estimates if e.metric == "shared_accuracy")
    full = next(e for e in estimates if e.metric == "probe_accuracy" and e.subgroup == TRAINED)
    found = next((e for e in estimates if e.metric == "shots_worth"), None)
    lines = (("zero-shot", level), ("probe, all images", full))
    references = [Reference(label=n, value=e.value, source="this run") for n, e in lines if e.value is not None]
    marks: tuple[Reference, ...] = ()
    if found is not None and found.value is not None:
        marks = (Reference(label="as good as zero-shot", value=found.value, source="linear in log(images)"),)
    return CurveFigure(
        id="shots", title="How many labelled images is zero-shot worth?", x_label="training images per class",
        y_label="share of images named correctly", x_log=True, y_range=(0, 1), references=tuple(references),
        marks=marks,
        series=(
            Series(
                name="linear probe", x=tuple(float(k) for k in shots), y=tuple(e.value for e in few),
                low=tuple(e.interval.low if e.interval else None for e in few),
                high=tuple(e.interval.high if e.interval else None for e in few),
            ),
        ),
        caption="Same images and classes for all. The band is the 95 % interval over images and splits.",
        alt=found.sentence if found is not None else "Accuracy of probes by training images per class.",
    )  # fmt: skip


def probe_estimates(estimates: Sequence[Estimate]) -> list[Estimate]:
    """Those of probes, few shots first."""
    found = [e for e in estimates if e.metric == "probe_accuracy"]
    return [e for e in found if e.subgroup != TRAINED] + [e for e in found if e.subgroup == TRAINED]


def worst(records: Sequence[Mapping[str, Any]]) -> GalleryFigure:
    """The images whose right class trails by most, one of each class."""
    seen = [r for r in records if r["error"] is None]
    ranked = sorted(seen, key=lambda r: (-r["margin"], r["item"]))
    entries = tuple(
        GalleryItem(
            items=(r["item"],), score=r["margin"],
            caption=f"{r['label']}, taken for {r['prediction'] or 'nothing in particular'}",
        )
        for r in first_of_each(ranked, "label", WORST)
    )  # fmt: skip
    return GalleryFigure(
        id="worst", title="Worst images", entries=entries,
        alt=f"Worst: {entries[0].caption}." if entries else "No image could be read.",
        caption="One of each class. The score is how far the nearest other class leads the right one, in the model's "
        "own score; below 0 the image was named correctly.",
    )  # fmt: skip


def _bar(name: str, estimate: Estimate) -> Point:
    bounds = estimate.interval
    null = estimate.null
    return Point(
        label=name, value=estimate.value, n=estimate.n,
        low=bounds.low if bounds else None, high=bounds.high if bounds else None,
        null_low=null.low if null else None, null_high=null.high if null else None,
    )  # fmt: skip


def _spoken(value: float | None) -> str:
    return "none" if value is None else percent(value)
