"""A gate's result as Markdown: a comment on a pull request, or the summary of a job."""

from __future__ import annotations

from clipaudit.gate.results import GateResult, RuleResult
from clipaudit.gate.standing import basis, label, ordered, verdict_line
from clipaudit_reports.markdown import escape

_MARKS = {"PASS": "✅", "FAIL": "❌", "INCONCLUSIVE": "⚠️"}


def render(result: GateResult) -> str:
    """GitHub-flavoured Markdown without HTML: verdict, problems, a table of the rules, waivers."""
    lines = [f"## {_mark(result.state.value)} {escape(verdict_line(result))}", "", escape(basis(result)), ""]
    lines += [f"- **Problem:** {escape(problem)}" for problem in result.problems]
    if result.rules:
        lines += ["", "| rule | severity | verdict | asked | found |", "|---|---|---|---|---|"]
        lines += [_row(rule) for rule in ordered(result)]
    lines += _waivers(result)
    return "\n".join(lines).rstrip() + "\n"


def _mark(state: str) -> str:
    return _MARKS.get(state, "🚫")


def _row(rule: RuleResult) -> str:
    verdict = f"{_mark(rule.state.value)} {label(rule)}"
    return f"| {' | '.join(escape(part) for part in (rule.id, rule.severity, verdict, rule.asked, rule.reason))} |"


def _waivers(result: GateResult) -> list[str]:
    if not result.waivers:
        return []
    lines = ["", "### Waivers", "", "| rule | model | state | expires | owner | reason |", "|---|---|---|---|---|---|"]
    for use in result.waivers:
        parts = (use.rule, use.model[:12], use.state, use.expires, use.owner, use.reason)
        lines.append(f"| {' | '.join(escape(part) for part in parts)} |")
    return lines
