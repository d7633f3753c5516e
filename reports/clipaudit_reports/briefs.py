"""Every kind of harm in a line, for readers who know no statistics: shown, not shown, not known."""

from __future__ import annotations

from collections.abc import Sequence

from clipaudit import numbers
from clipaudit.results import Harm
from clipaudit_reports.view import HARMS, Brief, HarmSection, Severity


def briefs(sections: Sequence[HarmSection]) -> tuple[Brief, ...]:
    """One line per kind of harm in the order of its sections; then those that nothing was measured about."""
    looked_at = {section.harm for section in sections}
    silent = [harm for harm in Harm if harm not in looked_at and harm is not Harm.OTHER]
    return (*map(_brief, sections), *(Brief(harm, "notrun", "not looked at", HARMS[harm], "", "") for harm in silent))


def _brief(section: HarmSection) -> Brief:
    state, mark = _state(section)
    return Brief(section.harm, mark.value, state, section.meaning, _counts(section), section.anchor)


def _state(section: HarmSection) -> tuple[str, Severity]:
    """An adverse effect outweighs everything; a failed check of the measurement outweighs silence."""
    found = {group.severity for group in section.groups}
    if section.adverse:
        return "shown", Severity.HARM
    if Severity.INCONCLUSIVE in found:
        return "cannot be told", Severity.INCONCLUSIVE
    if section.judged:
        beside = found & {Severity.DESCRIBED, Severity.SMALL}
        return "not shown by the tests" if beside else "not shown", Severity.NONE
    return ("described only", Severity.DESCRIBED) if Severity.DESCRIBED in found else ("cannot be told", Severity.SMALL)


def _counts(section: HarmSection) -> str:
    """How many tests speak for it, and how far silence reaches."""
    if section.adverse:
        shows = "shows" if section.judged == 1 else "show"
        return f"{numbers.count_text(section.adverse)} of {numbers.counted(section.judged, 'test')} {shows} it"
    counts = {group.severity: group.count for group in section.groups}
    failed, small = counts.get(Severity.INCONCLUSIVE, 0), counts.get(Severity.SMALL, 0)
    if failed:
        return f"{numbers.counted(failed, 'measurement')} failed a check of the measurement itself"
    if not section.judged:
        return "too few items to judge" if small else "values without a test"
    tests = numbers.counted(section.judged, "test")
    parts = [f"{tests} could have shown a large effect; a small one may be missed"]
    described = counts.get(Severity.DESCRIBED, 0)
    parts += [f"{numbers.counted(described, 'value')} described without a test"] if described else []
    parts += [f"{numbers.count_text(small)} too small to judge"] if small else []
    return "; ".join(parts)
