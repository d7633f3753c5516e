"""What the terminal says of a gate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from clipaudit import anchors
from clipaudit.cli.outcome import console
from clipaudit.gate.results import GateResult, RuleResult, State
from clipaudit.gate.standing import basis, label, ordered, verdict_line
from clipaudit.text import printable

if TYPE_CHECKING:
    from rich.text import Text

_STYLES = {State.PASS: "green", State.FAIL: "bold red", State.INCONCLUSIVE: "yellow"}
_ALARM = "bold magenta"


def show_gate(result: GateResult, report: Path | None = None) -> None:
    """What was judged, each rule with what it asks and what was found, problems, waivers, where the report says more,
    and how it ended."""
    from rich.table import Table
    from rich.text import Text

    out = console()
    out.print(printable(basis(result), limit=None), markup=False, style="dim")
    if result.rules:
        table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 1, 0))
        table.add_column(no_wrap=True)
        table.add_column(no_wrap=True)
        table.add_column(overflow="fold")
        places = anchors.rules(rule.id for rule in result.rules) if report is not None else {}
        for rule in ordered(result):
            table.add_row(Text(label(rule), _style(rule.state)), _name(rule), _words(rule, places.get(rule.id)))
        out.print(table)
    for problem in result.problems:
        out.print(f"problem: {printable(problem, limit=None)}", markup=False)
    for note in result.notes:
        out.print(f"note: {printable(note, limit=None)}", markup=False)
    for use in result.waivers:
        said = (
            f"waiver ({use.state}): {use.rule}, model {use.model[:12]}, until {use.expires}, {use.owner}: {use.reason}"
        )
        out.print(printable(said, limit=400), markup=False)
    if report is not None:
        out.print(f"report: {printable(report, limit=None)}#rules", markup=False, soft_wrap=True)
    out.print(printable(verdict_line(result), limit=None), markup=False, style=_style(result.state))


def _name(rule: RuleResult) -> Text:
    from rich.text import Text

    return Text.assemble(printable(rule.id, limit=40), (f"\n{rule.severity}", "dim"))


def _words(rule: RuleResult, place: str | None) -> Text:
    """place: the rule's anchor in the report, where there is one."""
    from rich.text import Text

    lines = (rule.reason, *([] if place is None else [anchors.link(place)]))
    said = "".join(f"\n{printable(line, limit=None)}" for line in lines)
    return Text.assemble(printable(rule.asked, limit=None), (said, "dim"))


def _style(state: State) -> str:
    return _STYLES.get(state, _ALARM)
