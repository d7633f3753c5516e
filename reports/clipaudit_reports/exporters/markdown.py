"""A gate's result as Markdown: a comment on a pull request, or the summary of a job."""

from __future__ import annotations

from clipaudit import anchors
from clipaudit.gate.results import GateResult, RuleResult
from clipaudit.gate.standing import basis, label, ordered, verdict_line
from clipaudit_reports.exporters.markup import safe, table

_MARKS = {"PASS": "✅", "FAIL": "❌", "INCONCLUSIVE": "⚠️"}


def render(result: GateResult) -> str:
    """GitHub-flavoured Markdown without HTML: verdict, problems, a table of the rules, waivers."""
    lines = [f"## {_mark(result.state.value)} {safe(verdict_line(result))}", "", safe(basis(result)), ""]
    lines += [f"- **Problem:** {safe(problem)}" for problem in result.problems]
    lines += [f"- Note: {safe(note)}" for note in result.notes]
    if result.rules:
        places = anchors.rules(rule.id for rule in result.rules)
        rules = (_row(rule, anchors.link(places[rule.id])) for rule in ordered(result))
        lines += ["", *table(("rule", "severity", "verdict", "asked", "found", "in the report"), rules)]
    if result.waivers:
        rows = [(use.rule, use.model[:12], use.state, use.expires, use.owner, use.reason) for use in result.waivers]
        lines += ["", "### Waivers", "", *table(("rule", "model", "state", "expires", "owner", "reason"), rows)]
    return "\n".join(lines).rstrip() + "\n"


def _mark(state: str) -> str:
    return _MARKS.get(state, "🚫")


def _row(rule: RuleResult, link: str) -> tuple[str, ...]:
    return rule.id, rule.severity, f"{_mark(rule.state.value)} {label(rule)}", rule.asked, rule.reason, link
