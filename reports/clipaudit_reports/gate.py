"""The gate's rules and waivers in words: what was asked, what was measured, what follows, and where to look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from clipaudit import anchors, numbers
from clipaudit.gate.results import Compared, GateResult, Judged, RuleResult, State, WaiverUse
from clipaudit.gate.standing import label, ordered
from clipaudit.gate.words import change_text
from clipaudit.results import CellResult
from clipaudit_reports.blocks import Ids
from clipaudit_reports.strips import Scale
from clipaudit_reports.view import CellView, GateView, RuleView, Strip, WaiverView

_LINKS = 3  # findings of a rule that are linked
_USES = ("active", "expired", "not needed", "other model")
_MARKS: Mapping[State, str] = {
    State.PASS: "done",
    State.FAIL: "failed",
    State.INCONCLUSIVE: "inconclusive",
    State.INCOMPLETE: "errored",
    State.NOTHING_JUDGED: "errored",
    State.ERROR: "errored",
}


class Places:
    """Where on the page an estimate stands: its own row, else its cell."""

    def __init__(self, cells: Sequence[CellResult], views: Sequence[CellView], ids: Ids) -> None:
        shown = {finding.anchor for view in views for block in view.primary for finding in block.findings}
        self._cells = {cell.key: ids.cell[cell.key] for cell in cells}
        self._rows: dict[tuple[str, str, str, tuple[tuple[str, str], ...]], str] = {
            (cell.key, estimate.metric, estimate.role, tuple(estimate.subgroup.items())): ids.estimate(cell, index)
            for cell in cells
            for index, estimate in enumerate(cell.estimates)
            if ids.estimate(cell, index) in shown
        }

    def of(self, judged: Judged) -> str:
        """The anchor; "" for an estimate of another run."""
        row = self._rows.get((judged.cell_key, judged.metric, judged.role, tuple(judged.subgroup.items())))
        return row or self._cells.get(judged.cell_key, "")


def gate_view(gate: GateResult, places: Places) -> GateView:
    """All rules, what blocks first; waivers in use before the others."""
    found = anchors.rules(rule.id for rule in gate.rules)
    waivers = sorted(gate.waivers, key=lambda waiver: _USES.index(waiver.state))
    facts = (
        ("policy", gate.policy),
        ("profile", gate.profile),
        ("judged on", gate.judged_on.isoformat()),
        ("error rate", f"{numbers.value_text(gate.level, 'proportion')}, one-sided, over all rules together"),
        ("baseline", "" if gate.baseline is None else _baseline(gate.baseline)),
        ("policy digest", gate.policy_digest),
        *(("beside the model", note) for note in gate.notes),
    )
    return GateView(
        rules=tuple(_rule(rule, found[rule.id], places) for rule in ordered(gate)),
        waivers=tuple(_waiver(waiver, found.get(waiver.rule, "")) for waiver in waivers),
        problems=gate.problems,
        facts=tuple((name, value) for name, value in facts if value),
    )


def _rule(rule: RuleResult, anchor: str, places: Places) -> RuleView:
    first = rule.judged[0] if rule.judged else None
    links = [(_name(judged), places.of(judged)) for judged in rule.judged[:_LINKS]]
    return RuleView(
        anchor=anchor,
        id=rule.id,
        severity=rule.severity,
        asked=rule.asked,
        state=label(rule),
        mark=_MARKS[rule.state],
        blocks=rule.blocks,
        reason=rule.reason,
        measured="" if first is None else _value(rule, first.value, first),
        interval="" if first is None else _interval(rule, first),
        allowed=_allowed(rule),
        n="" if first is None else numbers.count_text(first.n),
        needed="" if rule.n_needed is None else numbers.count_text(rule.n_needed),
        links=tuple((name, anchor) for name, anchor in links if anchor),
        more=max(0, len(rule.judged) - _LINKS),
        waiver=None if rule.waiver is None else _waiver(rule.waiver, anchor),
        strip=None if first is None else _strip(rule, first),
    )


def _name(judged: Judged) -> str:
    return ", ".join(judged.subgroup.values()) or judged.title


def _text(rule: RuleResult, value: float, spread: float | None = None) -> str:
    """A bound, or a value; changes carry their sign."""
    if rule.kind == "absolute":
        return numbers.value_text(value, rule.unit, spread=spread)
    text = change_text(value, rule.unit, spread=spread)
    return f"+{text}" if value > 0 else text


def _value(rule: RuleResult, value: float | None, judged: Judged) -> str:
    interval = judged.interval
    spread = None if interval is None else numbers.half_width(interval.low, interval.high)
    return "not defined" if value is None else _text(rule, value, spread)


def _interval(rule: RuleResult, judged: Judged) -> str:
    interval = judged.interval
    if interval is None or (interval.low is None and interval.high is None):
        return ""
    if rule.kind != "absolute" and rule.unit == "proportion":
        low, high = (None if end is None else 100 * end for end in (interval.low, interval.high))
        return numbers.interval_text(low, high, "points")
    return numbers.interval_text(interval.low, interval.high, rule.unit)


def _allowed(rule: RuleResult) -> str:
    low, high = rule.allowed.low, rule.allowed.high
    if low is not None and high is not None:
        return f"{_text(rule, low)} to {_text(rule, high)}"
    if high is not None:
        return f"at most {_text(rule, high)}"
    return "" if low is None else f"at least {_text(rule, low)}"


def _strip(rule: RuleResult, judged: Judged) -> Strip | None:
    """The interval before the band of what is allowed, on a scale of its own; None without a value."""
    if judged.value is None:
        return None
    ends = (None, None) if judged.interval is None else (judged.interval.low, judged.interval.high)
    known = [v for v in (judged.value, *ends, rule.allowed.low, rule.allowed.high) if v is not None]
    pad = 0.15 * (max(known) - min(known)) or 0.5
    scale = Scale(min(known) - pad, max(known) + pad)
    (low, high), (least, most) = (
        (0.0 if a is None else scale.at(a), 100.0 if b is None else scale.at(b))
        for a, b in (ends, (rule.allowed.low, rule.allowed.high))
    )
    alt = f"{_value(rule, judged.value, judged)} {_interval(rule, judged)}; allowed: {_allowed(rule)}"
    return Strip(scale.at(judged.value), low, high, None, least, most, alt)


def _waiver(waiver: WaiverUse, anchor: str) -> WaiverView:
    return WaiverView(
        rule=waiver.rule,
        anchor=anchor,
        model=waiver.model,
        reason=waiver.reason,
        owner=waiver.owner,
        expires=waiver.expires.isoformat(),
        state=waiver.state,
    )


def _baseline(found: Compared) -> str:
    return f"{found.model}, suite {found.suite}, clipaudit {found.clipaudit_version}, fingerprint {found.fingerprint}"
