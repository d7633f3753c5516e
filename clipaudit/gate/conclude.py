"""How a gate ends: waivers and profile applied, then one state, one headline, one exit code."""

from __future__ import annotations

from collections.abc import Sequence

from clipaudit.errors import ExitCode
from clipaudit.gate import waivers
from clipaudit.gate.results import GateResult, Profile, RuleResult, State, WaiverUse
from clipaudit.numbers import counted

_CODES = {
    State.PASS: ExitCode.OK,
    State.FAIL: ExitCode.GATE_FAILED,
    State.ERROR: ExitCode.USAGE,
    State.INCOMPLETE: ExitCode.CELLS_ERRORED,
    State.NOTHING_JUDGED: ExitCode.NOTHING_JUDGED,
    State.INCONCLUSIVE: ExitCode.INCONCLUSIVE,
}


def applied(rule: RuleResult, uses: Sequence[WaiverUse], profile: Profile) -> RuleResult:
    """The rule with its waiver, and whether it blocks. What is in error cannot be waived."""
    waiver = waivers.of_rule(uses, rule.id)
    if rule.state is State.ERROR:
        return rule.model_copy(update={"blocks": True})
    if waiver is not None and waiver.state == "expired":
        said = f"{rule.reason}; the waiver of {waiver.owner} expired on {waiver.expires}: renew or remove it"
        return rule.model_copy(update={"waiver": waiver, "blocks": True, "reason": said})
    warns = rule.state is State.INCONCLUSIVE and profile == "pull-request"
    return rule.model_copy(update={"waiver": waiver, "blocks": not (rule.state is State.PASS or waiver or warns)})


def conclude(result: GateResult, errored: Sequence[str], nothing: bool) -> GateResult:
    """The result with its state, headline and exit code.

    errored: cells that went wrong. nothing: whether no rule could be judged for lack of anything to judge.
    Doubts about the input come before what was found, and a proven failure before what is not proven.
    """
    state = _state(result, errored, nothing)
    blocking = any(rule.blocks for rule in result.rules)
    warned = state is State.INCONCLUSIVE and not blocking
    return result.model_copy(
        update={
            "problems": (*result.problems, *errored),
            "state": state,
            "headline": _headline(result, errored),
            "exit_code": int(ExitCode.OK if warned else _CODES[state]),
        }
    )


def _state(result: GateResult, errored: Sequence[str], nothing: bool) -> State:
    if result.problems:
        return State.ERROR
    if errored:
        return State.INCOMPLETE
    if nothing:
        return State.NOTHING_JUDGED
    if any(rule.state is State.ERROR for rule in result.rules):
        return State.ERROR
    if any(rule.blocks and (rule.state is State.FAIL or _expired(rule)) for rule in result.rules):
        return State.FAIL
    open_rules = [rule for rule in result.rules if rule.state is State.INCONCLUSIVE and rule.waiver is None]
    return State.INCONCLUSIVE if open_rules else State.PASS


def _expired(rule: RuleResult) -> bool:
    return rule.waiver is not None and rule.waiver.state == "expired"


def _headline(result: GateResult, errored: Sequence[str]) -> str:
    """Counts of the rules by state, waived ones apart."""
    if result.problems:
        return f"not judged: {counted(len(result.problems), 'problem')} with the run, its baseline or its files"
    waived = [rule for rule in result.rules if rule.waiver is not None and not _expired(rule)]
    parts = []
    for state in (State.FAIL, State.INCONCLUSIVE, State.ERROR, State.PASS):
        count = sum(rule.state is state and rule not in waived for rule in result.rules)
        if count:
            parts.append(f"{count} {_WORDS[state]}")
    if waived:
        parts.append(f"{len(waived)} waived")
    expired = sum(_expired(rule) for rule in result.rules)
    if expired:
        parts.append(f"{counted(expired, 'waiver')} expired")
    if errored:
        parts.append(f"{counted(len(errored), 'cell')} errored")
    return f"{counted(len(result.rules), 'rule')}: {', '.join(parts)}"


_WORDS = {
    State.FAIL: "failed",
    State.INCONCLUSIVE: "inconclusive",
    State.ERROR: "could not be judged",
    State.PASS: "passed",
}
