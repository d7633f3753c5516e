"""What a rule asks and what was found, in words."""

from __future__ import annotations

from collections.abc import Sequence

from clipaudit.gate.policy import Absolute, Equivalence, Rule, Worse
from clipaudit.gate.results import Judged, State
from clipaudit.numbers import count_text, counted, half_width, interval_text, value_text

_PROPORTION = "proportion"


def asked(rule: Rule, title: str, unit: str, worse: Worse | None = None) -> str:
    """The rule as a demand: "Attack success, typographic on objects: at most 30.0 %"."""
    where = rule.audit + (f" on {rule.data}" if rule.data else "")
    who = "" if rule.subgroup == "overall" else f", {_who(rule)}"
    if isinstance(rule, Absolute):
        ends = [("at least", rule.min), ("at most", rule.max)]
        what = " and ".join(f"{word} {value_text(end, unit)}" for word, end in ends if end is not None)
    elif isinstance(rule, Equivalence):
        what = f"within {change_text(rule.margin, unit)} of the baseline"
    else:
        way = {"higher": "higher", "lower": "lower", "away from null": "further from its null", None: "worse"}[worse]
        what = f"at most {change_text(rule.margin, unit)} {way} than the baseline"
    return f"{title}, {where}{who}: {what}"


def found(judged: Judged, kind: str) -> str:
    """Value or change with interval and n."""
    interval = judged.interval
    if judged.value is None:
        return f"not defined ({counted(judged.n, 'item')})"
    spread = None if interval is None else half_width(interval.low, interval.high)
    show = value_text if kind == "absolute" else change_text
    value = show(judged.value, judged.unit, spread=spread)
    if kind != "absolute" and judged.value > 0:
        value = f"+{value}"
    ends = "" if interval is None else f" {_ends(judged, kind)}"
    size = counted(judged.n, "item")
    if kind == "absolute":
        return f"{value}{ends}, {size}"
    before, after = (value_text(v, judged.unit, spread=spread) for v in (judged.before, judged.after))
    how = "paired" if judged.paired else f"not paired ({judged.note})"
    return f"{value}{ends}, from {before} to {after}, {size}, {how}"


def _ends(judged: Judged, kind: str) -> str:
    assert judged.interval is not None
    if kind != "absolute" and judged.unit == _PROPORTION:
        low, high = (None if end is None else 100 * end for end in (judged.interval.low, judged.interval.high))
        return interval_text(low, high, "points")
    return interval_text(judged.interval.low, judged.interval.high, judged.unit)


def reason(
    state: State, kind: str, judged: Sequence[Judged], too_small: int, needed: int | None, power: float | None
) -> str:
    """What was found and what follows, in a sentence; the estimate closest to failing speaks for all."""
    first = judged[0]
    name = f"{_group(first)}: " if first.subgroup else ""
    of = f"worst of {count_text(len(judged))}: " if len(judged) > 1 else ""
    parts = [f"{of}{name}{found(first, kind)}"]
    if state is State.PASS:
        parts.append("proven" if not too_small else "proven for all that are large enough")
    elif state is State.FAIL:
        parts.append("proven to be outside what is allowed")
    else:
        parts.append(_undecided(needed, first))
    if too_small:
        parts.append(f"{counted(too_small, 'group')} too small to judge")
    if state is not State.FAIL and power is not None:
        parts.append(f"a worsening of twice the margin would be seen with {100 * power:.0f} % power")
    return "; ".join(parts)


def all_too_small(count: int) -> str:
    """Where nothing that was selected can be judged."""
    return f"{counted(count, 'estimate')} selected, too small to judge or with a failed check of the measurement"


def change_text(value: float | None, unit: str, *, spread: float | None = None) -> str:
    """A difference of proportions is in points.

    >>> change_text(0.021, "proportion"), change_text(2.1, "points")
    ('2.1 points', '2.1 points')
    """
    if value is None or unit != _PROPORTION:
        return value_text(value, unit, spread=spread)
    return value_text(100 * value, "points")


def _undecided(needed: int | None, first: Judged) -> str:
    if first.interval is None or (first.interval.low is None and first.interval.high is None):
        return "not decided: it has no interval" + (f" ({first.interval.method})" if first.interval else "")
    if needed is None or needed <= first.n:
        return "not decided"
    return f"not decided; about {count_text(needed)} items would decide it if this is the true value"


def _who(rule: Rule) -> str:
    return rule.subgroup if isinstance(rule.subgroup, str) else _pairs(list(rule.subgroup.items()))


def _group(judged: Judged) -> str:
    return _pairs(list(judged.subgroup.items()))


def _pairs(items: Sequence[tuple[str, str]]) -> str:
    return ", ".join(f"{key} {value}" for key, value in items)
