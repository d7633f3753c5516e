"""A run against a policy: checks, rules, waivers, conclusion."""

from __future__ import annotations

import datetime
from pathlib import Path

from clipaudit import __version__
from clipaudit.errors import ExitCode, UsageError
from clipaudit.gate import trust, waivers
from clipaudit.gate.conclude import applied, conclude
from clipaudit.gate.outcome import rule_results
from clipaudit.gate.policy import Absolute, Policy
from clipaudit.gate.results import Compared, GateResult, Profile, RuleResult, State
from clipaudit.gate.weighing import Runs, weigh_rule


def judge(
    run: Path,
    policy: Policy,
    baseline: Path | None = None,
    *,
    profile: Profile = "release",
    today: datetime.date | None = None,
) -> GateResult:
    """The gate's result for a run.

    Args:
        run: directory of a finished run.
        policy: see `load_policy`.
        baseline: directory of the run that changes are measured from.
        profile: "release" is red where something is not proven; "pull-request" only warns of it.
        today: the day that waivers are held against; by default the day it is.

    Raises UsageError where a run cannot be read or a baseline is missing, Interrupted where a run has not finished.
    What else speaks against judging (an edited file, another suite) is in the result's `problems`.
    """
    this = trust.open_run(run)
    other = None if baseline is None else trust.open_run(baseline)
    needing = [rule.id for rule in policy.rules if not isinstance(rule, Absolute)]
    if needing and other is None:
        raise UsageError(f"rule {needing[0]!r} compares with a baseline: give --baseline RUN")
    problems = list(trust.doubts(this))
    notes = [*trust.mixtures(this)]
    wrong = trust.errored(this)
    if other is not None:
        problems += [*trust.doubts(other), *trust.differences(this, other)]
        wrong += [f"baseline: {line}" for line in trust.errored(other)]
        notes += [*trust.mixtures(other), *trust.circumstances(this, other)]
    found, nothing = ([], False) if problems else _judged(policy, this, other)
    day = today or datetime.date.today()
    states = {rule.id: State.ERROR for rule in policy.rules} | {rule.id: rule.state for rule in found}
    uses = waivers.in_use(policy.waivers, this.result.model.fingerprint, states, day)
    return conclude(
        GateResult(
            clipaudit_version=__version__, policy=policy.title, policy_digest=policy.digest, profile=profile,
            level=policy.level, judged_on=day, result_digest=this.digest, suite=this.result.suite,
            model=this.result.model.name, fingerprint=this.result.model.fingerprint, baseline=_compared(other),
            state=State.ERROR, headline="", exit_code=int(ExitCode.USAGE),
            rules=tuple(applied(rule, uses, profile) for rule in found), waivers=tuple(uses),
            problems=tuple(problems), notes=tuple(notes),
        ),
        wrong,
        nothing,
    )  # fmt: skip


def _judged(policy: Policy, run: trust.Run, baseline: trust.Run | None) -> tuple[list[RuleResult], bool]:
    """The rules' results, and whether no rule had anything to judge."""
    runs = Runs(run, baseline, 1 - policy.alpha)
    weighings = [weigh_rule(rule, runs) for rule in policy.rules]
    return rule_results(weighings, policy.level), all(each.nothing for each in weighings)


def _compared(baseline: trust.Run | None) -> Compared | None:
    if baseline is None:
        return None
    result = baseline.result
    return Compared(
        suite=result.suite, model=result.model.name, fingerprint=result.model.fingerprint,
        clipaudit_version=result.clipaudit_version,
    )  # fmt: skip
