"""A gate's result as workflow commands of GitHub Actions: one annotation a rule that needs a look."""

from __future__ import annotations

from clipaudit import anchors
from clipaudit.gate.results import GateResult, RuleResult, State
from clipaudit.gate.standing import label, ordered, verdict_line
from clipaudit.text import printable


def render(result: GateResult) -> str:
    """Lines for standard output: an error for what blocks, a warning for what is waived or only warned of, and the
    verdict itself."""
    level = "notice" if result.exit_code == 0 else "error"
    lines = [_command(level, "clipaudit gate", verdict_line(result))]
    lines += [_command("error", "clipaudit gate: the run", problem) for problem in result.problems]
    lines += [_command("notice", "clipaudit gate: beside the model", note) for note in result.notes]
    places = anchors.rules(rule.id for rule in result.rules)
    looked_at = [rule for rule in ordered(result) if rule.blocks or rule.state is not State.PASS]
    lines += [_annotation(rule, anchors.link(places[rule.id])) for rule in looked_at]
    return "\n".join(lines) + "\n"


def _annotation(rule: RuleResult, link: str) -> str:
    title = f"{label(rule)}: {rule.id} ({rule.severity})"
    return _command("error" if rule.blocks else "warning", title, f"{rule.asked}. {rule.reason}. See {link}")


def _command(kind: str, title: str, message: str) -> str:
    """A workflow command on one line; `%`, and in a property `:` and `,`, are escaped as the runner asks."""
    name = _data(title).replace(":", "%3A").replace(",", "%2C")
    return f"::{kind} title={name}::{_data(message)}"


def _data(text: str) -> str:
    return printable(text, limit=2000).replace("%", "%25")
