"""What a rule allows against what was measured. Pure: numbers in, p values and sizes out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from clipaudit.contract import MetricSpec
from clipaudit.gate.measured import Measured
from clipaudit.gate.policy import Absolute, Change, Equivalence, Rule, Worse
from clipaudit.gate.results import Allowed, State
from clipaudit.gate.select import CannotJudge
from clipaudit.results import Direction, Estimate

POWER = 0.8
_ROUNDING = 1e-9
MOST_ITEMS = 10**9  # beyond it no number of items is named

_WORSE: dict[Direction, Worse] = {
    Direction.HIGHER_IS_WORSE: "higher",
    Direction.LOWER_IS_WORSE: "lower",
    Direction.AWAY_FROM_NULL_IS_WORSE: "away from null",
}


@dataclass(frozen=True)
class Weighed:
    """One-sided p values: of "not inside" (small: proven inside) and of "not outside"; None where nothing is known."""

    p_pass: float | None
    p_fail: float | None


def worse_side(rule: Change, estimate: Estimate) -> Worse:
    """Which way is worse. CannotJudge where neither rule nor metric says."""
    side = rule.worse or _WORSE.get(estimate.direction)
    if side is None:
        raise CannotJudge(f"{estimate.metric} does not say which way is worse; give worse = 'higher' or 'lower'")
    return side


def allowed(rule: Rule, worse: Worse = "higher") -> Allowed:
    """What a rule allows of a value, or of a change."""
    if isinstance(rule, Absolute):
        return Allowed(low=rule.min, high=rule.max)
    if isinstance(rule, Equivalence):
        return Allowed(low=-rule.margin, high=rule.margin)
    return Allowed(low=-rule.margin) if worse == "lower" else Allowed(high=rule.margin)


def check_size(rule: Rule, metric: MetricSpec) -> None:
    """CannotJudge where a bound or margin lies outside the metric's range: percent for a proportion, for example."""
    low, high = metric.range
    bounds = {"min": rule.min, "max": rule.max} if isinstance(rule, Absolute) else {"margin": rule.margin, "-": None}
    for name, bound in bounds.items():
        if bound is None:
            continue
        beyond = (high is not None and bound > high) or (name != "margin" and low is not None and bound < low)
        if beyond:
            unit = f" {metric.unit}" if metric.unit else ""
            ends = " to ".join("any" if end is None else f"{end:g}" for end in metric.range)
            raise CannotJudge(f"{name} = {bound:g} is outside the range of {metric.name}: {ends}{unit}")


def weigh(found: Measured, within: Allowed) -> Weighed:
    """How sure it is that the value lies inside, and outside, what is allowed."""
    from scipy.special import ndtr

    beyond: list[tuple[float, float] | None] = []  # of each bound, p of lying beyond it and of lying within
    for bound, sign in ((within.high, 1.0), (within.low, -1.0)):
        if bound is not None:
            distance = found.distance(bound)
            beyond.append(None if distance is None else (float(ndtr(sign * distance)), float(ndtr(-sign * distance))))
    known = [each for each in beyond if each is not None]
    if not known:
        return Weighed(None, None)
    return Weighed(
        max(p for p, _ in known) if len(known) == len(beyond) else None,
        min(p for _, p in known),
    )


def decide(weighed: Sequence[Weighed], adjusted: Sequence[float | None], level: float, all_judged: bool) -> State:
    """PASS if all estimates are proven inside, FAIL if one is proven outside after correction, else INCONCLUSIVE.

    All must be inside for a PASS, so that its error rate needs no correction (Berger 1982).
    """
    most = level * (1 + _ROUNDING)  # an interval that ends on the bound itself is inside
    if any(p is not None and p <= most for p in adjusted):
        return State.FAIL
    if all_judged and all(each.p_pass is not None and each.p_pass <= most for each in weighed):
        return State.PASS
    return State.INCONCLUSIVE


def is_inside(value: float, within: Allowed) -> bool:
    """Whether the value itself is one that is allowed."""
    return (within.low is None or value >= within.low) and (within.high is None or value <= within.high)


def items_needed(found: Measured, within: Allowed, level: float) -> int | None:
    """Items with which this would be decided with 80 % power, if the value seen is the true one. None where none would,
    or nothing is known: a value on the very bound, or without an interval."""
    if found.value is None:
        return None
    bounds = [bound for bound in (within.low, within.high) if bound is not None]
    nearest = min(bounds, key=lambda bound: abs(bound - (found.value or 0.0)))
    error, distance = found.error(nearest), abs(found.value - nearest)
    if error is None or distance == 0:
        return None
    needed = found.n * ((_quantile(1 - level) + _quantile(POWER)) * error / distance) ** 2
    return math.ceil(needed) if needed <= MOST_ITEMS else None


def power_at_twice(found: Measured, margin: float, level: float) -> float | None:
    """Chance of a FAIL at one-sided `level` if the true worsening is twice the margin, with these items.

    By the standard error seen. Of yes-or-no items by the share that changed, at least as many as this worsening needs:
    the power of McNemar's test moved to the margin (Miettinen 1968).
    """
    from scipy.special import ndtr

    at_margin = at_twice = found.error(math.inf) or found.error(-math.inf) or 0.0
    if found.gained is not None and found.lost is not None:
        step = margin / found.scale
        changed = max((found.gained + found.lost) / found.n, min(1.0, 2 * step))
        at_margin, at_twice = (
            found.scale * math.sqrt(max(changed - true**2, 0.0) / found.n) for true in (step, 2 * step)
        )
    if not at_twice or found.value is None:
        return None
    return float(ndtr((margin - _quantile(1 - level) * at_margin) / at_twice))


def _quantile(p: float) -> float:
    from scipy.special import ndtri

    return float(ndtri(p))
