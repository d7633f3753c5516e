"""What a gate decided: typed and serialisable, in `gate.json`. Every rendering reads these, nothing decides again."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from enum import StrEnum
from typing import Literal

from pydantic import Field

from clipaudit.results import Interval, Record

GATE_SCHEMA_VERSION = "1"
Profile = Literal["release", "pull-request"]
Severity = Literal["critical", "major", "minor"]
Kind = Literal["absolute", "change", "equivalence"]


class State(StrEnum):
    """What a rule, or the whole gate, ends in. PASS and FAIL are proven; ERROR means that it could not be judged."""

    PASS = "PASS"
    FAIL = "FAIL"
    INCONCLUSIVE = "INCONCLUSIVE"
    ERROR = "ERROR"
    INCOMPLETE = "INCOMPLETE"  # the gate only: cells of the run errored
    NOTHING_JUDGED = "NOTHING JUDGED"  # the gate only


class Allowed(Record):
    """What a rule allows, in the metric's unit, ends included; None is no limit on that side."""

    low: float | None = None
    high: float | None = None


class Judged(Record):
    """One estimate, or its change, as a rule judged it.

    value, interval: of the estimate; for a change of (this run - baseline), or where worse is "away from null" of the
        distance to the null. `before` and `after` are the two estimates' own values.
    paired: whether the change is that of the same items (`note` says why not). None for an absolute bound.
    gained, lost: items that moved the value up, and down, where outcomes are yes or no.
    p_pass: one-sided p of "outside what is allowed, or on its edge"; small means proven inside.
    p_fail: one-sided p of "inside what is allowed"; small means proven outside.
    """

    cell: str  # slug
    cell_key: str
    metric: str
    title: str
    unit: str = ""
    role: str = "primary"
    subgroup: Mapping[str, str] = Field(default_factory=dict)
    value: float | None
    interval: Interval | None = None
    n: int
    clusters: int | None = None
    before: float | None = None
    after: float | None = None
    paired: bool | None = None
    gained: int | None = None
    lost: int | None = None
    p_pass: float | None = None
    p_fail: float | None = None
    note: str = ""


class WaiverUse(Record):
    """A waiver of the policy and what became of it. Only an active one lets a rule through."""

    rule: str
    model: str
    reason: str
    owner: str
    expires: datetime.date
    state: Literal["active", "expired", "not needed", "other model"]


class RuleResult(Record):
    """One rule. `judged` has the estimate closest to failing first.

    asked: the rule in words. reason: what was found, in a sentence. blocks: whether it makes the gate red.
    p_fail_adjusted: Holm's, over all estimates of all rules. n_needed: items that would decide it with 80 % power if
    what was seen is true. power: of going red if the true worsening is twice the margin, with this n.
    """

    id: str
    kind: Kind
    severity: Severity
    asked: str
    state: State
    reason: str
    blocks: bool
    unit: str = ""
    allowed: Allowed = Allowed()
    margin: float | None = None
    judged: tuple[Judged, ...] = ()
    too_small: int = 0
    p_pass: float | None = None
    p_fail: float | None = None
    p_fail_adjusted: float | None = None
    n_needed: int | None = None
    power: float | None = None
    waiver: WaiverUse | None = None


class Compared(Record):
    """The baseline run."""

    suite: str
    model: str
    fingerprint: str
    clipaudit_version: str


class GateResult(Record):
    """`gate.json`. The exit code, the state and the headline are decided here and nowhere else.

    problems: what kept the gate from judging (another suite, an edited file), one line each.
    notes: what a change may come from beside the model (another version of a package, another machine), one line each.
    level: one-sided; PASS and FAIL are the ends of an interval of level 1 - 2 level.
    """

    schema_version: str = GATE_SCHEMA_VERSION
    clipaudit_version: str
    policy: str
    policy_digest: str
    profile: Profile
    level: float
    judged_on: datetime.date
    result_digest: str  # sha256 of the result.json that was judged
    suite: str
    model: str
    fingerprint: str
    baseline: Compared | None = None
    state: State
    headline: str
    exit_code: int
    rules: tuple[RuleResult, ...] = ()
    waivers: tuple[WaiverUse, ...] = ()
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
