"""One estimate of one run, as a validation sees it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from clipaudit.contract import AuditSpec
from clipaudit.errors import UsageError
from clipaudit.results import Estimate, Status
from clipaudit.validation.judge import ALPHA
from clipaudit.validation.plan import Validation


@dataclass(frozen=True)
class Trial:
    """value: None where it is not defined. rejects: by its test, or by an interval off the null; None without either.

    found: called an effect by the audit. any_found: any estimate of the metric is.
    """

    value: float | None
    low: float | None
    high: float | None
    rejects: bool | None
    found: bool
    any_found: bool
    unit: str
    interval: str
    test: str
    n: int
    clusters: int | None


def trial(spec: AuditSpec, plan: Validation, estimates: Sequence[Estimate]) -> Trial:
    """What the plan looks at. UsageError where the audit makes no such estimate."""
    same = [estimate for estimate in estimates if estimate.metric == plan.metric]
    chosen = [estimate for estimate in same if {*plan.values} <= {*estimate.subgroup.values()}]
    if not chosen:
        known = sorted({value for estimate in same for value in estimate.subgroup.values()})
        raise UsageError(
            f"{spec.id}: its validation looks for {plan.metric!r} of {' and '.join(plan.values) or 'anything'!r}; "
            f"there is {', '.join(known) or 'no such metric'}"
        )
    one = chosen[0]
    interval = one.interval
    return Trial(
        value=one.value,
        low=None if interval is None else interval.low,
        high=None if interval is None else interval.high,
        rejects=_rejects(spec, one),
        found=one.status is Status.EFFECT,
        any_found=any(estimate.status is Status.EFFECT and estimate.role != "control" for estimate in same),
        unit=one.unit,
        interval="" if interval is None else interval.method,
        test="" if one.test is None else one.test.method,
        n=one.n,
        clusters=one.clusters,
    )


def _rejects(spec: AuditSpec, estimate: Estimate) -> bool | None:
    """At .05, before any correction: a correction depends on how much else is asked."""
    if estimate.test is not None:
        return estimate.test.p <= ALPHA
    null = spec.metric(estimate.metric).null_value if estimate.null_value is None else estimate.null_value
    interval = estimate.interval
    if null is None or interval is None or (interval.low is None and interval.high is None):
        return None
    return (interval.low is not None and interval.low > null) or (interval.high is not None and interval.high < null)
