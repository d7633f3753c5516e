"""Findings gathered by harm: what happens to whom, not which script found it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from clipaudit import anchors, numbers
from clipaudit.results import CellResult, Estimate, Harm
from clipaudit_reports.blocks import Ids, severity_groups, words
from clipaudit_reports.findings import severity, size
from clipaudit_reports.view import TESTED, CellView, Glance, HarmSection, Severity, SeverityGroup
from clipaudit_reports.who import who

_SEEN = 3  # galleries that are named


def harm_sections(
    cells: Sequence[CellResult], views: Sequence[CellView], ids: Ids, most: int
) -> tuple[HarmSection, ...]:
    """One section per kind of harm with findings; those with most adverse effects among their tests first.

    views: of the cells, in the same order: for the galleries in which a harm is seen.
    """
    found = []
    for harm in Harm:
        own = [(cell, view) for cell, view in zip(cells, views, strict=True) if cell.audit.kind_of_harm is harm]
        anchor = f"harm--{anchors.slug(harm.value)}"
        groups = severity_groups([cell for cell, _ in own], ids, most, anchor)
        if groups:
            primary = [e for cell, _ in own for e in cell.estimates if e.role == "primary"]
            adverse = sum(severity(e) is Severity.HARM for e in primary)
            judged = sum(severity(e) in TESTED for e in primary)
            rows = [row for cell, view in own for row in _glances(cell, view)]
            rows.sort(key=lambda row: not row.much)  # stable: the lines of a cell stay together
            found.append(HarmSection(harm, anchor, adverse, judged, tuple(rows), groups))
    return tuple(
        sorted(found, key=lambda section: (section.harm is Harm.OTHER, -section.adverse / (section.judged or 1)))
    )


def by_severity(sections: Sequence[HarmSection]) -> tuple[SeverityGroup, ...]:
    """The findings of all sections by severity alone."""
    found = []
    for level in Severity:
        alike = [group for section in sections for group in section.groups if group.severity is level]
        if alike:
            blocks = tuple(block for group in alike for block in group.blocks)
            found.append(SeverityGroup(level, "findings", sum(group.count for group in alike), blocks))
    return tuple(found)


def _glances(cell: CellResult, view: CellView) -> list[Glance]:
    """One line per metric of a cell that was tested."""
    order = {metric: place for place, metric in enumerate(dict.fromkeys(e.metric for e in cell.estimates))}
    tested = [e for e in cell.estimates if e.role == "primary" and e.test is not None]
    seen = tuple((gallery.title, gallery.anchor) for gallery in view.galleries[:_SEEN])
    lines = []
    for _, group in groupby(sorted(tested, key=lambda e: order[e.metric]), lambda e: e.metric):
        members = list(group)
        adverse = sorted((e for e in members if severity(e) is Severity.HARM), key=lambda e: -size(e))
        titles = {e.title for e in members}
        lines.append(
            Glance(
                cell_title=view.title,
                cell_anchor=view.anchor,
                title=titles.pop() if len(titles) == 1 else words(members[0].metric),
                who=who(cell, adverse) if adverse else (),
                much=_much(adverse),
                sure=_sure(members, len(adverse)),
                seen=seen if adverse else (),
            )
        )
        seen = () if adverse else seen  # said once per cell
    return lines


def _much(adverse: Sequence[Estimate]) -> str:
    """The largest adverse value and its interval; the smallest beside it where there are several."""
    if not adverse:
        return ""
    largest = _value(adverse[0])
    interval = adverse[0].interval
    if interval is not None:
        largest += f" {numbers.interval_text(interval.low, interval.high, adverse[0].unit)}"
    return largest if len(adverse) == 1 else f"largest {largest}, smallest {_value(adverse[-1])}"


def _value(estimate: Estimate) -> str:
    interval = estimate.interval
    spread = None if interval is None else numbers.half_width(interval.low, interval.high)
    return numbers.value_text(estimate.value, estimate.unit, spread=spread)


def _sure(members: Sequence[Estimate], adverse: int) -> str:
    """How many tests hold after correction, of how many items and clusters; what could have been seen."""
    text = f"{adverse} of {numbers.counted(len(members), 'test')}; n {_range([e.n for e in members])}"
    clusters = [e.clusters for e in members if e.clusters is not None]
    if clusters and clusters != [e.n for e in members]:
        text += f" in {_range(clusters)} clusters"
    smallest = [e.minimum_detectable for e in members if e.minimum_detectable is not None]
    if adverse or not smallest:
        return text
    least = numbers.value_text(max(smallest), members[0].unit)
    return f"{text}; effects from {least} would be found with 80 % probability"


def _range(counts: Sequence[int]) -> str:
    low, high = numbers.count_text(min(counts)), numbers.count_text(max(counts))
    return low if low == high else f"{low} to {high}"
