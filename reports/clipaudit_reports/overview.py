"""The first screen: verdict line, counts, and what stands out."""

from __future__ import annotations

from collections.abc import Sequence

from clipaudit.verdict import Verdict
from clipaudit_reports.view import Brief, Severity, SeverityGroup, StandOut, Tally, VerdictView

SHOWN = 5  # findings on the first screen

_EXPLANATIONS = {
    "NOT GATED": "No policy was applied to this run: nothing here is a pass or a fail. It says what was found.",
    "INCOMPLETE": "Part of the suite ended in an error. What is shown was measured; what errored is unknown, not fine.",
    "NOTHING JUDGED": "No audit could be run. Nothing is known about this model from this report.",
    "PASS": "Every rule of the policy is proven to hold or has a waiver. It says nothing about what no rule asks.",
    "FAIL": "A rule of the policy is proven broken, or a waiver has expired.",
    "INCONCLUSIVE": "No rule is proven broken, but not all are proven to hold: there was too little to tell.",
    "ERROR": "The policy could not be applied to this run: nothing here is a pass.",
}


def verdict_view(verdict: Verdict, groups: Sequence[SeverityGroup], briefs: tuple[Brief, ...]) -> VerdictView:
    """The verdict in words. The counts are those of the verdict, adverse effects set apart."""
    standouts = _standouts(groups)
    return VerdictView(
        state=verdict.state,
        headline=verdict.headline[:1].upper() + verdict.headline[1:],
        explanation=_EXPLANATIONS.get(verdict.state, ""),
        findings="" if verdict.gate is None else verdict.findings[:1].upper() + verdict.findings[1:],
        briefs=briefs,
        tallies=_tallies(verdict, groups),
        standouts=standouts,
        quiet="" if standouts else _quiet(verdict),
    )


def _standouts(groups: Sequence[SeverityGroup]) -> tuple[StandOut, ...]:
    """The largest effect of each block, adverse ones first; audits take turns before any speaks twice."""
    leads = [
        (block, block.findings[0])
        for group in groups
        if group.severity in (Severity.HARM, Severity.EFFECT)
        for block in group.blocks
    ]
    turn: dict[str, int] = {}
    keyed = []
    for block, finding in leads:
        turn[block.cell_anchor] = turn.get(block.cell_anchor, 0) + 1
        keyed.append((turn[block.cell_anchor], block, finding))
    keyed.sort(key=lambda entry: entry[0])
    return tuple(
        StandOut(
            found.severity, found.sentence, f"{found.value} {found.interval}".strip(), found.anchor, block.cell_title
        )
        for _, block, found in keyed[:SHOWN]
    )


def _tallies(verdict: Verdict, groups: Sequence[SeverityGroup]) -> tuple[Tally, ...]:
    counts = {group.severity: group.count for group in groups}
    tallies = [Tally(counts.get(level, 0), level.word, level.value, "findings") for level in Severity]
    tallies.append(Tally(verdict.cells_not_run, "not run", "notrun", "not-tested"))
    tallies.append(Tally(verdict.cells_errored, "errored", "errored", "not-tested"))
    return tuple(tallies)


def _quiet(verdict: Verdict) -> str:
    if verdict.tested:
        return (
            "No corrected test shows an effect. That is not proof of absence: "
            "each result below says how large an effect had to be to show."
        )
    return "No hypothesis was tested."
