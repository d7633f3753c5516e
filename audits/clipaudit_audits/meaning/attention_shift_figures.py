"""Plots' data of the attention-shift audit. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from clipaudit.numbers import value_text
from clipaudit.results import (
    BarsFigure,
    ColourScale,
    CurveFigure,
    Estimate,
    Figure,
    ForestFigure,
    GalleryFigure,
    GalleryItem,
    Point,
    Reference,
    Series,
    Status,
)  # fmt: skip
from clipaudit.stats.bootstrap import bca_mean
from clipaudit_audits.meaning import attention_shift_measures as measures
from clipaudit_audits.meaning.attention_shift_choices import ACCURATE, MISLEADING, NEUTRAL
from clipaudit_audits.meaning.attention_shift_items import Item
from clipaudit_audits.meaning.attention_shift_pictures import STOPS, VIEWS, name, top_of

SHOWN = 6


def figures(found: Sequence[Item], estimates: Sequence[Estimate], seed: int) -> list[Figure]:
    """All plots; the gallery only where the checks let its maps be shown."""
    if not found:
        return []
    made: list[Figure] = [_divergence(found, seed), *_mass(estimates), *_curve(found)]
    chosen = gallery_items(found, estimates)
    return [*made, _gallery(chosen)] if chosen else made


def gallery_items(found: Sequence[Item], estimates: Sequence[Estimate]) -> list[Item]:
    """Checked images whose own maps beat random orders, the most divergent first, one a label; none where the maps
    of either prompt failed a check."""
    divergence = next(
        (e for e in estimates if e.metric == "divergence" and e.subgroup.get("prompt") == MISLEADING), None
    )
    if divergence is None or divergence.status in (Status.INCONCLUSIVE, Status.TOO_SMALL):
        return []
    ranked = sorted(
        (-moved, item.name, item)
        for item in found
        if (moved := item.divergence(MISLEADING)) is not None
        and item.rows[ACCURATE]["picture"] is not None
        and all((item.gain(role) or 0) > 0 for role in (ACCURATE, MISLEADING))
    )
    first: dict[str, Item] = {}
    for _, _, item in ranked:
        first.setdefault(item.label, item)
    return list(first.values())[:SHOWN]


def _divergence(found: Sequence[Item], seed: int) -> ForestFigure:
    """Divergence from the accurate prompt's map, by what it is compared with."""
    named = {"a paraphrase": None, "misleading prompt": MISLEADING, "neutral prompt": NEUTRAL}
    points = []
    for label, role in named.items():
        pairs = [(value, item.cluster) for item in found if (value := _moved(item, role)) is not None]
        values = [value for value, _ in pairs]
        interval = bca_mean(values, [cluster for _, cluster in pairs], seed, unit="images") if values else None
        points.append(
            Point(label=label, value=float(np.mean(values)) if values else None, n=len(values),
                  low=None if interval is None else interval.low, high=None if interval is None else interval.high)
        )  # fmt: skip
    said = "; ".join(f"{p.label} {value_text(p.value, 'bits')}" for p in points)
    return ForestFigure(
        id="divergence", title="How far maps lie from the accurate prompt's", points=tuple(points),
        x_label="Jensen-Shannon divergence, bits (0 the same, 1 nowhere overlapping)", alt=f"Mean divergence: {said}.",
        caption=f"Maps by {found[0].rows[ACCURATE]['method']} ({found[0].rows[ACCURATE]['reason']}). Means over images "
        "with 95 % intervals. Paraphrases say the same in other words: what they move is wording.",
    )  # fmt: skip


def _moved(item: Item, role: str | None) -> float | None:
    if role is not None:
        return item.divergence(role)
    values = [value for paraphrase in item.paraphrases if (value := item.divergence(paraphrase)) is not None]
    return float(np.mean(values)) if values else None


def _mass(estimates: Sequence[Estimate]) -> list[Figure]:
    masses = [e for e in estimates if e.metric == "mass" and e.value is not None]
    if not masses:
        return []
    points = tuple(
        Point(label=e.subgroup["prompt"], value=e.value, n=e.n,
              low=None if e.interval is None else e.interval.low, high=None if e.interval is None else e.interval.high)
        for e in masses
    )  # fmt: skip
    area = masses[0].null_value
    return [
        BarsFigure(
            id="mass", title="Relevance on the object", y_label="share of the relevance", points=points,
            y_range=(0, 1),
            references=() if area is None else (Reference(label="object's share of the picture", value=area,
                                                          source="this run"),),
            alt="Relevance on the object: "
            + "; ".join(f"{p.label} prompt {value_text(p.value, 'proportion')}" for p in points) + ".",
            caption="A map that is the same everywhere has as much relevance on the object as the object has area.",
        )
    ]  # fmt: skip


def _curve(found: Sequence[Item]) -> list[Figure]:
    """Score while patches are covered and uncovered, mean over the checked images."""
    checked = [item.rows[ACCURATE] for item in found if item.rows[ACCURATE]["deletion"] is not None]
    if not checked:
        return []
    patches = len(checked[0]["relevance"])
    shares = tuple(count / patches for count in (0, *measures.counts(patches), patches))
    names = {
        "covered by the map": "deletion", "covered at random": "random_deletion",
        "uncovered by the map": "insertion", "uncovered at random": "random_insertion",
    }  # fmt: skip
    series = []
    for label, column in names.items():
        ends = ("cosine", "blank") if column.endswith("deletion") else ("blank", "cosine")
        rows = np.array([[row[ends[0]], *row[column], row[ends[1]]] for row in checked])
        series.append(Series(name=label, x=shares, y=tuple(rows.mean(axis=0).tolist())))
    return [
        CurveFigure(
            id="deletion-insertion", title="Does the score follow the map?", x_label="share of the patches",
            y_label="score for the accurate prompt", series=tuple(series),
            caption=f"Mean over {len(checked)} images. Where the map is faithful, covering patches in its order lowers "
            "the score sooner than a random order does, and uncovering them raises it sooner.",
            alt="Score as patches are covered and uncovered in the map's order and in random orders.",
        )
    ]  # fmt: skip


def _gallery(chosen: Sequence[Item]) -> GalleryFigure:
    top = top_of(chosen)
    entries = tuple(
        GalleryItem(
            items=tuple(name(item.name, view) for view in VIEWS), score=item.divergence(MISLEADING),
            caption=f"{item.label}; misleading: {item.rows[ACCURATE]['misled']}",
        )
        for item in chosen
    )  # fmt: skip
    return GalleryFigure(
        id="maps", title="What the score rests on, and where a misleading prompt moves it", entries=entries,
        columns=("image", "accurate prompt", "misleading prompt"),
        scale=ColourScale(
            label="share of the relevance in one patch", low="0", high=f"{value_text(top, 'proportion')} or more",
            stops=STOPS,
        ),
        alt=f"Largest divergence shown: {entries[0].caption}, {value_text(entries[0].score, 'bits')}.",
        caption="The checked images whose maps lie furthest apart, one a label, of those whose own maps beat random "
        "orders. The score is the divergence in bits. Maps are laid over the picture in grey.",
    )  # fmt: skip
