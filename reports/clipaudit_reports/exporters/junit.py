"""A gate's result as JUnit XML: one test case a rule, red exactly where the gate is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clipaudit import anchors
from clipaudit.gate.results import GateResult, RuleResult, State
from clipaudit.gate.standing import basis, label, verdict_line
from clipaudit.text import printable

if TYPE_CHECKING:
    from junitparser import TestCase


def render(result: GateResult) -> str:
    """JUnit XML. A rule that blocks is a failure, one that could not be judged an error; waived ones and warnings are
    skipped; a problem with the run is an error of a case of its own."""
    from junitparser import Error, JUnitXml, TestCase, TestSuite

    suite = TestSuite(_line(f"clipaudit gate: {result.policy or result.suite}"))
    for key, value in (("verdict", verdict_line(result)), ("exit code", result.exit_code), ("basis", basis(result))):
        suite.add_property(key, _line(value))
    for note in result.notes:
        suite.add_property("note", _line(note))
    places = anchors.rules(rule.id for rule in result.rules)
    suite.add_testcases([_case(rule, anchors.link(places[rule.id])) for rule in result.rules])
    for problem in result.problems:
        case = TestCase("run", "clipaudit.gate.input")
        case.result = [Error(_line(problem), "ERROR")]
        suite.add_testcase(case)
    xml = JUnitXml(_line(verdict_line(result)))
    xml.add_testsuite(suite)
    text: str = xml.tostring().decode("utf-8")  # type: ignore[no-untyped-call]
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'


def _case(rule: RuleResult, link: str) -> TestCase:
    from junitparser import Error, Failure, Skipped, TestCase

    case = TestCase(_line(rule.id), f"clipaudit.gate.{rule.severity}")
    message = _line(f"{label(rule)}: {rule.reason}")
    if rule.state is State.ERROR:
        case.result = [Error(message, label(rule))]
    elif rule.blocks:
        case.result = [Failure(message, label(rule))]
    elif rule.state is not State.PASS:
        case.result = [Skipped(message, label(rule))]
    case.system_out = _line(f"{rule.asked}. {rule.reason}. See {link}")
    return case


def _line(value: object) -> str:
    """XML has no way to write most control characters."""
    return printable(value, limit=2000)
