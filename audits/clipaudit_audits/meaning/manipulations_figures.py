"""Plots' data of the manipulation audit. Proportions run from 0 to 1. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from clipaudit.results import CurveFigure, Estimate, ForestFigure, GalleryFigure, GalleryItem, Point, Reference, Series
from clipaudit.stimuli.manipulation import CLEAN, MANIPULATIONS
from clipaudit_audits.meaning.manipulations_measures import Curve, Outcomes
from clipaudit_audits.meaning.manipulations_score import said
from clipaudit_audits.robustness.typographic_measures import share
from clipaudit_audits.wording import percent


def losses(estimates: Sequence[Estimate]) -> ForestFigure:
    """What each manipulation costs."""
    shown = [e for e in estimates if e.metric == "loss"]
    points = tuple(
        Point(label=said(e.subgroup["manipulation"]), value=e.value, n=e.n, group=e.status.value,
              low=e.interval and e.interval.low, high=e.interval and e.interval.high)
        for e in shown
    )  # fmt: skip
    worst = max(shown, key=lambda e: e.value or 0.0)
    return ForestFigure(
        id="losses", title="Accuracy lost as information is taken away", points=points, null_value=0.0,
        x_label="points of accuracy lost, mean over the curve", alt=worst.sentence,
        caption="Levels are not comparable from one manipulation to another.",
    )  # fmt: skip


def curve(one: Curve, chance: float, seed: int) -> CurveFigure:
    """Accuracy over the levels of one manipulation, beside clean accuracy and chance."""
    known = MANIPULATIONS[one.name]
    found = [share(right, list(one.clusters), seed) for right in one.right]
    clean, last = float(one.clean.mean()), float(one.right[-1].mean())
    return CurveFigure(
        id=f"curve-{one.name}", title=said(one.name), x_label=known.unit, y_label="share named correctly",
        series=(Series(
            name="this model", x=(known.clean, *one.levels), y=tuple(f.value for f in found),
            low=tuple(f.interval.low for f in found), high=tuple(f.interval.high for f in found),
        ),),
        references=(
            Reference(label="clean", value=clean, source="this run"),
            Reference(label="chance", value=chance, source="one of the classes at random"),
        ),
        y_range=(0, 1),
        alt=f"{said(one.name)}: {percent(clean)} are named correctly as they are and {percent(last)} at "
        f"{one.levels[-1]:g}, {percent(chance)} by chance.",
        caption=f"{len(one.clusters):,} images. Lines are 95 % intervals.",
    )  # fmt: skip


def curves(found: Outcomes, seed: int) -> list[CurveFigure]:
    """One for each manipulation."""
    return [curve(one, found.chance, seed) for one in found.curves if one.clusters]


def strengths(records: Sequence[Mapping[str, Any]]) -> GalleryFigure:
    """One image, right when clean and lost under most manipulations, through their levels: clean, middle, strongest."""
    bad = {r["base"] for r in records if r["error"] is not None}
    seen = [r for r in records if r["base"] not in bad and r["unusable"] is None]
    by_base: dict[str, list[Mapping[str, Any]]] = {}
    for row in seen:
        by_base.setdefault(row["base"], []).append(row)
    chosen = min(by_base, key=lambda base: (-_fallen(by_base[base]), base), default=None)
    entries = tuple(_entry(name, by_base[chosen]) for name in MANIPULATIONS if _steps(name, by_base[chosen])) if (
        chosen is not None
    ) else ()  # fmt: skip
    label = "" if chosen is None else by_base[chosen][0]["label"]
    return GalleryFigure(
        id="strengths", title="One image as information is taken away", entries=entries,
        columns=("as it is", "middle level", "strongest level"),
        alt=f"An image of the class {label!r} under {len(entries)} manipulations, as it is and at two levels.",
        caption="The image of those named correctly that is lost under most manipulations.",
    )  # fmt: skip


def _fallen(rows: Sequence[Mapping[str, Any]]) -> int:
    """Under how many manipulations the strongest level is lost; -1 where the clean image is."""
    if not any(r["manipulation"] == CLEAN and r["prediction"] == r["label"] for r in rows):
        return -1
    ends = [steps[-1] for name in MANIPULATIONS if (steps := _steps(name, rows))]
    return sum(r["prediction"] != r["label"] for r in ends)


def _steps(name: str, rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return sorted((r for r in rows if r["manipulation"] == name), key=lambda r: float(r["level"]))


def _entry(name: str, rows: Sequence[Mapping[str, Any]]) -> GalleryItem:
    clean = next(r for r in rows if r["manipulation"] == CLEAN)
    steps = _steps(name, rows)
    middle, last = steps[(len(steps) - 1) // 2], steps[-1]
    taken = ", ".join(f"{r['prediction'] or 'nothing'} at {r['level']:.3g}" for r in (middle, last))
    return GalleryItem(
        items=(clean["item"], middle["item"], last["item"]), score=last["lead"],
        caption=f"{said(name)}: {clean['prediction'] or 'nothing'} as it is, {taken}",
    )  # fmt: skip
