"""Plots' data of the prompt audit. Proportions run from 0 to 1, gaps in points. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from clipaudit.results import (
    CurveFigure,
    Estimate,
    ForestFigure,
    GalleryFigure,
    GalleryItem,
    HeatmapFigure,
    Point,
    Reference,
    Series,
)
from clipaudit_audits.robustness.prompts_groups import Judged, Way, extremes, judged, ways
from clipaudit_audits.robustness.prompts_measures import Answers, disagreement
from clipaudit_audits.robustness.prompts_params import PromptParams
from clipaudit_audits.wording import percent, points_text

WORST = 6


def by_template(estimates: Sequence[Estimate]) -> ForestFigure:
    """Accuracy under each template and under all together."""
    shown = [e for e in estimates if e.metric in ("accuracy", "template_accuracy") and e.value is not None]
    points = tuple(
        Point(
            label=e.subgroup.get("template", "all together"), value=e.value, n=e.n,
            low=e.interval.low if e.interval else None, high=e.interval.high if e.interval else None,
            group="single template" if e.subgroup else "ensemble",
        )
        for e in shown
    )  # fmt: skip
    return ForestFigure(
        id="templates", title="Accuracy by template", x_label="share of images named correctly", points=points,
        alt=estimates[0].sentence, caption="The same images under every template; lines are 95 % intervals.",
    )  # fmt: skip


def specification(found: Answers, column: str, params: PromptParams) -> list[CurveFigure | HeatmapFigure]:
    """The gap between two groups under every way of asking: sorted, and as a table."""
    part = judged(found, column)
    if len(part.names) < 2:
        return []
    pair = extremes(found, part)
    curve = ways(found, part, params, pair)
    return [_curve(curve, part, pair, column), _table(curve, part, pair, column)]


def _curve(curve: Sequence[Way], part: Judged, pair: tuple[int, int], column: str) -> CurveFigure:
    ranked = sorted(curve, key=lambda way: (way.gap, way.choice, way.top))
    ahead = np.mean([way.gap > 0 for way in ranked])
    first, second = (part.names[i] for i in pair)
    return CurveFigure(
        id=f"specification-{_kebab(column)}", title=f"Specification curve: {first} against {second}",
        x_label="ways of asking, by gap", y_label=f"accuracy of {first} less {second}, points",
        series=(
            Series(
                name="gap", x=tuple(float(i + 1) for i in range(len(ranked))), y=tuple(w.gap for w in ranked),
                low=tuple(w.low for w in ranked), high=tuple(w.high for w in ranked),
            ),
        ),
        references=(Reference(label="no gap", value=0.0, source="equal accuracy"),),
        alt=f"{first} is ahead in {percent(float(ahead))} of {len(ranked)} ways of asking; gaps run from "
        f"{points_text(ranked[0].gap)} to {points_text(ranked[-1].gap)}.",
        caption=f"Every combination of label set, template, crop and top-k; groups by {column}. Bands are "
        "95 % intervals by normal approximation, of each way alone.",
    )  # fmt: skip


def _table(curve: Sequence[Way], part: Judged, pair: tuple[int, int], column: str) -> HeatmapFigure:
    rows = tuple(dict.fromkeys(way.choice.template for way in curve))
    whole_first = sorted(curve, key=lambda way: -way.choice.crop)
    columns = tuple(dict.fromkeys(_setting(way) for way in whole_first))
    cells = {(way.choice.template, _setting(way)): way for way in curve}
    grid = [[cells[row, name] for name in columns] for row in rows]
    first, second = (part.names[i] for i in pair)
    return HeatmapFigure(
        id=f"ways-{_kebab(column)}", title=f"The same gap by template and setting: {first} less {second}",
        rows=rows, columns=columns, values=tuple(tuple(way.gap for way in line) for line in grid), diverging=True,
        value_label="gap in accuracy, points",
        alt=f"Gap between {first} and {second} for {len(rows)} templates and {len(columns)} settings.",
        caption="The curve above, unrolled: a row or column of another colour is a wording or setting that turns it.",
    )  # fmt: skip


def _setting(way: Way) -> str:
    crop = "" if way.choice.crop == 1.0 else f", crop {way.choice.crop:g}"
    return f"{way.choice.labels}{crop}, top {way.top}"


def _kebab(text: str) -> str:
    return "-".join("".join(c if c.isascii() and c.isalnum() else " " for c in text.lower()).split()) or "column"


def worst(found: Answers) -> GalleryFigure:
    """The images on which most pairs of templates disagree, one of each class."""
    shares = disagreement(found.predictions[:, found.columns()])
    order = sorted(range(len(shares)), key=lambda i: (-shares[i], found.items[i]))
    chosen: dict[str, int] = {}
    for i in order:
        if shares[i] > 0 and len(chosen) < WORST:
            chosen.setdefault(found.labels[i], i)
    entries = tuple(
        GalleryItem(
            items=(found.items[i],), score=float(shares[i]),
            caption=f"{label}: two templates disagree in {percent(float(shares[i]))} of pairs",
        )
        for label, i in chosen.items()
    )  # fmt: skip
    return GalleryFigure(
        id="worst", title="Images on which the wording matters most", entries=entries, caption="One of each class.",
        alt=f"Most: {entries[0].caption}." if entries else "No prediction changes with the template.",
    )  # fmt: skip
