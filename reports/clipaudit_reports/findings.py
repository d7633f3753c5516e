"""Estimates in words: severity, size, interval, tests, null, what could have been seen."""

from __future__ import annotations

from clipaudit import numbers
from clipaudit.results import Direction, Estimate, Reference, Status, Test
from clipaudit_reports.strips import Scale, strip
from clipaudit_reports.view import FindingView, ReferenceView, Severity, TestView

_PLAIN = {
    Status.NO_EFFECT: Severity.NONE,
    Status.DESCRIBED: Severity.DESCRIBED,
    Status.TOO_SMALL: Severity.SMALL,
    Status.INCONCLUSIVE: Severity.INCONCLUSIVE,
}


def severity(estimate: Estimate) -> Severity:
    """An effect is adverse if it lies on the worse side of its null."""
    if estimate.status is not Status.EFFECT:
        return _PLAIN[estimate.status]
    return Severity.HARM if _adverse(estimate) else Severity.EFFECT


def baseline(estimate: Estimate) -> float:
    """Where no effect would lie: the declared null value, else the null's mean, else 0."""
    if estimate.null_value is not None:
        return estimate.null_value
    return 0.0 if estimate.null is None else estimate.null.mean


def size(estimate: Estimate) -> float:
    """Distance from the null, for sorting within one metric; undefined values come last."""
    return -1.0 if estimate.value is None else abs(estimate.value - baseline(estimate))


def finding(estimate: Estimate, anchor: str, scale: Scale) -> FindingView:
    """One estimate, ready to print."""
    unit, interval, null = estimate.unit, estimate.interval, estimate.null
    spread = None if interval is None else numbers.half_width(interval.low, interval.high)
    value = numbers.value_text(estimate.value, unit, spread=spread)
    span = "" if interval is None else numbers.interval_text(interval.low, interval.high, unit)
    return FindingView(
        anchor=anchor,
        title=estimate.title,
        subgroup=estimate.subgroup,
        severity=severity(estimate),
        role=estimate.role,
        value=value,
        interval=span,
        interval_method="" if interval is None else f"{interval.level * 100:g} % interval, {interval.method}",
        sentence=estimate.sentence or _sentence(estimate, value, span),
        direction=""
        if estimate.direction is Direction.DESCRIPTIVE
        else estimate.direction.value.removesuffix(" is worse"),
        n=numbers.count_text(estimate.n),
        clusters="" if estimate.clusters is None else numbers.count_text(estimate.clusters),
        cluster_key=estimate.cluster_key or "",
        test=None if estimate.test is None else _test(estimate.test),
        other_tests=tuple(_test(test) for test in estimate.other_tests),
        null=_null(estimate),
        null_method="" if null is None else null.method,
        detectable=_detectable(estimate),
        references=tuple(_reference(reference, unit, spread) for reference in estimate.references),
        notes=estimate.notes,
        strip=strip(estimate, scale, f"{value} {span}".strip()),
    )


def _adverse(estimate: Estimate) -> bool:
    if estimate.value is None or estimate.direction is Direction.DESCRIPTIVE:
        return False
    offset = estimate.value - baseline(estimate)
    return {
        Direction.HIGHER_IS_WORSE: offset > 0,
        Direction.LOWER_IS_WORSE: offset < 0,
        Direction.AWAY_FROM_NULL_IS_WORSE: offset != 0,
    }[estimate.direction]


def _sentence(estimate: Estimate, value: str, span: str) -> str:
    """For audits that bring none."""
    where = ", ".join(estimate.subgroup.values())
    head = f"{estimate.title} ({where})" if where else estimate.title
    level = "" if estimate.interval is None else f" ({estimate.interval.level * 100:g} % interval {span})"
    return f"{head}: {value}{level}, n = {numbers.count_text(estimate.n)}."


def _test(test: Test) -> TestView:
    return TestView(
        p=numbers.p_text(test.p),
        p_adjusted="" if test.p_adjusted is None else numbers.p_text(test.p_adjusted),
        correction=test.correction or "",
        method=test.method,
        alternative=test.alternative,
        smallest_p="" if test.smallest_p is None else f"{test.smallest_p:.2g}",
    )


def _null(estimate: Estimate) -> str:
    null = estimate.null
    if null is None:
        return "" if estimate.null_value is None else numbers.value_text(estimate.null_value, estimate.unit)
    spread = numbers.half_width(null.low, null.high)
    mean = numbers.value_text(null.mean, estimate.unit, spread=spread)
    return f"{mean} {numbers.interval_text(null.low, null.high, estimate.unit)}"


def _detectable(estimate: Estimate) -> str:
    smallest = estimate.minimum_detectable
    return "" if smallest is None else numbers.value_text(smallest, estimate.unit)


def _reference(reference: Reference, unit: str, spread: float | None) -> ReferenceView:
    return ReferenceView(reference.label, numbers.value_text(reference.value, unit, spread=spread), reference.source)
