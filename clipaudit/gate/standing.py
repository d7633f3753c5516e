"""How a rule stands, in the one word that every rendering shows, and the order in which rules are shown."""

from __future__ import annotations

from clipaudit.gate.results import GateResult, RuleResult, State

_STATES = (State.ERROR, State.FAIL, State.INCONCLUSIVE, State.PASS)
_SEVERITIES = ("critical", "major", "minor")


def label(rule: RuleResult) -> str:
    """State, and what became of it: "FAIL", "FAIL (waived)", "INCONCLUSIVE (warning)", "PASS (waiver expired)"."""
    if rule.waiver is not None:
        return f"{rule.state.value} ({'waived' if rule.waiver.state == 'active' else 'waiver expired'})"
    warned = rule.state is State.INCONCLUSIVE and not rule.blocks
    return f"{rule.state.value}{' (warning)' if warned else ''}"


def ordered(result: GateResult) -> list[RuleResult]:
    """What blocks first, then by state and severity; else as in the policy."""
    return sorted(
        result.rules,
        key=lambda rule: (not rule.blocks, _STATES.index(rule.state), _SEVERITIES.index(rule.severity)),
    )


def verdict_line(result: GateResult) -> str:
    """The line that says how the gate ended: "FAIL: 4 rules: 1 failed, 3 passed"."""
    return f"{result.state.value}: {result.headline}"


def basis(result: GateResult) -> str:
    """What was judged by what, in a sentence."""
    against = f", against {result.baseline.model}" if result.baseline else ""
    policy = f"policy {result.policy!r}" if result.policy else "policy"
    return (
        f"{result.model} on suite {result.suite}{against}; {policy} ({result.policy_digest[:12]}), profile "
        f"{result.profile}, {100 * (1 - 2 * result.level):g} % intervals, Holm over all rules"
    )
