"""A heat map of words x groups for each column, forests of categories, what the words that lean most find first; heat
maps of categories x intersections."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from clipaudit.results import (
    Estimate,
    Figure,
    ForestFigure,
    GalleryFigure,
    GalleryItem,
    HeatmapFigure,
    Point,
    Status,
)
from clipaudit_audits.social_bias.groups import Grouping
from clipaudit_audits.social_bias.lexicon_study import ALPHA, Study, WordTops
from clipaudit_audits.social_bias.retrieval_skew_figures import slug
from clipaudit_audits.wording import percent

SHOWN = 3


def all_figures(made: Study, estimates: Sequence[Estimate]) -> list[Figure]:
    """For every column that is judged."""
    figures: list[Figure] = []
    for grouping in made.groupings:
        tops = made.tops.get(grouping.name)
        if tops is None:
            continue
        skews = [
            e for e in estimates
            if e.metric == "category_skew" and e.value is not None
            and e.subgroup["groups"] == grouping.label
        ]  # fmt: skip
        if len(grouping.columns) > 1:
            figures.append(_crossed(grouping, skews))
        else:
            figures += [_heatmap(made, tops), _forest(grouping, skews), _gallery(made, tops)]
    return figures


def _crossed(grouping: Grouping, estimates: Sequence[Estimate]) -> HeatmapFigure:
    """Categories x intersections."""
    columns = tuple(dict.fromkeys(e.subgroup["words"] for e in estimates))
    found = {(e.subgroup["group"], e.subgroup["words"]): e for e in estimates}
    cells = [[found[group, words] for words in columns] for group in grouping.values]
    marked = [[e.status is Status.EFFECT for e in row] for row in cells]
    largest = max(estimates, key=lambda e: abs(e.value or 0.0))
    return HeatmapFigure(
        id=f"categories-{slug(grouping)}", title=f"Categories of words: {grouping.label}", rows=grouping.values,
        columns=columns, values=tuple(tuple(e.value for e in row) for row in cells),
        marked=tuple(tuple(row) for row in marked), value_label="skew (ln of shares)", diverging=True,
        caption="Mean skew over the words of a category. Marked where it differs from what permuted labels give, after "
        "Benjamini-Hochberg over all skews of intersections.",
        alt=f"{sum(map(sum, marked))} of {len(estimates)} skews differ from chance after correction; the largest is "
        f"{largest.value:+.2f} ({largest.title}).",
    )  # fmt: skip


def _heatmap(made: Study, tops: WordTops) -> HeatmapFigure:
    grouping, values = tops.grouping, tops.skews
    marked = made.adjusted[grouping.name] <= ALPHA
    word, group = np.unravel_index(np.abs(values).argmax(), values.shape)
    return HeatmapFigure(
        id=f"words-{slug(grouping)}",
        title=f"Every word, every group: {grouping.label}",
        caption=f"ln(share among the first {tops.k} images / share of the pool). Marked where the share "
        "differs from the pool's after Benjamini-Hochberg over all words and groups.",
        alt=f"{int(marked.sum())} of {marked.size} shares differ from the pool's after correction; the largest skew is "
        f"{values[word, group]:+.2f} ('{grouping.values[group]}' under '{made.words[word]}').",
        rows=tuple(made.words),
        columns=grouping.values,
        values=tuple(tuple(row) for row in values.tolist()),
        marked=tuple(tuple(row) for row in marked.tolist()),
        value_label="skew (ln of shares)",
        diverging=True,
    )


def _forest(grouping: Grouping, estimates: Sequence[Estimate]) -> ForestFigure:
    largest = max(estimates, key=lambda e: abs(e.value or 0.0))
    return ForestFigure(
        id=f"categories-{slug(grouping)}",
        title=f"Categories of words: {grouping.label}",
        caption="Mean skew over the words of a category; 95 % interval over words and images; the band is what "
        "permuted labels give.",
        alt=f"The largest is {largest.value:+.3f} ({largest.title}).",
        x_label="skew (ln of shares)",
        null_value=0.0,
        points=tuple(_point(e) for e in estimates),
    )


def _point(estimate: Estimate) -> Point:
    interval, null = estimate.interval, estimate.null
    return Point(
        label=estimate.subgroup["group"],
        value=estimate.value,
        low=None if interval is None else interval.low,
        high=None if interval is None else interval.high,
        n=estimate.n,
        group=estimate.subgroup["words"],
        null_low=None if null is None else null.low,
        null_high=None if null is None else null.high,
        note=str(estimate.status),
    )


def _gallery(made: Study, tops: WordTops) -> GalleryFigure:
    """The words that lean most, each once, and what they find first."""
    grouping, leans = tops.grouping, np.abs(tops.skews)
    included = [made.made.items[i] for i in np.flatnonzero(grouping.codes >= 0)]
    entries = []
    for word in np.argsort(-leans.max(axis=1), kind="stable")[:SHOWN]:
        group = int(leans[word].argmax())
        share = f"{percent(float(tops.counts[word, group]) / tops.k)} of the top, {percent(float(tops.pool[group]))}"
        entries.append(
            GalleryItem(
                items=tuple(included[i] for i in tops.rankings.order[word, :SHOWN]),
                caption=f"'{made.words[word]}': '{grouping.values[group]}' {share} of the pool",
                score=float(leans[word, group]),
            )
        )
    return GalleryFigure(
        id=f"tops-{slug(grouping)}",
        title=f"Words that lean most: {grouping.label}",
        caption=f"The first {SHOWN} images of each. Picked for their size: they prove nothing.",
        alt=f"The word that leans most is {entries[0].caption}.",
        entries=tuple(entries),
    )
