"""The gate's part of a report: what blocks comes first, numbers with their bounds, links that arrive."""

from __future__ import annotations

import re

import pytest
from clipaudit_reports import build_report, render_html, render_markdown
from clipaudit_reports.budget import LADDER
from clipaudit_reports.view import GateView, RuleView
from report_sample import HOSTILE, judged, make_gate, rule

from clipaudit.gate.results import Allowed, State
from clipaudit.results import RunResult


@pytest.fixture(scope="module")
def view(result: RunResult) -> GateView:
    gate = build_report(result, gate=make_gate(result)).gate
    assert gate is not None
    return gate


def of(view: GateView, name: str) -> RuleView:
    return next(rule for rule in view.rules if rule.id == name)


def test_the_verdict_is_the_gates_and_the_counts_stay(result: RunResult) -> None:
    gated, bare = (build_report(result, gate=gate).verdict for gate in (make_gate(result), None))
    assert (gated.state, bare.state) == ("FAIL", "INCOMPLETE")
    assert gated.headline.startswith("5 rules: 1 failed")
    assert gated.findings == bare.headline
    assert bare.findings == ""
    assert gated.tallies == bare.tallies


def test_what_blocks_comes_first_and_waivers_in_use_before_others(view: GateView) -> None:
    assert [rule.id for rule in view.rules] == ["no-such-cell", "attack", "shift-stays", "association", "shape-bias"]
    assert [rule.blocks for rule in view.rules] == [True, True, True, False, False]
    assert [waiver.state for waiver in view.waivers] == ["active", "expired"]
    assert of(view, "association").state == "FAIL (waived)"


def test_numbers_stand_beside_their_bounds_and_changes_have_a_sign(view: GateView) -> None:
    attack, shift = of(view, "attack"), of(view, "shift-stays")
    assert (attack.measured, attack.interval, attack.allowed, attack.n) == (
        "31.0 %",
        "[24.0, 38.0]",
        "at most 20.0 %",
        "300",
    )
    assert (shift.measured, shift.allowed, shift.needed) == ("+0.030 cosine", "at most +0.020 cosine", "1,234")
    assert of(view, "association").allowed == "−0.50 d to +0.50 d".replace("+", "")
    assert of(view, "shape-bias").allowed == "at least 20.0 %"


def test_a_change_of_a_proportion_is_in_points(result: RunResult) -> None:
    found = judged(result.cells[2], 0, value=0.021)
    rules = (rule("a", State.FAIL, (found,), kind="equivalence", allowed=Allowed(low=-0.02, high=0.02)),)
    gate = build_report(result, gate=make_gate(result, rules=rules)).gate
    assert gate is not None
    (only,) = gate.rules
    assert (only.measured, only.allowed) == ("+2.1 points", "−2.0 points to +2.0 points")
    assert only.interval == "[24.0, 38.0]"


def test_the_band_of_a_strip_is_what_is_allowed(view: GateView) -> None:
    strip = of(view, "attack").strip
    assert strip is not None
    assert strip.value is not None
    assert strip.null_low == 0.0, "no lower bound: the band begins at the edge"
    assert strip.null_high is not None
    assert strip.low is not None
    assert strip.null_high < strip.low < strip.value, "0.2 < 0.24 < 0.31"
    assert "allowed: at most 20.0 %" in strip.alt


def test_every_link_of_a_rule_has_its_target_at_every_level_of_detail(result: RunResult) -> None:
    for detail in (LADDER[0], LADDER[-1]):
        report = build_report(result, None, None, detail, make_gate(result))
        assert report.gate is not None
        rows = {f.anchor for cell in report.cells for block in cell.primary for f in block.findings}
        places = rows | {cell.anchor for cell in report.cells}
        links = [anchor for rule in report.gate.rules for _, anchor in rule.links]
        assert links
        assert set(links) <= places
    page = render_html(result, gate=make_gate(result))
    ids = set(re.findall(r' id="([^"]+)"', page))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= ids
    assert (
        "finding--typographic-rta100--flip-rate" in links
        or page.count('href="#finding--typographic-rta100--flip-rate"') > 2
    )


def test_rules_that_share_an_anchor_are_told_apart(result: RunResult) -> None:
    found = (judged(result.cells[3], 0),)
    rules = tuple(rule(name, State.PASS, found) for name in ("a b", "a-b"))
    gate = build_report(result, gate=make_gate(result, rules=rules)).gate
    assert gate is not None
    assert [rule.anchor for rule in gate.rules] == ["rule--a-b", "rule--a-b-2"]


def test_problems_are_said_and_nothing_passes(result: RunResult) -> None:
    gate = make_gate(result, state=State.ERROR, problems=("result.json was edited",), rules=(), waivers=())
    for text in (render_html(result, gate=gate), render_markdown(result, gate=gate)):
        assert "result.json was edited" in text
        assert "nothing here is a pass" in text


def test_words_of_a_policy_cannot_become_markup(result: RunResult) -> None:
    gate = make_gate(result, words=HOSTILE)
    page = render_html(result, gate=gate)
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert "\x1b" not in page
    assert "<script" not in render_markdown(result, gate=gate)


def test_markdown_has_the_same_rules_in_the_same_order(view: GateView, result: RunResult) -> None:
    text = render_markdown(result, gate=make_gate(result)).replace("\\", "")
    places = [text.index(f"({rule.id}, {rule.severity})") for rule in view.rules]
    assert places == sorted(places)
    for shown in view.rules:
        assert shown.measured in text
        assert shown.allowed in text
