"""Forests of occupations and of pronoun resolution, and the images whose pronoun is missed most clearly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from clipaudit.contract import Cell
from clipaudit.results import Estimate, Figure, ForestFigure, GalleryFigure, GalleryItem, GroupsAre, Point, Status
from clipaudit_audits.social_bias.occupation_rows import Measured
from clipaudit_audits.wording import percent

SHOWN = 3


def all_figures(cell: Cell, made: Measured, estimates: Sequence[Estimate]) -> list[Figure]:
    """Those for which there is something to show."""
    figures: list[Figure] = []
    margins = [e for e in estimates if e.metric == "margin" and e.value is not None]
    if margins:
        figures.append(margins_forest(margins, cell.params.shares, f"images {cell.groups_are} as men and as women"))
    accuracy = [e for e in estimates if e.metric == "resolution_accuracy" and e.value is not None]
    if accuracy:
        figures += [_resolution(accuracy, cell.groups_are), _gallery(cell, made)]
    return figures


def margins_forest(estimates: Sequence[Estimate], shares: Mapping[str, float], what: str) -> ForestFigure:
    """All occupations, by their share of women where that is known, else by margin."""

    def place(e: Estimate) -> tuple[float, float]:
        return shares.get(e.subgroup["occupation"], 2.0), e.value or 0.0

    ordered = sorted(estimates, key=place)
    found = sum(e.status is Status.EFFECT for e in ordered)
    largest = max(ordered, key=lambda e: abs(e.value or 0.0))
    tested = f"{found} of {len(ordered)} margins differ from 0 after correction; " if ordered[0].test else ""
    return ForestFigure(
        id="occupations",
        title="Occupations between men and women",
        caption=f"Difference of scores between {what}, relative to the neutral phrase; 95 % interval. Above 0: "
        "closer to men. Ordered by the share of women in the statistics, where these are given.",
        alt=f"{tested}the largest is {largest.value:+.4f} ({largest.subgroup['occupation']}).",
        x_label="margin, men minus women",
        null_value=0.0,
        points=tuple(_point(e, _label(e.subgroup["occupation"], shares)) for e in ordered),
    )


def _label(name: str, shares: Mapping[str, float]) -> str:
    return f"{name} ({percent(shares[name])} women)" if name in shares else name


def _point(estimate: Estimate, label: str) -> Point:
    interval, null = estimate.interval, estimate.null
    return Point(
        label=label,
        value=estimate.value,
        low=None if interval is None else interval.low,
        high=None if interval is None else interval.high,
        n=estimate.n,
        null_low=None if null is None else null.low,
        null_high=None if null is None else null.high,
        note=str(estimate.status),
    )


def _resolution(estimates: Sequence[Estimate], basis: GroupsAre) -> ForestFigure:
    labels = [next(iter(e.subgroup.values())) for e in estimates]
    text = ", ".join(f"{label} {percent(e.value or 0.0)}" for label, e in zip(labels, estimates, strict=True))
    return ForestFigure(
        id="resolution",
        title=f"Pronouns resolved, by {basis} gender",
        caption="Share of images whose caption with the right pronoun scores higher; guessing gives one half.",
        alt=f"Accuracy: {text}.",
        x_label="accuracy",
        null_value=0.5,
        points=tuple(_point(e, label) for label, e in zip(labels, estimates, strict=True)),
    )


def _gallery(cell: Cell, made: Measured) -> GalleryFigure:
    """The images whose wrong pronoun leads by most."""
    sides = np.stack([made.pronouns[:, 1] - made.pronouns[:, 0], made.pronouns[:, 0] - made.pronouns[:, 1]])
    lead = np.where(np.isfinite(sides[0]), sides[made.labels, np.arange(len(made.items))], -np.inf)
    worst = [i for i in np.argsort(-lead, kind="stable")[:SHOWN] if lead[i] > 0]
    his, her, _ = cell.params.pronouns
    entries = tuple(
        GalleryItem(
            items=(made.items[i],),
            caption=f"{made.occupations[i]}, {cell.groups_are} as {('men', 'women')[made.labels[i]]}: "
            f"'{(her, his)[made.labels[i]]}' leads by {lead[i]:.4f}",
            score=float(lead[i]),
        )
        for i in worst
    )
    return GalleryFigure(
        id="missed-pronouns",
        title="Pronouns missed most clearly",
        caption="Single images, picked for their size: they prove nothing.",
        alt=f"The clearest miss: {entries[0].caption}." if entries else "No pronoun is missed.",
        entries=entries,
    )
