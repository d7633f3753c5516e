"""Whole gates over run directories: states, exit codes, waivers, and everything that is refused."""

from __future__ import annotations

import datetime
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gate_runs import FINGERPRINT, accuracy, answers, cell, estimate, write_run

from clipaudit.errors import UsageError
from clipaudit.gate.files import read_gate, write_gate
from clipaudit.gate.judge import judge
from clipaudit.gate.policy import Policy, parse_policy
from clipaudit.gate.results import GateResult, State
from clipaudit.gate.trust import Interrupted
from clipaudit.results import CellStatus, Direction, Status

TODAY = datetime.date(2026, 6, 1)
RNG = np.random.default_rng(0)
BEFORE = (RNG.random(600) < 0.8).tolist()
SAME = [ok if i % 60 else not ok for i, ok in enumerate(BEFORE)]  # ten flips, most of them down
WORSE = [ok and i % 5 > 0 for i, ok in enumerate(BEFORE)]


def rule(**more: Any) -> str:
    fields: dict[str, Any] = {"id": "a", "audit": "zero_shot", "metric": "accuracy", "kind": "absolute"} | more
    if fields["kind"] == "absolute" and "max" not in fields:
        fields = {"min": 0.7} | fields
    return "[[rule]]\n" + "".join(f"{key} = {_toml(value)}\n" for key, value in fields.items())


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f'"{key}" = {_toml(each)}' for key, each in value.items()) + " }"
    return json.dumps(value)


def waiver(**more: Any) -> str:
    fields = {"rule": "a", "model": FINGERPRINT[:12], "reason": "known", "owner": "Ada", "expires": "2026-12-31"} | more
    return "[[waiver]]\n" + "".join(f'{key} = "{value}"\n' for key, value in fields.items())


def policy(*parts: str) -> Policy:
    return parse_policy("".join(parts or (rule(),)), "policy")


def gate(run: Path, *parts: str, baseline: Path | None = None, **more: Any) -> GateResult:
    return judge(run, policy(*parts), baseline, today=TODAY, **more)


def right(path: Path, flags: Sequence[bool], **more: Any) -> Path:
    """A run of the zero-shot audit with these answers."""
    return write_run(path, [cell([accuracy(flags)])], {"zero_shot.objects": answers(flags)}, **more)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return write_run(tmp_path / "run", [cell([estimate()])])


@pytest.mark.parametrize(
    ("bounds", "state", "code"),
    [({"min": 0.7}, State.PASS, 0), ({"min": 0.8}, State.INCONCLUSIVE, 5), ({"min": 0.9}, State.FAIL, 1),
     ({"min": 0.7, "max": 0.9}, State.PASS, 0), ({"max": 0.8}, State.INCONCLUSIVE, 5)],
)  # fmt: skip
def test_absolute_rules(run: Path, bounds: dict[str, float], state: State, code: int) -> None:
    found = gate(run, rule(**bounds))
    assert (found.state, found.exit_code, found.rules[0].state) == (state, code, state)
    assert "80.0 % [75.0, 85.0], 400 items" in found.rules[0].reason


def test_inconclusive_names_the_items_that_would_decide_it(run: Path) -> None:
    (found,) = gate(run, rule(min=0.77)).rules
    half, z = 0.05, 1.959964
    expected = 400 * ((z + 0.841621) * (half / z) / 0.03) ** 2
    assert found.n_needed == pytest.approx(expected, abs=1)
    assert f"about {found.n_needed:,} items would decide it" in found.reason


def test_the_pull_request_profile_only_warns_of_what_is_not_proven(run: Path) -> None:
    found = gate(run, rule(min=0.8), profile="pull-request")
    assert (found.state, found.exit_code, found.rules[0].blocks) == (State.INCONCLUSIVE, 0, False)
    assert gate(run, rule(min=0.9), profile="pull-request").exit_code == 1


# --- changes --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("flags", "kind", "margin", "state"),
    [(SAME, "change", 0.05, State.PASS), (WORSE, "change", 0.05, State.FAIL), (SAME, "change", 0.005, State.INCONCLUSIVE),
     (SAME, "equivalence", 0.05, State.PASS), (WORSE, "equivalence", 0.05, State.FAIL)],
)  # fmt: skip
def test_changes_are_of_the_same_items(
    tmp_path: Path, flags: list[bool], kind: str, margin: float, state: State
) -> None:
    base, new = right(tmp_path / "base", BEFORE, fingerprint="f" * 64), right(tmp_path / "new", flags)
    found = gate(new, rule(kind=kind, margin=margin), baseline=base)
    (result,) = found.rules
    (judged,) = result.judged
    assert (found.state, judged.paired) == (state, True)
    gained, lost = (sum(a > b for a, b in zip(*pair, strict=True)) for pair in ((flags, BEFORE), (BEFORE, flags)))
    assert (judged.gained, judged.lost) == (gained, lost)
    assert judged.value == pytest.approx((gained - lost) / 600)
    assert result.power is not None


def test_improvement_is_no_failure_of_a_change_but_of_an_equivalence(tmp_path: Path) -> None:
    base, new = right(tmp_path / "base", WORSE), right(tmp_path / "new", BEFORE)
    assert gate(new, rule(kind="change", margin=0.05), baseline=base).state is State.PASS
    assert gate(new, rule(kind="equivalence", margin=0.05), baseline=base).state is State.FAIL


def test_the_same_model_again_passes(tmp_path: Path) -> None:
    base = right(tmp_path / "base", BEFORE)
    assert gate(base, rule(kind="change", margin=0.01), baseline=base).state is State.PASS


def test_without_item_outcomes_the_intervals_are_compared_and_it_is_said(tmp_path: Path) -> None:
    gap = {"metric": "group_gap", "unit": "points", "title": "Gap", "direction": Direction.HIGHER_IS_WORSE}
    cells = [cell([estimate(at, at - 1, at + 1, **gap)], audit="prompts") for at in (5.0, 12.0)]
    base, new = (
        write_run(tmp_path / str(i), [one], {"prompts.objects": answers(BEFORE)}) for i, one in enumerate(cells)
    )
    (found,) = gate(new, rule(audit="prompts", metric="group_gap", kind="change", margin=2), baseline=base).rules
    assert (found.state, found.judged[0].paired) == (State.FAIL, False)
    assert "not paired (the audit does not say what each item contributes)" in found.reason
    assert "+7.0 points [5.6, 8.4], from 5.0 points to 12.0 points" in found.reason


def test_without_rows_the_intervals_are_compared_and_it_is_said(tmp_path: Path) -> None:
    base, new = right(tmp_path / "base", BEFORE), right(tmp_path / "new", SAME)
    (base / "cells" / "zero_shot.objects-0000000000000000" / "rows.parquet").unlink()
    (found,) = gate(new, rule(kind="change", margin=0.2), baseline=base).rules
    assert (found.state, found.judged[0].paired) == (State.PASS, False)
    assert "not paired (baseline: " in found.reason
    assert "cannot read the rows" in found.reason


def test_rows_that_do_not_give_the_reported_value_are_not_used(tmp_path: Path) -> None:
    base = right(tmp_path / "base", BEFORE)
    new = write_run(tmp_path / "new", [cell([accuracy(SAME)])], {"zero_shot.objects": answers(BEFORE)})
    (found,) = gate(new, rule(kind="change", margin=0.2), baseline=base).rules
    assert found.judged[0].note == "the outcomes stored do not give the value reported"


def test_away_from_null_is_measured_on_each_side_of_it(tmp_path: Path) -> None:
    d = {"metric": "effect_size", "unit": "d", "title": "Effect", "direction": Direction.AWAY_FROM_NULL_IS_WORSE}
    runs = [
        write_run(tmp_path / name, [cell([estimate(at, at - 0.1, at + 0.1, null_value=0.0, **d)], audit="association")])
        for name, at in (("base", 0.4), ("flipped", -0.9), ("milder", -0.1))
    ]
    asked = rule(audit="association", metric="effect_size", kind="change", margin=0.2)
    worse, milder = (gate(run, asked, baseline=runs[0]) for run in runs[1:])
    assert (worse.state, milder.state) == (State.FAIL, State.PASS)
    assert worse.rules[0].judged[0].value == pytest.approx(0.5)


def test_a_metric_that_has_no_worse_way_needs_to_be_told(tmp_path: Path) -> None:
    one = write_run(tmp_path / "one", [cell([estimate(direction=Direction.DESCRIPTIVE)])])
    found = gate(one, rule(kind="change", margin=0.5), baseline=one)
    assert (found.state, found.exit_code) == (State.ERROR, 2)
    assert "give worse =" in found.rules[0].reason
    assert gate(one, rule(kind="change", margin=0.5, worse="lower"), baseline=one).state is State.PASS


# --- selection ------------------------------------------------------------------------------------------------


def grouped(**statuses: Status) -> Any:
    race = {"Black": 0.82, "Indian": 0.66, "White": 0.9}
    return cell(
        [estimate()]
        + [
            estimate(at, at - 0.03, at + 0.03, subgroup={"race (annotated)": name}, role="secondary",
                     status=statuses.get(name, Status.DESCRIBED))
            for name, at in race.items()
        ]
        + [estimate(0.1, 0.05, 0.2, subgroup={"training": "8 shots"})]
    )  # fmt: skip


def test_the_worst_group_speaks_for_all_and_all_must_be_inside(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", [grouped()])
    worst = rule(subgroup="worst annotated group", min=0.6)
    (found,) = gate(run, worst).rules
    assert (found.state, len(found.judged), found.judged[0].subgroup) == (
        State.PASS,
        3,
        {"race (annotated)": "Indian"},
    )
    assert "worst of 3: race (annotated) Indian" in found.reason
    assert gate(run, worst.replace("0.6", "0.75")).state is State.FAIL
    assert gate(run, rule(subgroup={"race (annotated)": "*"}, min=0.65)).state is State.INCONCLUSIVE
    assert gate(run, rule(subgroup={"race (annotated)": "White"}, min=0.8)).state is State.PASS
    assert gate(run, rule(subgroup="any", min=0.6)).rules[0].judged[0].subgroup == {"training": "8 shots"}


def test_a_group_too_small_is_not_fair_unless_the_policy_leaves_it_out(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", [grouped(Indian=Status.TOO_SMALL)])
    asked = rule(subgroup="worst annotated group", min=0.6)
    (found,) = gate(run, asked).rules
    assert (found.state, found.too_small) == (State.INCONCLUSIVE, 1)
    assert "1 group too small to judge" in found.reason
    (found,) = gate(run, asked + 'too_small = "leave out"\n').rules
    assert (found.state, len(found.judged)) == (State.PASS, 2)
    assert "1 group too small to judge" in found.reason


def test_nothing_large_enough_is_inconclusive(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", [cell([estimate(status=Status.TOO_SMALL)])])
    found = gate(run)
    assert (found.state, found.rules[0].judged) == (State.INCONCLUSIVE, ())


def test_an_estimate_without_interval_or_value_proves_nothing(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", [cell([estimate(interval=None)])])
    assert gate(run).state is State.INCONCLUSIVE
    run = write_run(tmp_path / "other", [cell([estimate(None, None, None)])])
    found = gate(run)
    assert (found.state, "not defined" in found.rules[0].reason) == (State.INCONCLUSIVE, True)


@pytest.mark.parametrize(
    ("more", "said", "code"),
    [
        ({"metric": "acuracy"}, "has no metric 'acuracy'; did you mean accuracy", 2),
        ({"metric": "accuracy_top5"}, "gave no estimate of 'accuracy_top5'", 4),
        ({"audit": "zeroshot"}, "audit 'zeroshot' is not in suite 'small'; did you mean zero_shot?", 2),
        ({"audit": "typographic", "metric": "attack_success"}, "audit 'typographic' is not in suite 'small'", 4),
        ({"data": "objekts"}, "no data set 'objekts' in this run; did you mean objects?", 2),
        ({"params": {"probe": False}}, "no parameter 'probe'; did you mean probes?", 2),
        ({"params": {"probes": False}}, "no cell of zero_shot in this run has probes = False", 2),
        ({"subgroup": {"race": "Indian"}}, 'has no subgroup {"race" = "Indian"}; there are: overall', 2),
        ({"subgroup": "worst annotated group"}, "has no subgroup worst annotated group", 2),
        ({"min": 70}, "min = 70 is outside the range of accuracy: 0 to 1 proportion", 2),
    ],
)
def test_a_rule_about_nothing_is_an_error_never_a_pass(run: Path, more: dict[str, Any], said: str, code: int) -> None:
    found = gate(run, rule(**more))
    assert said in found.rules[0].reason
    assert (found.rules[0].state, found.exit_code) == (State.ERROR, code)
    assert found.state is (State.NOTHING_JUDGED if code == 4 else State.ERROR)


def test_one_rule_in_error_makes_the_gate_an_error_though_others_pass(run: Path) -> None:
    found = gate(run, rule(), rule(id="b", metric="acuracy"))
    assert (found.state, found.exit_code) == (State.ERROR, 2)
    assert [one.state for one in found.rules] == [State.PASS, State.ERROR]


def test_a_skipped_audit_is_named_with_its_reason(tmp_path: Path) -> None:
    skipped = cell([], data="rta100", status=CellStatus.NOT_RUN, reason="give its folder")
    run = write_run(tmp_path / "run", [cell([estimate()]), skipped])
    found = gate(run)
    assert (found.state, found.exit_code) == (State.NOTHING_JUDGED, 4)
    assert "zero_shot.rta100: not run: give its folder" in found.rules[0].reason
    assert gate(run, rule(data="objects")).state is State.PASS


def test_parameters_tell_cells_of_one_audit_apart(tmp_path: Path) -> None:
    cells = [
        cell([estimate()], params={"probes": False}),
        cell([estimate(0.2, 0.1, 0.3)], params={"probes": True}, key="1" * 16),
    ]
    run = write_run(tmp_path / "run", cells)
    assert gate(run, rule(params={"probes": False})).state is State.PASS
    assert gate(run).state is State.FAIL


# --- what is refused ------------------------------------------------------------------------------------------


def test_errored_cells_leave_the_gate_incomplete(tmp_path: Path) -> None:
    broken = cell([], audit="disparity", status=CellStatus.ERRORED, reason="it broke")
    run = write_run(tmp_path / "run", [cell([estimate()]), broken])
    found = gate(run)
    assert (found.state, found.exit_code, found.rules[0].state) == (State.INCOMPLETE, 3, State.PASS)
    assert found.problems == ("disparity.objects: it broke",)
    assert "1 cell errored" in found.headline


def test_an_edited_result_is_not_judged(run: Path) -> None:
    text = (run / "result.json").read_text().replace('"value": 0.8', '"value": 0.99')
    (run / "result.json").write_text(text)
    found = gate(run)
    assert (found.state, found.exit_code, found.rules) == (State.ERROR, 2, ())
    assert "result.json was changed after the run wrote it" in found.problems[0]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"version": "0.0.1"}, "the baseline was made by clipaudit 0.0.1"),
        ({"suite_digest": "6" * 64}, "the baseline ran another suite"),
        ({"seed": 3}, "the baseline has seed 3, the run 0"),
    ],
)
def test_a_baseline_that_is_not_comparable(tmp_path: Path, run: Path, more: dict[str, Any], said: str) -> None:
    base = write_run(tmp_path / "base", [cell([estimate()])], **more)
    found = gate(run, rule(kind="change", margin=0.5), baseline=base)
    assert (found.state, found.exit_code, found.rules) == (State.ERROR, 2, ())
    assert said in found.problems[0]


def test_other_data_or_another_audit_version_in_the_baseline(tmp_path: Path, run: Path) -> None:
    old = cell([estimate()])
    old = old.model_copy(update={"audit": old.audit.model_copy(update={"version": "0"})})
    for name, one, said in (
        ("data", cell([estimate()], digest="e" * 64), "data set 'objects' is not the same in both runs"),
        ("audit", old, "audit 'zero_shot' is version 0 in the baseline"),
    ):
        found = gate(run, rule(kind="change", margin=0.5), baseline=write_run(tmp_path / name, [one]))
        assert said in found.problems[0]
        assert found.exit_code == 2


def test_a_baseline_without_the_cell_or_with_an_errored_one(tmp_path: Path, run: Path) -> None:
    other = write_run(tmp_path / "base", [cell([estimate()], params={"probes": False})])
    found = gate(run, rule(kind="change", margin=0.5), baseline=other)
    assert "the baseline has no cell zero_shot.objects" in found.rules[0].reason
    broken = write_run(tmp_path / "broken", [cell([], status=CellStatus.ERRORED, reason="it broke")])
    found = gate(run, rule(kind="change", margin=0.5), baseline=broken)
    assert (found.state, found.problems) == (State.INCOMPLETE, ("baseline: zero_shot.objects: it broke",))


def test_runs_that_cannot_be_read(tmp_path: Path, run: Path) -> None:
    with pytest.raises(UsageError, match="no such directory"):
        gate(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match=r"no manifest.json here"):
        gate(tmp_path / "empty")
    with pytest.raises(UsageError, match="give --baseline RUN"):
        gate(run, rule(kind="change", margin=0.5))
    text = (run / "result.json").read_text()
    (run / "result.json").write_text(text.replace('"schema_version": "1"', '"schema_version": "0"'))
    with pytest.raises(UsageError, match="with result schema 0; this one reads schema 1"):
        gate(run)
    (run / "result.json").write_text("{}")
    with pytest.raises(UsageError, match="result schema unknown"):
        gate(run)


def test_an_interrupted_run_is_said_with_its_own_code(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", [cell([estimate()])], finished=False)
    with pytest.raises(Interrupted, match="this run was interrupted") as caught:
        gate(run)
    assert caught.value.exit_code == 130
    done = write_run(tmp_path / "done", [cell([estimate()])])
    (done / "result.json").unlink()
    with pytest.raises(Interrupted):
        gate(done)


# --- waivers --------------------------------------------------------------------------------------------------

FAILING = rule(min=0.9)


@pytest.mark.parametrize(
    ("more", "use", "state", "code"),
    [
        ({}, "active", State.PASS, 0),
        ({"expires": "2026-06-01"}, "active", State.PASS, 0),  # that day included
        ({"expires": "2026-05-31"}, "expired", State.FAIL, 1),
        ({"model": "f" * 12}, "other model", State.FAIL, 1),
        ({"model": FINGERPRINT}, "active", State.PASS, 0),
    ],
)
def test_waivers(run: Path, more: dict[str, str], use: str, state: State, code: int) -> None:
    found = gate(run, FAILING, waiver(**more))
    assert (found.waivers[0].state, found.state, found.exit_code) == (use, state, code)
    assert found.rules[0].state is State.FAIL  # what was found stays what it is
    assert found.rules[0].blocks == (code == 1)


def test_an_expired_waiver_fails_even_where_the_rule_passes(run: Path) -> None:
    found = gate(run, rule(), waiver(expires="2026-05-31"))
    assert (found.rules[0].state, found.state, found.exit_code) == (State.PASS, State.FAIL, 1)
    assert "expired on 2026-05-31" in found.rules[0].reason


def test_a_renewed_waiver_counts_and_one_that_is_not_needed_changes_nothing(run: Path) -> None:
    renewed = gate(run, FAILING, waiver(expires="2026-05-31"), waiver(expires="2027-01-01"))
    assert ([use.state for use in renewed.waivers], renewed.exit_code) == (["not needed", "active"], 0)
    spare = gate(run, rule(), waiver())
    assert (spare.waivers[0].state, spare.state, spare.rules[0].waiver) == ("not needed", State.PASS, None)


def test_what_could_not_be_judged_cannot_be_waived(run: Path) -> None:
    found = gate(run, rule(metric="acuracy"), waiver())
    assert (found.state, found.exit_code, found.rules[0].blocks) == (State.ERROR, 2, True)


# --- gate.json ------------------------------------------------------------------------------------------------


def test_gate_json_comes_back_until_the_result_changes(run: Path) -> None:
    assert read_gate(run) is None
    found = gate(run, FAILING, waiver())
    write_gate(run, found)
    assert read_gate(run) == found
    (run / "result.json").write_text((run / "result.json").read_text() + "\n")
    assert read_gate(run) is None
    (run / "gate.json").write_text("{")
    assert read_gate(run) is None
