"""What is drawn of choices between captions."""

from __future__ import annotations

from collections.abc import Sequence

from clipaudit.results import BarsFigure, Estimate, Figure, GalleryFigure, GalleryItem, Point, Reference
from clipaudit.text import printable
from clipaudit_audits.choosing import first_of_each
from clipaudit_audits.meaning.composition_choices import Choices
from clipaudit_audits.meaning.composition_estimates import ALL
from clipaudit_audits.wording import percent

WORST = 6
CHANCE = Reference(label="chance", value=0.5, source="one of two captions")


def figures(choices: Choices, estimates: Sequence[Estimate]) -> list[Figure]:
    """Bars of the model beside those who see no image; the pairs that it gets most wrong."""
    if not choices.rows:
        return []
    shown = [e for e in estimates if e.metric in ("accuracy", "text_only") and e.value is not None]
    worst = _worst(choices) if choices.seen else None
    return [_bars(shown), *([worst] if worst else [])]


def _bars(shown: Sequence[Estimate]) -> BarsFigure:
    points = tuple(
        Point(
            label=e.subgroup["kind"], value=e.value, n=e.n, group=e.subgroup.get("by", "the model"),
            low=e.interval.low if e.interval else None, high=e.interval.high if e.interval else None,
        )
        for e in shown
    )  # fmt: skip
    said = [f"{p.group} {percent(p.value)}" for p in points if p.label == ALL and p.value is not None]
    return BarsFigure(
        id="choices", title="True caption taken, with the image and without", y_label="share of pairs", points=points,
        references=(CHANCE,), y_range=(0, 1), alt=f"True caption taken, {ALL}: {'; '.join(said)}; chance 50 %.",
        caption="All but the model choose without the image. Bars: 95 % intervals over images.",
    )  # fmt: skip


def _worst(choices: Choices) -> GalleryFigure | None:
    wrong = [row for row, hit in zip(choices.rows, choices.model, strict=True) if hit == 0]
    if not wrong:
        return None
    ranked = sorted(wrong, key=lambda row: (row["true"] - row["false"], row["item"]))
    entries = tuple(
        GalleryItem(
            items=(row["image"],), score=row["true"] - row["false"],
            caption=f"{row['kind']}: took “{printable(row['negative'])}”, not “{printable(row['caption'])}”",
        )
        for row in first_of_each(ranked, "image", WORST)
    )  # fmt: skip
    return GalleryFigure(
        id="worst", title="Most clearly wrong", entries=entries,
        caption="Score of the true caption less that of the false one.",
        alt=f"The {len(entries)} images with the largest preference for a false caption, of {len(wrong)} pairs that "
        "are wrong.",
    )  # fmt: skip
