"""Plots that audits of rates by group share: gaps beside chance, and a mark for each group."""

from __future__ import annotations

import re
from collections.abc import Sequence

from clipaudit.numbers import value_text
from clipaudit.results import Estimate, ForestFigure, GroupsAre, Point, Status
from clipaudit_audits.social_bias.intersection_panels import RULE


def slug(*parts: str) -> str:
    """Id of a figure from what it shows."""
    return "-".join(re.findall(r"[a-z0-9]+", " ".join(parts).lower()))


def gap_point(estimate: Estimate, label: str, group: str, note: str = "") -> Point:
    """A gap: its line begins at the lower bound and is open above, its band is what chance gives."""
    interval, null = estimate.interval, estimate.null
    return Point(
        label=label, value=estimate.value, low=None if interval is None else interval.low, n=estimate.n, group=group,
        null_low=None if null is None else null.low, null_high=None if null is None else null.high, note=note,
    )  # fmt: skip


def said(estimate: Estimate) -> str:
    """What the test says of a gap, beside its mark."""
    return "larger than chance" if estimate.status is Status.EFFECT else "not shown to be larger than chance"


def gaps_forest(shown: Sequence[Estimate], points: Sequence[Point], basis: GroupsAre) -> ForestFigure | None:
    """The gaps `shown`, as `points`, between groups that are `basis`; None without any."""
    if not shown:
        return None
    largest = max(shown, key=lambda e: e.value or 0.0)
    return ForestFigure(
        id="gaps", title=f"Gaps between {basis} groups, beside chance", x_label="largest minus smallest rate (points)",
        points=tuple(points), null_value=0.0,
        caption="Mark: observed gap. Line: from the simultaneous lower bound of the true gap, open above. Band: "
        "central 95 % of gaps when groups are permuted. A mark inside its band is what chance gives."
        + (RULE if len({e.subgroup["groups"] for e in shown if " x " in e.subgroup["groups"]}) > 1 else ""),
        alt=f"The largest of {len(shown)} gaps is {value_text(largest.value, 'points')} ({largest.title}).",
    )  # fmt: skip


def group_point(estimate: Estimate, key: str, series: str = "") -> Point:
    """One group, or label: the value of `key` in the estimate's subgroup."""
    interval = estimate.interval
    return Point(
        label=estimate.subgroup[key], value=estimate.value, n=estimate.n, group=series,
        note="too small" if estimate.status is Status.TOO_SMALL else "",
        low=None if interval is None else interval.low, high=None if interval is None else interval.high,
    )  # fmt: skip


def reference_points(shown: Sequence[Estimate], key: str) -> list[Point]:
    """Published values, as marks of other series in the rows of their groups."""
    return [
        Point(label=e.subgroup[key], value=known.value, group=known.label, note=known.source)
        for e in shown
        for known in e.references
    ]
