"""One run against the base: every change in words, by outcome and cell."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby

from clipaudit import anchors, numbers
from clipaudit.compare import words
from clipaudit.compare.results import ComparedCell, Difference, Outcome, Pair
from clipaudit.gate.words import change_text
from clipaudit_reports.comparison.view import ChangeBlock, ChangeGroup, ChangeView
from clipaudit_reports.strips import Scale
from clipaudit_reports.view import Strip

Cells = Mapping[str, ComparedCell]
_PADDING = 0.06


def anchor_of(run: str, found: Difference) -> str:
    """The id of a change; run: the slug of the new run's label."""
    return anchors.change(run, found.cell_name, found.metric, found.role, found.subgroup)


def groups(
    pair: Pair, cells: Cells, run: str, most: int, flips_of: Callable[[Difference], str]
) -> tuple[ChangeGroup, ...]:
    """By outcome, the worse first; empty groups are left out. flips_of: where a change's items stand."""
    found = []
    scales = _scales(pair.differences)
    for outcome in words.ORDER:
        chosen = [each for each in words.ordered(pair) if each.outcome is outcome]
        if chosen:
            blocks = _blocks(chosen, cells, most, lambda each: _view(each, run, scales, flips_of(each)))
            main = sum(each.role == "primary" for each in chosen)
            found.append(ChangeGroup(outcome, f"{run}--{anchors.slug(outcome.value)}", len(chosen), main, blocks))
    return tuple(found)


def _blocks(
    chosen: Sequence[Difference], cells: Cells, most: int, view: Callable[[Difference], ChangeView]
) -> tuple[ChangeBlock, ...]:
    order = {name: place for place, name in enumerate(cells)}
    blocks = []
    by_cell = sorted(chosen, key=lambda each: order[each.cell_name])  # stable: the smallest p stays first
    for name, members in groupby(by_cell, key=lambda each: each.cell_name):
        known = list(members)
        primary = [each for each in known if each.role == "primary"]
        details = [each for each in known if each.role != "primary"]
        left_out = max(0, len(primary) - most) + max(0, len(details) - most)
        shown = tuple(map(view, primary[:most])), tuple(map(view, details[:most]))
        blocks.append(ChangeBlock(name, cells[name].title, cells[name].question, *shown, left_out))
    return tuple(blocks)


def _view(found: Difference, run: str, scales: Mapping[tuple[str, str], Scale], flips: str) -> ChangeView:
    change, interval = words.change(found)
    untold = found.outcome is Outcome.UNTOLD and found.minimum_detectable is not None
    return ChangeView(
        anchor=anchor_of(run, found),
        name=words.named(found),
        outcome=found.outcome,
        values=words.values(found),
        change=change,
        interval=interval,
        n=numbers.count_text(found.n),
        paired=found.paired,
        p=words.p_of(found),
        detectable=change_text(found.minimum_detectable, found.unit) if untold else "",
        flipped=words.flips(found, 0),
        flips_anchor=flips,
        strip=_strip(found, scales[found.cell_name, found.unit], f"{change} {interval}"),
    )


def _scales(differences: Sequence[Difference]) -> dict[tuple[str, str], Scale]:
    """One for each cell and unit; all hold zero."""
    ends: dict[tuple[str, str], list[float]] = {}
    for each in differences:
        known = ends.setdefault((each.cell_name, each.unit), [0.0])
        bounds = () if each.interval is None else (each.interval.low, each.interval.high)
        known += [value for value in (each.change, *bounds) if value is not None]
    found = {}
    for key, values in ends.items():
        margin = (max(values) - min(values)) * _PADDING or 0.5
        found[key] = Scale(min(values) - margin, max(values) + margin)
    return found


def _strip(found: Difference, scale: Scale, alt: str) -> Strip:
    """An open end of an interval reaches the strip's edge."""
    low = high = None
    if found.interval is not None:
        low = 0.0 if found.interval.low is None else scale.at(found.interval.low)
        high = 100.0 if found.interval.high is None else scale.at(found.interval.high)
    return Strip(scale.at(found.change), low, high, scale.at(0.0), None, None, alt)
