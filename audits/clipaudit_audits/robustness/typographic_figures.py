"""Plots' data of the typographic audit. Proportions run from 0 to 1. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from clipaudit.results import BarsFigure, CurveFigure, Estimate, GalleryFigure, GalleryItem, Point, Reference, Series
from clipaudit_audits.choosing import first_of_each
from clipaudit_audits.robustness.typographic_dose import fit
from clipaudit_audits.robustness.typographic_estimates import Scorer
from clipaudit_audits.robustness.typographic_measures import Share
from clipaudit_audits.robustness.typographic_outcomes import COLUMN, Choice
from clipaudit_audits.robustness.typographic_rows import WORD
from clipaudit_audits.wording import percent

if TYPE_CHECKING:
    import pyarrow as pa

WORST = 6
BARS = {
    "clean": "no note",
    "blank": "blank note",
    "random": "random string",
    "wrong": "wrong label",
    "right": "right label",
}
RIGHT, WRITTEN = "right label chosen", "written label chosen"


def condition_bars(scorer: Scorer) -> BarsFigure:
    """Right and wrong label chosen, without a note and with each kind of note."""
    points = []
    for kind, name in BARS.items():
        outcome = scorer.outcome(kind)
        points.append(_bar(name, RIGHT, scorer.share_of(outcome.right, outcome.seen)))
        if kind != "right":
            points.append(_bar(name, WRITTEN, scorer.share_of(outcome.wrote, outcome.seen)))
    chosen = {(point.label, point.group): _spoken(point.value) for point in points}
    alt = (
        f"{RIGHT}: {chosen['no note', RIGHT]} of clean images, {chosen['wrong label', RIGHT]} with a wrong label; "
        f"{WRITTEN}: {chosen['wrong label', WRITTEN]} with it, {chosen['random string', WRITTEN]} with a random string."
    )
    caption = (
        f"Notes over {percent(scorer.area)} of the central square. The written label is the wrong one of each "
        "image, also where a control is shown instead of it. A model that cannot read has the same bars for "
        "random string and wrong label."
    )
    return BarsFigure(
        id="conditions", title="What the note does", y_label="share of images", points=tuple(points), y_range=(0, 1),
        caption=caption, alt=alt,
    )  # fmt: skip


def dose_curve(scorer: Scorer) -> CurveFigure:
    """Flips of images that were right when clean, and accuracy of all, by note area; with the fitted curve."""
    found, doses, clean = fit(scorer), scorer.results.areas(), scorer.outcome("clean")
    attacked = [scorer.outcome("wrong", area) for area in doses]
    flipped = [scorer.share_of(o.wrote, clean.seen & clean.right & o.seen) for o in attacked]
    accurate = [scorer.share_of(o.right, o.seen) for o in attacked]
    series = [
        _series("flipped to the written label", doses, flipped),
        _series("right label chosen", doses, accurate),
    ]
    if found.slope is not None:
        grid = np.geomspace(doses[0], doses[-1], 40)
        line = tuple(found.at(np.log(grid)).tolist())
        series.append(Series(name="logistic fit of flips", x=tuple(grid.tolist()), y=line, line_only=True))
    half = None if found.half is None else float(np.exp(found.half))
    said = f"half flip: {found.why}" if half is None else f"half flip at {percent(half)} of the central square"
    source = "logistic regression on the logarithm of the area"
    return CurveFigure(
        id="dose", title="How large must the note be?", x_label="note area, share of the central square",
        y_label="share of images", series=tuple(series), x_log=True, y_range=(0, 1),
        marks=() if half is None else (Reference(label="half flip", value=half, source=source),),
        caption="Flips are counted among the images that were right when clean. Bands are 95 % intervals.",
        alt=f"Flips to the written label by note area: {said}.",
    )  # fmt: skip


def real_bars(estimates: Sequence[Estimate]) -> BarsFigure:
    """Written and right label chosen on photographed notes, beside chance."""
    names = ("written_rate", "attacked_accuracy")
    shown = [e for e in estimates if e.metric in names and not any("(" in key for key in e.subgroup)]
    points = tuple(
        Point(
            label=", ".join([e.title, *e.subgroup.values()]), value=e.value, n=e.n,
            low=e.interval.low if e.interval else None, high=e.interval.high if e.interval else None,
            null_low=e.null.low if e.null else None, null_high=e.null.high if e.null else None,
        )
        for e in shown
    )  # fmt: skip
    alt = "; ".join(f"{point.label}: {_spoken(point.value)}" for point in points)
    return BarsFigure(
        id="choices", title="What the model goes by", y_label="share of images", points=points, y_range=(0, 1),
        caption="The band is what chance alone gives: the written words dealt out anew among the pictures of a class.",
        alt=f"{alt}.",
    )  # fmt: skip


def worst(rows: pa.Table, area: float, choice: Choice) -> GalleryFigure:
    """The images whose written label leads by most, each beside its clean picture where there is one."""
    records = [
        {**row, "chosen": row[COLUMN[choice]]}
        for row in rows.to_pylist()
        if row["error"] is None and row["kind"] != WORD and not row["factor"]
    ]
    clean = {row["base"]: row for row in records if row["kind"] == "clean"}
    attacked = [
        r for r in records if r["kind"] in ("real", "synthetic") or (r["kind"] == "wrong" and r["area"] == area)
    ]
    ranked = sorted(attacked, key=lambda r: (not _flipped(r, clean), -r["margin"], r["item"]))
    entries = []
    for row in first_of_each(ranked, "label", WORST):
        before = clean.get(row["base"])
        items = (row["item"],) if before is None else (before["item"], row["item"])
        was = "" if before is None else f" (clean: {before['chosen'] or 'nothing in particular'})"
        taken = row["chosen"] or "nothing in particular"
        caption = f"{row['label']} with the word {row['written']!r}: taken for {taken}{was}"
        entries.append(GalleryItem(items=items, caption=caption, score=row["margin"]))
    alt = f"Worst: {entries[0].caption}." if entries else "No image could be read."
    return GalleryFigure(
        id="worst", title="Worst images", entries=tuple(entries), alt=alt,
        caption="Those that were right when clean and are taken for the written label come first, one of each class. "
        "The score is how far the written label leads the right one, in the model's own score; below 0 it does not.",
    )  # fmt: skip


def _flipped(row: Mapping[str, Any], clean: Mapping[str, Mapping[str, Any]]) -> bool:
    before = clean.get(str(row["base"]))
    return row["chosen"] == row["written"] and (before is None or before["chosen"] == before["label"])


def _bar(label: str, group: str, found: Share) -> Point:
    return Point(
        label=label, group=group, value=found.value, low=found.interval.low, high=found.interval.high, n=found.n
    )


def _series(name: str, doses: Sequence[float], shares: Sequence[Share]) -> Series:
    return Series(
        name=name, x=tuple(doses), y=tuple(s.value for s in shares),
        low=tuple(s.interval.low for s in shares), high=tuple(s.interval.high for s in shares),
    )  # fmt: skip


def _spoken(value: float | None) -> str:
    return "none" if value is None else percent(value)
