"""From weighed rules to results: states under one error level, and what is said of them."""

from __future__ import annotations

from collections.abc import Sequence

from clipaudit.gate import holm, rules, words
from clipaudit.gate.policy import Absolute
from clipaudit.gate.results import Judged, RuleResult, State
from clipaudit.gate.weighing import Item, Weighing


def rule_results(weighings: Sequence[Weighing], level: float) -> list[RuleResult]:
    """One result a rule, in order; waivers and profile are not looked at yet."""
    adjusted = holm.over_all([[item.weighed for item in each.items] for each in weighings])
    tests = sum(len(each.items) for each in weighings)
    return [_result(each, p, level, level / max(tests, 1)) for each, p in zip(weighings, adjusted, strict=True)]


def _result(weighing: Weighing, adjusted: Sequence[float | None], level: float, strict: float) -> RuleResult:
    """strict: the one-sided level of Holm's first step, for sizes and power."""
    rule = weighing.rule
    items = sorted(weighing.items, key=_closeness)
    if weighing.why or not items:
        few = words.all_too_small(weighing.too_small)
        return RuleResult(
            id=rule.id, kind=rule.kind, severity=rule.severity, asked=weighing.asked, blocks=True,
            state=State.ERROR if weighing.why else State.INCONCLUSIVE, reason=weighing.why or few,
            too_small=weighing.too_small,
        )  # fmt: skip
    judged_all = rule.too_small == "leave out" or not weighing.too_small
    state = rules.decide([item.weighed for item in items], adjusted, level, judged_all)
    margin = None if isinstance(rule, Absolute) else rule.margin
    power = None if margin is None else rules.power_at_twice(items[0].measured, margin, strict)
    needed = _needed(items, weighing, level, strict) if state is State.INCONCLUSIVE else None
    judged = tuple(_judged(item) for item in items)
    return RuleResult(
        id=rule.id, kind=rule.kind, severity=rule.severity, asked=weighing.asked, state=state,
        reason=words.reason(state, rule.kind, judged, weighing.too_small, needed, power),
        blocks=state is not State.PASS, unit=judged[0].unit, allowed=weighing.allowed, margin=margin, judged=judged,
        too_small=weighing.too_small, n_needed=needed, power=power,
        p_pass=max((each.p_pass for each in judged if each.p_pass is not None), default=None),
        p_fail=min((each.p_fail for each in judged if each.p_fail is not None), default=None),
        p_fail_adjusted=min((p for p in adjusted if p is not None), default=None),
    )  # fmt: skip


def _closeness(item: Item) -> tuple[bool, float, float]:
    """Closest to failing first; without an interval last."""
    fail, inside = item.weighed.p_fail, item.weighed.p_pass
    return fail is None, fail or 0.0, -(inside or 0.0)


def _needed(items: Sequence[Item], weighing: Weighing, level: float, strict: float) -> int | None:
    """Items that decide all that is not decided; None where no number would."""
    sizes = []
    for item in items:
        p, value = item.weighed.p_pass, item.measured.value
        if p is not None and p <= level:
            continue
        inside = value is not None and rules.is_inside(value, weighing.allowed)
        sizes.append(rules.items_needed(item.measured, weighing.allowed, level if inside else strict))
    known = [size for size in sizes if size is not None]
    return max(known) if sizes and len(known) == len(sizes) else None


def _judged(item: Item) -> Judged:
    estimate, found = item.chosen.estimate, item.measured
    return Judged(
        cell=item.chosen.cell.slug, cell_key=item.chosen.cell.key, metric=estimate.metric, title=estimate.title,
        unit=estimate.unit, role=estimate.role, subgroup=estimate.subgroup, value=found.value, interval=found.interval,
        n=found.n, clusters=found.clusters, before=item.before,
        after=None if found.paired is None else estimate.value, paired=found.paired, gained=found.gained,
        lost=found.lost, p_pass=item.weighed.p_pass, p_fail=item.weighed.p_fail, note=found.note,
    )  # fmt: skip
