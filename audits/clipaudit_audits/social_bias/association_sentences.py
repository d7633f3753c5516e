"""The findings in plain words: what was compared, how large, how sure, and what it does not show."""

from __future__ import annotations

from clipaudit.results import Estimate, Status
from clipaudit.stats.multiple import ALONE
from clipaudit_audits.social_bias.association_cases import Case

_SCOPE = "This is a property of the embedding space; it does not show what an application built on it does to anybody."


def with_sentence(estimate: Estimate, case: Case, out_of_reach: str = "") -> Estimate:
    """The estimate of a two-category test with its sentence.

    out_of_reach: why no result of this family could have been significant, if so.
    """
    x, y, a, b = (f"“{label}”" for label in case.labels)
    control = estimate.role == "control"
    if estimate.status is Status.TOO_SMALL or estimate.value is None:
        return estimate.model_copy(update={"sentence": _not_judged(estimate, case)})
    nearer, other = (a, b) if estimate.value > 0 else (b, a)
    numbers = f"({_numbers(estimate)}; {_counts(case)})"
    found = f"{x} leans more towards {nearer}, and away from {other}, than {y} does {numbers}."
    if estimate.status is not Status.EFFECT:
        text = (
            f"No association of {x} and {y} with {a} and {b} was shown{_but(estimate)} "
            f"{numbers}.{_reach(estimate)}{out_of_reach}"
        )
        if control:
            text = f"Check not passed: an expected association was not shown. {text} Read the other tests with doubt."
    elif control and estimate.value > 0:
        text = f"Check passed: as expected, {found}"
    elif control:
        text = f"Check not passed: against expectation, {found} Read the other tests with doubt."
    else:
        text = f"{found}{_fragile(estimate, 'attributes')} {_SCOPE}"
    return estimate.model_copy(update={"sentence": text})


def with_single_sentence(estimate: Estimate, labels: tuple[str, str, str]) -> Estimate:
    """The estimate of a single-category test (one target set) with its sentence."""
    target, a, b = (f"“{label}”" for label in labels)
    if estimate.status is Status.TOO_SMALL or estimate.value is None:
        text = f"Not judged: too few stimuli in {a} and {b}, or no spread among them."
    elif estimate.status is Status.EFFECT:
        nearer, other = (a, b) if estimate.value > 0 else (b, a)
        fragile = _fragile(estimate, "targets and attributes")
        text = f"On its own, {target} lies nearer to {nearer} than to {other} ({_numbers(estimate)}).{fragile}"
    else:
        text = (
            f"On its own, {target} was not shown to lie nearer to {a} or {b} ({_numbers(estimate)}).{_reach(estimate)}"
        )
    return estimate.model_copy(update={"sentence": text})


def _fragile(estimate: Estimate, given: str) -> str:
    """Said where the interval holds 0 although the test, which takes these stimuli as given, rejects."""
    interval = estimate.interval
    if interval is None or interval.low is None or interval.high is None or not interval.low <= 0 <= interval.high:
        return ""
    return f" It holds for these {given}; with others of their kind the sign could change (the interval holds 0)."


def _but(estimate: Estimate) -> str:
    """Said where the uncorrected test alone would have rejected."""
    small = estimate.test is not None and estimate.test.p <= 0.05
    return " once it is counted how many tests were made" if small else ""


def _numbers(estimate: Estimate) -> str:
    """ "d = +1.35, 95 % interval +0.91 to +1.64, corrected p = 0.0002" """
    parts = [f"d = {estimate.value:+.2f}"]
    interval = estimate.interval
    if interval is not None and interval.low is not None and interval.high is not None:
        parts.append(f"{100 * interval.level:.0f} % interval {interval.low:+.2f} to {interval.high:+.2f}")
    if estimate.test is not None:
        adjusted = estimate.test.p_adjusted
        raw = adjusted is None or estimate.test.correction == ALONE
        parts.append(f"p = {estimate.test.p:.2g}" if raw else f"corrected p = {adjusted:.2g}")
    return ", ".join(parts)


def _counts(case: Case) -> str:
    """ "25 and 25 words against 25 and 25 words", "8 identities, each in both sets, against ..." """
    sides = []
    for first, paired in ((0, case.comparison is not None and case.comparison.paired_targets),
                          (2, case.comparison is not None and case.comparison.paired_attributes)):  # fmt: skip
        n, m = case.units[first], case.units[first + 1]
        key, other = case.cluster_keys[first], case.cluster_keys[first + 1]
        if paired:
            stimuli = case.counts[first] + case.counts[first + 1]
            sides.append(f"{_plural(n, key)}, each in both sets ({stimuli:,} {case.kinds[first]}s)")
        elif key == other:
            sides.append(f"{n:,} and {_plural(m, key)}")
        else:
            sides.append(f"{_plural(n, key)} and {_plural(m, other)}")
    return " against ".join(sides)


def _plural(n: int, noun: str) -> str:
    if n == 1:
        return f"1 {noun}"
    return f"{n:,} {noun[:-1]}ies" if noun.endswith("y") else f"{n:,} {noun}s"


def _reach(estimate: Estimate) -> str:
    if estimate.minimum_detectable is None:
        return " This does not show that there is none."
    return (
        f" This does not show that there is none: before correction, a true |d| below {estimate.minimum_detectable:.2f}"
        " is missed in more than one of five such tests."
    )


def _not_judged(estimate: Estimate, case: Case) -> str:
    sizes = ", ".join(
        f"{label}: {_plural(n, key)}" for label, n, key in zip(case.labels, case.units, case.cluster_keys, strict=True)
    )
    if estimate.status is Status.TOO_SMALL:
        best = estimate.test.smallest_p if estimate.test is not None else None
        why = "" if best is None else f"; even a perfect separation would give p = {best:.2g}"
        return f"Not judged: too few stimuli ({sizes}{why})."
    return f"Not judged: all targets have the same association, so there is no spread to measure against ({sizes})."
