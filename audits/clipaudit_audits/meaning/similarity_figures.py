"""What is drawn of likeness and class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from clipaudit.results import BarsFigure, Estimate, Figure, ForestFigure, GalleryFigure, GalleryItem, Point, Reference
from clipaudit.text import printable
from clipaudit_audits.choosing import first_of_each
from clipaudit_audits.meaning.similarity_estimates import NOUNS
from clipaudit_audits.wording import percent

WORST = 6


def figures(rows: Sequence[Mapping[str, Any]], estimates: Sequence[Estimate]) -> list[Figure]:
    """Who wins, by cue; whom the nearest neighbour shares its class with; the triplets lost most clearly."""
    found: list[Figure] = []
    if wins := [e for e in estimates if e.metric == "class_wins"]:
        found.append(_wins(wins))
    if near := [e for e in estimates if e.metric == "neighbour_class"]:
        found.append(_neighbours(near))
    lost = [row for row in rows if row["match"] is not None and row["to_match"] < row["to_look"]]
    return [*found, *([_worst(lost)] if lost else [])]


def _point(estimate: Estimate, label: str) -> Point:
    interval = estimate.interval
    return Point(
        label=label, value=estimate.value, n=estimate.n, low=interval.low if interval else None,
        high=interval.high if interval else None, null_low=estimate.null.low if estimate.null else None,
        null_high=estimate.null.high if estimate.null else None,
    )  # fmt: skip


def _wins(estimates: Sequence[Estimate]) -> ForestFigure:
    cues = [e.subgroup["look-alike in"] for e in estimates]
    points = tuple(_point(e, f"look-alike in {cue}") for cue, e in zip(cues, estimates, strict=True))
    said = "; ".join(f"{percent(p.value)} against a {p.label}" for p in points if p.value is not None)
    return ForestFigure(
        id="wins", title="Class against looks", x_label="share of triplets in which the class is nearer", points=points,
        null_value=0.5, alt=f"The image of the same class is nearer: {said}.",
        caption="Left of 50 %: the model puts looks before class. Bars: 95 % intervals over classes.",
    )  # fmt: skip


def _neighbours(estimates: Sequence[Estimate]) -> BarsFigure:
    points = tuple(_point(e, e.subgroup["by"]) for e in estimates)
    said = "; ".join(f"{p.label} {percent(p.value)}" for p in points if p.value is not None)
    chance = estimates[0].null_value or 0.0
    return BarsFigure(
        id="neighbours", title="Nearest neighbour of the same class", y_label="share of images", points=points,
        references=(Reference(label="at random", value=chance, source="drawn from all other images"),), y_range=(0, 1),
        alt=f"Nearest neighbour of the same class: {said}.",
        caption="By the model, and by colours or textures alone with no model.",
    )  # fmt: skip


def _worst(lost: Sequence[Mapping[str, Any]]) -> GalleryFigure:
    ranked = sorted(lost, key=lambda row: (row["to_match"] - row["to_look"], row["item"]))
    shown = first_of_each(ranked, "image", WORST)
    entries = tuple(
        GalleryItem(
            items=(row["image"], row["match"], row["look"]), score=row["to_match"] - row["to_look"],
            caption=f"{printable(row['label'])}: nearer to {printable(row['look_label'])} (like {NOUNS[row['cue']]})",
        )
        for row in shown
    )  # fmt: skip
    return GalleryFigure(
        id="worst", title="Looks before class, most clearly", entries=entries,
        columns=("image", "same class", "look-alike"),
        caption="Cosine to the image of the same class less cosine to the look-alike.",
        alt=f"The {len(entries)} images with the largest lead of a look-alike, of {len(lost)} triplets lost.",
    )  # fmt: skip
