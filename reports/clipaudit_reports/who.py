"""Who or what findings are about: subgroups by name, and which groups lie at the ends of a difference."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from clipaudit import numbers
from clipaudit.results import CellResult, Estimate, Status
from clipaudit_reports.findings import baseline

_NAMED = 4  # values of one subgroup that are named, the most frequent first
_GROUPS, _GROUP = "groups", "group"  # keys of what is compared, and of one group in it
_HOW = frozenset({"k", "target", "template", "seed"})  # how something was measured, not who or what it is about


def who(cell: CellResult, findings: Sequence[Estimate]) -> tuple[tuple[str, str], ...]:
    """Names and values: of the groups that differ where that is known, else of the findings' subgroups."""
    lines: list[tuple[str, str]] = []
    compared = list(dict.fromkeys(e.subgroup[_GROUPS] for e in findings if _is_comparison(e)))
    for label in compared[:_NAMED]:
        about = _lean(cell, label) or _ends(cell, [e for e in findings if e.subgroup.get(_GROUPS) == label])
        lines.append((label, about or "no single group stands out"))
    if len(compared) > _NAMED:
        lines.append((numbers.count_text(len(compared) - _NAMED) + " more", "in the findings below"))
    return (*lines, *named([e for e in findings if not _is_comparison(e)]))


def named(estimates: Sequence[Estimate]) -> tuple[tuple[str, str], ...]:
    """Each subgroup's name, and its values, the most frequent first."""
    counts: dict[str, Counter[str]] = {}
    for estimate in estimates:
        for key, value in estimate.subgroup.items():
            if key not in _HOW:
                counts.setdefault(key, Counter())[value] += 1
    return tuple((key, _listed(values)) for key, values in counts.items())


def _is_comparison(estimate: Estimate) -> bool:
    return _GROUPS in estimate.subgroup and _GROUP not in estimate.subgroup


def _lean(cell: CellResult, label: str) -> str:
    """Groups whose own tests show an effect, by the side on which they lie; "" where there are none."""
    sides: dict[str, Counter[str]] = {"more": Counter(), "less": Counter()}
    for e in cell.estimates:
        if e.subgroup.get(_GROUPS) == label and _GROUP in e.subgroup and e.status is Status.EFFECT:
            side = "more" if (e.value or 0.0) > baseline(e) else "less"
            sides[side][e.subgroup[_GROUP]] += 1
    quoted = {side: Counter({f"‘{name}’": count for name, count in found.items()}) for side, found in sides.items()}
    return "; ".join(f"{side}: {_listed(found, ', ')}" for side, found in quoted.items() if found)


def _ends(cell: CellResult, findings: Sequence[Estimate]) -> str:
    """The groups with the highest and the lowest rate behind the first difference; "" where they are not told."""
    label = findings[0].subgroup[_GROUPS]
    rest = _without(findings[0].subgroup, _GROUPS)
    rates = [
        e for e in cell.estimates
        if label in e.subgroup and _without(e.subgroup, label) == rest and e.status is not Status.TOO_SMALL
    ]  # fmt: skip
    known = [(e.value, e.subgroup[label]) for e in rates if e.metric == rates[0].metric and e.value is not None]
    return f"highest: ‘{max(known)[1]}’; lowest: ‘{min(known)[1]}’" if len(known) > 1 else ""


def _without(subgroup: Mapping[str, str], key: str) -> dict[str, str]:
    return {name: value for name, value in subgroup.items() if name != key and name not in _HOW}


def _listed(values: Counter[str], between: str = " · ") -> str:
    ranked = sorted(values, key=lambda value: (-values[value], value))
    more = len(ranked) - _NAMED
    return between.join(ranked[:_NAMED]) + (f" and {numbers.count_text(more)} more" if more > 0 else "")
