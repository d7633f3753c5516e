"""The first page in short: every kind of harm is shown, not shown, or said to be unknown."""

from __future__ import annotations

import pytest
from clipaudit_reports import build_report
from clipaudit_reports.briefs import briefs
from clipaudit_reports.view import HarmSection, Severity, SeverityGroup

from clipaudit.results import Harm, RunResult


def section(adverse: int, judged: int, *found: Severity) -> HarmSection:
    groups = tuple(SeverityGroup(level, "a", 1, ()) for level in found)
    return HarmSection(Harm.DECEPTION, "harm--deception", adverse, judged, (), groups)


@pytest.mark.parametrize(
    ("made", "state", "mark"),
    [
        (section(1, 4, Severity.HARM, Severity.INCONCLUSIVE), "shown", "harm"),
        (section(0, 4, Severity.NONE, Severity.INCONCLUSIVE), "cannot be told", "inconclusive"),
        (section(0, 4, Severity.EFFECT, Severity.NONE), "not shown", "none"),
        (section(0, 4, Severity.NONE, Severity.DESCRIBED), "not shown by the tests", "none"),
        (section(0, 4, Severity.NONE, Severity.SMALL), "not shown by the tests", "none"),
        (section(0, 0, Severity.DESCRIBED, Severity.SMALL), "described only", "described"),
        (section(0, 0, Severity.SMALL), "cannot be told", "small"),
    ],
)
def test_one_harm_in_a_line(made: HarmSection, state: str, mark: str) -> None:
    first, *rest = briefs([made])
    assert (first.state, first.mark, first.anchor) == (state, mark, "harm--deception")
    assert first.counts
    assert Harm.DECEPTION not in {brief.harm for brief in rest}


def test_kinds_of_harm_that_nothing_was_measured_about_are_named(result: RunResult) -> None:
    report = build_report(result)
    assert {brief.harm for brief in report.verdict.briefs} >= set(Harm) - {Harm.OTHER}
    measured = {entry.harm for entry in report.harms}
    for brief in report.verdict.briefs:
        assert (brief.state == "not looked at") == (brief.harm not in measured)


def test_what_no_test_speaks_about_is_counted_beside_the_tests() -> None:
    counts = briefs([section(0, 4, Severity.NONE, Severity.DESCRIBED, Severity.SMALL)])[0].counts
    assert counts.startswith("4 tests could have shown a large effect")
    assert counts.endswith("; 1 value described without a test; 1 too small to judge")
