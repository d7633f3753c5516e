"""Findings gathered by harm: what happens to whom, not which script found it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from clipaudit import numbers
from clipaudit.results import CellResult, Estimate, Harm
from clipaudit_reports import anchors
from clipaudit_reports.blocks import Ids, severity_groups
from clipaudit_reports.findings import severity
from clipaudit_reports.view import CellView, HarmSection, Severity, SeverityGroup

_NAMED = 5  # values of one subgroup that are named, the most frequent first
_NOT_ABOUT = frozenset({"k", "template", "seed"})  # how something was measured, not who or what it is about


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
            adverse = [e for e in primary if severity(e) is Severity.HARM]
            seen = tuple((v.title, v.galleries[0].anchor) for _, v in own if v.galleries)
            judged = sum(estimate.test is not None for estimate in primary)
            found.append(HarmSection(harm, anchor, len(adverse), judged, named(adverse), seen, groups))
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


def named(estimates: Sequence[Estimate]) -> tuple[tuple[str, str], ...]:
    """What findings are about: each subgroup's name, and its values, the most frequent first."""
    counts: dict[str, Counter[str]] = {}
    for estimate in estimates:
        for key, value in _about(estimate.subgroup).items():
            counts.setdefault(key, Counter())[value] += 1
    return tuple((key, _listed(values)) for key, values in counts.items())


def _about(subgroup: Mapping[str, str]) -> Mapping[str, str]:
    return {key: value for key, value in subgroup.items() if key not in _NOT_ABOUT}


def _listed(values: Counter[str]) -> str:
    ranked = sorted(values, key=lambda value: (-values[value], value))
    more = len(ranked) - _NAMED
    return ", ".join(ranked[:_NAMED]) + (f" and {numbers.count_text(more)} more" if more > 0 else "")
