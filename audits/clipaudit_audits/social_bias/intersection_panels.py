"""Small multiples of an intersection: a small forest per group of some columns, its rows the groups of another."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from clipaudit.results import Estimate, Panel, Point, Status
from clipaudit_audits.social_bias.groups import Grouping

MOST_CELLS = 64  # of one figure; the cells of larger intersections stand in the table of estimates
RULE = (
    " Of intersections, those whose gap is larger than chance are drawn group by group, up to "
    f"{MOST_CELLS} groups; the others stand in the table."
)


def drawn(groupings: Sequence[Grouping], gaps: Iterable[Estimate]) -> Collection[str]:
    """Labels of the intersections that are drawn: see RULE; the only one there is, whatever its gap.

    gaps: estimates about one rate, with the grouping's label as `groups`.
    """
    several = [grouping for grouping in groupings if len(grouping.columns) > 1]
    effects = {e.subgroup["groups"] for e in gaps if e.status is Status.EFFECT}
    return {
        grouping.label
        for grouping in several
        if len(grouping.values) <= MOST_CELLS and (grouping.label in effects or len(several) == 1)
    }


def cells_of(columns: Iterable[Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """Name of an intersection, as `groups.Grouping` writes it -> its group in each column; columns: (n,) values each.

    >>> cells_of([["a", "a"], ["x", "y"]])
    {'a, x': ('a', 'x'), 'a, y': ('a', 'y')}
    """
    return {", ".join(cell): cell for cell in zip(*columns, strict=True)}


def panels(points: Mapping[tuple[str, ...], Point]) -> tuple[Panel, ...]:
    """Points by cell of the intersection: rows are the column with most groups (the last of several such).

    >>> cells = {(tone, hair): Point(label="", value=1.0) for tone in "12" for hair in ("long", "off", "short")}
    >>> [(panel.title, [point.label for point in panel.points]) for panel in panels(cells)]
    [('1', ['long', 'off', 'short']), ('2', ['long', 'off', 'short'])]
    """
    if not points:
        return ()
    width = len(next(iter(points)))
    rows = max(range(width), key=lambda column: (len({cell[column] for cell in points}), column))
    found: dict[str, list[Point]] = {}
    for cell in sorted(points, key=lambda cell: (cell[:rows] + cell[rows + 1 :], cell[rows])):
        name = ", ".join(cell[:rows] + cell[rows + 1 :])
        found.setdefault(name, []).append(points[cell].model_copy(update={"label": cell[rows]}))
    return tuple(Panel(title=name, points=tuple(members)) for name, members in found.items())


def point(estimate: Estimate) -> Point:
    """One group of an intersection; its status gives colour and shape."""
    interval, null = estimate.interval, estimate.null
    return Point(
        label="", value=estimate.value, n=estimate.n, group=str(estimate.status),
        low=None if interval is None else interval.low, high=None if interval is None else interval.high,
        null_low=None if null is None else null.low, null_high=None if null is None else null.high,
    )  # fmt: skip
