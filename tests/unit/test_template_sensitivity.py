"""Signs and spread over templates: against counts done by hand."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from clipaudit_audits.template_sensitivity import AGREEMENT, CHANGES, agreement, marked, note, sensitivity

from clipaudit.results import Estimate, Status, Test


def _estimate(value: float, status: Status = Status.EFFECT, title: str = "An effect") -> Estimate:
    return Estimate(metric="effect", title=title, value=value, unit="cosine", n=9, status=status, sentence="It moves.")


def test_signs_and_spread_are_those_counted_by_hand() -> None:
    values = {"a {}": 0.4, "b {}": -0.1, "c {}": 0.2, "d {}": 0.0}
    found = sensitivity(values, pooled=0.125)
    assert found is not None
    assert found.agreeing == 0.5  # 0 has no sign
    assert found.opposing == 1
    assert found.changes
    assert found.spread == pytest.approx(0.5)
    assert found.iqr == pytest.approx(0.25 - -0.025)  # numpy's linear rule: quartiles at positions .75 and 2.25
    assert found.worst == "b {}"


def test_all_signs_by_brute_force() -> None:
    for values in product((-1.0, 0.0, 2.0), repeat=3):
        pooled = sum(values) / 3
        found = sensitivity(dict(zip("abc", values, strict=True)), pooled)
        assert found is not None
        assert found.opposing == sum(1 for value in values if value * pooled < 0)
        same = sum(1 for value in values if value * pooled > 0 or (value == 0 and pooled == 0))
        assert found.agreeing == pytest.approx(same / 3)


def test_signs_are_taken_about_the_null_value() -> None:
    found = sensitivity({"a": 0.6, "b": 0.4}, pooled=0.55, null_value=0.5)
    assert found is not None
    assert (found.opposing, found.worst) == (1, "b")
    assert note(found).startswith("Template-sensitive: 1 of 2 templates alone lies on the other side of 0.5")
    same = sensitivity({"a": 0.6, "b": 0.7}, pooled=0.65, null_value=0.5)
    assert same is not None
    assert note(same).startswith("2 of 2 templates alone lie on its side of 0.5")


def test_a_negative_finding_has_its_worst_template_at_the_top() -> None:
    found = sensitivity({"a": -2.0, "b": -0.5, "c": 0.5}, pooled=-0.7)
    assert found is not None
    assert found.worst == "c"


@pytest.mark.parametrize("values", [{}, {"a": 1.0}, {"a": 1.0, "b": None}, {"a": 1.0, "b": float("nan")}])
def test_one_template_says_nothing(values: dict[str, float | None]) -> None:
    assert sensitivity(values, 1.0) is None
    assert marked(_estimate(1.0), None) == _estimate(1.0)


def test_no_finding_has_no_sensitivity() -> None:
    assert sensitivity({"a": 1.0, "b": 2.0}, None) is None


def test_an_effect_whose_sign_changes_is_marked_in_note_and_sentence() -> None:
    found = sensitivity({"a {}": 0.3, "b {}": -0.1}, pooled=0.1)
    shown = marked(_estimate(0.1), found)
    assert shown.notes[-1].startswith(CHANGES)
    assert "depends on the wording" in shown.sentence
    assert "“b {}”" in shown.sentence
    quiet = marked(_estimate(0.1, Status.NO_EFFECT), found)
    assert quiet.notes[-1].startswith(CHANGES)
    assert quiet.sentence == "It moves."


def test_an_effect_that_holds_in_every_template_is_not_marked() -> None:
    found = sensitivity({"a {}": 0.3, "b {}": 0.1}, pooled=0.2)
    shown = marked(_estimate(0.2), found)
    assert shown.notes[-1].startswith("2 of 2 templates alone give its sign; from 0.1")
    assert shown.sentence == "It moves."


def test_the_summary_is_the_mean_share_and_names_what_changes() -> None:
    steady = sensitivity({"a": 1.0, "b": 2.0}, 1.5)
    shaky = sensitivity({"a": 1.0, "b": -0.5}, 0.25)
    findings = [
        (_estimate(1.5), steady),
        (_estimate(0.25, title="Shaky"), shaky),
        (_estimate(0.25, Status.TOO_SMALL), shaky),
        (_estimate(1.0), None),
    ]
    (summary,) = agreement(findings)
    assert summary.metric == AGREEMENT.name
    assert summary.value == pytest.approx(np.mean([1.0, 0.5]))
    assert summary.n == 4
    assert "Of 2 shown effects, 1 changes its sign with the template: “Shaky”." in summary.sentence
    assert agreement([(_estimate(1.0), None)]) == []


def test_the_summary_of_findings_without_tests_counts_all_of_them() -> None:
    shaky = sensitivity({"a": 1.0, "b": -0.5}, 0.25)
    (summary,) = agreement([(_estimate(0.25, Status.DESCRIBED, "Shaky"), shaky)], of="margins")
    assert summary.sentence.endswith("Of 1 margins, 1 changes its sign with the template: “Shaky”.")
    quiet = _estimate(0.25, Status.NO_EFFECT).model_copy(update={"test": Test(p=0.4, method="exact")})
    (summary,) = agreement([(quiet, shaky)])
    assert "no sign was to be expected" in summary.sentence


def test_a_long_template_is_shortened_and_made_safe() -> None:
    assert sensitivity({"a": 1.0, "b": 2.0}, 1.5) is not None
    found = sensitivity({"\x1b[31m{}" + "x" * 300: -1.0, "b": 2.0}, 0.5)
    assert found is not None
    assert "\x1b" not in note(found)
    assert len(note(found)) < 300
