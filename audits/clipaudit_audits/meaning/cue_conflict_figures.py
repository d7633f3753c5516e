"""Plots' data of the cue-conflict audit. Proportions run from 0 to 1. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from clipaudit.results import (
    BarsFigure,
    CurveFigure,
    Estimate,
    GalleryFigure,
    GalleryItem,
    Point,
    Reference,
    Series,
    ShapeTextureFigure,
)
from clipaudit_audits.choosing import first_of_each
from clipaudit_audits.meaning.cue_conflict_categories import (
    HUMAN_BY_CLASS,
    HUMAN_RANGE,
    HUMAN_RANGE_BY_CLASS,
    HUMAN_SHAPE_BIAS,
)
from clipaudit_audits.meaning.cue_conflict_composed import curve
from clipaudit_audits.meaning.cue_conflict_score import Row, usable
from clipaudit_audits.wording import percent

if TYPE_CHECKING:
    import pyarrow as pa

SHOWN = 3  # of each kind in the gallery


def shape_texture(estimates: Sequence[Estimate]) -> ShapeTextureFigure:
    """The field's chart: shape fraction by class, beside people where the classes are the published ones."""
    points = [_point(e, e.subgroup["shape class"], "this model") for e in estimates if "shape class" in e.subgroup]
    main = next(e for e in estimates if e.metric == "shape_bias" and not e.subgroup)
    people = [
        Point(
            label=point.label, value=HUMAN_BY_CLASS[point.label], group="humans",
            low=HUMAN_RANGE_BY_CLASS[point.label][0], high=HUMAN_RANGE_BY_CLASS[point.label][1],
        )
        for point in points
        if main.references and point.label in HUMAN_BY_CLASS
    ]  # fmt: skip
    mine = () if main.value is None else (Reference(label="this model", value=main.value, source="this run"),)
    said = "not defined" if main.value is None else percent(main.value)
    alt = f"Shape bias of this model {said} over all classes"
    band = f"{percent(HUMAN_RANGE[0])} to {percent(HUMAN_RANGE[1])}"
    alt += f"; of humans {percent(HUMAN_SHAPE_BIAS)}, of single observers {band}." if main.references else "."
    caption = "Share of cue decisions that went to the shape. Lines of the model are 95 % intervals."
    if people:
        caption += (
            " Humans are ten observers pooled; their lines reach from the lowest to the highest of them. References "
            "are published values over all stimuli."
        )
    return ShapeTextureFigure(
        id="shape-texture", title="Shape against texture, by class", points=(*points, *people),
        overall=(*mine, *main.references), alt=alt,
        caption=caption,
    )  # fmt: skip


def strength_curve(rows: pa.Table, estimates: Sequence[Estimate]) -> CurveFigure:
    """Shape decisions over the strength of the foreign texture, with the fitted curve."""
    conflicts = [row for row in usable(rows) if row["kind"] == "conflict"]
    fit, _ = curve(conflicts)
    by = [e for e in estimates if "strength" in e.subgroup]
    x = tuple(float(e.subgroup["strength"]) for e in by)
    series = [
        Series(
            name="shape, of cue decisions", x=x, y=tuple(e.value for e in by),
            low=tuple(e.interval.low if e.interval else None for e in by),
            high=tuple(e.interval.high if e.interval else None for e in by),
        )
    ]  # fmt: skip
    if fit.slope is not None:
        grid = np.linspace(min(x), max(x), 40)
        series.append(
            Series(name="logistic fit", x=tuple(grid.tolist()), y=tuple(fit.at(grid).tolist()), line_only=True)
        )
    marks = () if fit.half is None else (Reference(label="balance", value=fit.half, source="logistic regression"),)
    said = f"balance at strength {fit.half:.2f}" if fit.half is not None else f"balance {fit.why}"
    return CurveFigure(
        id="strength", title="From shape to texture", x_label="strength of the foreign texture",
        y_label="share decided by shape", series=tuple(series), marks=marks, y_range=(0, 1),
        references=(Reference(label="even", value=0.5, source="shape and texture equally often"),),
        caption="0 is the intact object, 1 its outline filled with the foreign texture. Bands are 95 % intervals.",
        alt=f"Share of cue decisions for the shape, by strength: {said}.",
    )  # fmt: skip


def control_bars(estimates: Sequence[Estimate]) -> BarsFigure:
    """How often intact objects, silhouettes and textures alone are recognised."""
    points = tuple(_point(e, e.subgroup["shown"], "recognised") for e in estimates if e.metric == "control_accuracy")
    alt = "; ".join(f"{p.label}: {'none' if p.value is None else percent(p.value)}" for p in points)
    return BarsFigure(
        id="controls", title="Does the model know the objects?", y_label="share recognised", points=points,
        y_range=(0, 1), alt=f"Recognised: {alt}.",
        caption="A conflict means something only where the intact objects are recognised.",
    )  # fmt: skip


def gallery(rows: pa.Table) -> GalleryFigure:
    """The clearest decisions for the texture, then the shape; with the intact sources where we made the conflict."""
    good = usable(rows)
    intact = {row["shape_id"]: row["item"] for row in good if row["kind"] == "intact"}
    strongest = max((row["strength"] for row in good if row["strength"] is not None), default=None)
    shown = [
        r
        for r in good
        if r["kind"] in ("published", "conflict") and r["strength"] in (None, strongest) and r["shape"] != r["texture"]
    ]
    by_texture = sorted((r for r in shown if r["decision"] == r["texture"]), key=lambda r: (r["margin"], r["item"]))
    by_shape = sorted((r for r in shown if r["decision"] == r["shape"]), key=lambda r: (-r["margin"], r["item"]))
    picked = [row for ranked in (by_texture, by_shape) for row in first_of_each(ranked, "shape", SHOWN)]
    entries = tuple(_entry(row, intact) for row in picked)
    alt = (
        f"Clearest texture decision: {_entry(by_texture[0], intact).caption}." if by_texture else "No texture decision."
    )
    return GalleryFigure(
        id="clearest", title="Clearest decisions", entries=entries, alt=alt,
        caption="First by texture, then by shape, one of each class. The score is how far the shape leads the texture.",
    )  # fmt: skip


def _entry(row: Row, intact: dict[str, str]) -> GalleryItem:
    sides = [intact[row[side]] for side in ("shape_id", "texture_id") if row[side] in intact]
    items = (row["item"],) if len(sides) < 2 else (sides[0], row["item"], sides[1])
    caption = f"shape {row['shape']}, texture {row['texture']}: taken for {row['decision']}"
    return GalleryItem(items=items, caption=caption, score=row["margin"])


def _point(e: Estimate, label: str, group: str) -> Point:
    low, high = (None, None) if e.interval is None else (e.interval.low, e.interval.high)
    return Point(label=label, group=group, value=e.value, low=low, high=high, n=e.n)
