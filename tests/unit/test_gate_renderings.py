"""Terminal, HTML, Markdown, JSON, JUnit and GitHub say the same of a gate, also under waivers and errors."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from clipaudit_reports import render_html, render_markdown
from gate_runs import FINGERPRINT, cell, estimate, write_run
from junitparser import Error, Failure, JUnitXml, Skipped

from clipaudit.cli import _run as cli
from clipaudit.engine.store import RunStore
from clipaudit.gate.results import GateResult
from clipaudit.gate.standing import label, verdict_line
from clipaudit.plugins import load_export
from clipaudit.results import CellStatus
from clipaudit.verdict import summarise

HOSTILE = "|<script>alert(1)</script>\\u001b[31m\\n::error::x%0A@team `*$"
RULE = '[[rule]]\nid = "{id}"\naudit = "{audit}"\nmetric = "{metric}"\nkind = "absolute"\nmin = {min}\n'
WAIVER = '[[waiver]]\nrule = "{rule}"\nmodel = "{model}"\nreason = "{reason}"\nowner = "{owner}"\nexpires = {expires}\n'


def rule(name: str, least: float, metric: str = "accuracy", audit: str = "zero_shot") -> str:
    return RULE.format(id=name, audit=audit, metric=metric, min=least)


def waiver(name: str, expires: str) -> str:
    return WAIVER.format(rule=name, model=FINGERPRINT[:12], reason=HOSTILE, owner=HOSTILE, expires=expires)


def fine(path: Path) -> Path:
    return write_run(path, [cell([estimate()])], name=f"model {'<b>x</b> | y'}")


def edited(path: Path) -> Path:
    run = fine(path)
    (run / "result.json").write_text((run / "result.json").read_text().replace("0.85", "0.95"))
    return run


def broken(path: Path) -> Path:
    wrong = cell([], audit="disparity", status=CellStatus.ERRORED, reason="<b>it | broke</b>")
    return write_run(path, [cell([estimate()]), wrong])


GOOD, BAD, OPEN = rule("good", 0.7), rule("bad", 0.9), rule("open", 0.8)
SCENES: dict[str, tuple[Callable[[Path], Path], str, str, str, int]] = {
    "pass": (fine, GOOD, "release", "PASS", 0),
    "fail": (fine, GOOD + BAD + OPEN, "release", "FAIL", 1),
    "open": (fine, GOOD + OPEN, "release", "INCONCLUSIVE", 5),
    "warned": (fine, GOOD + OPEN, "pull-request", "INCONCLUSIVE", 0),
    "waived": (fine, GOOD + BAD + waiver("bad", "2999-01-01"), "release", "PASS", 0),
    "waived, not all": (fine, OPEN + BAD + waiver("bad", "2999-01-01"), "release", "INCONCLUSIVE", 5),
    "expired": (fine, GOOD + BAD + waiver("bad", "2000-01-01"), "release", "FAIL", 1),
    "expired on a pass": (fine, GOOD + waiver("good", "2000-01-01"), "release", "FAIL", 1),
    "unknown metric": (fine, GOOD + rule("typo", 0.5, "acuracy"), "release", "ERROR", 2),
    "nothing": (fine, rule("none", 0.5, "attack_success", "typographic"), "release", "NOTHING JUDGED", 4),
    "edited": (edited, GOOD + BAD, "release", "ERROR", 2),
    "errored": (broken, GOOD + BAD, "release", "INCOMPLETE", 3),
}


@pytest.fixture(params=SCENES)
def scene(request: pytest.FixtureRequest) -> tuple[Callable[[Path], Path], str, str, str, int]:
    return SCENES[request.param]


def test_all_renderings_agree(
    scene: tuple[Callable[[Path], Path], str, str, str, int],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make, policy, profile, state, code = scene
    run = make(tmp_path / "run")
    (run / "report.html").write_text("")  # of the run; the gate writes it anew
    (tmp_path / "gate.toml").write_text(policy)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    files = {form: tmp_path / f"gate.{form}" for form in ("json", "junit", "markdown")}
    options = [part for form, path in files.items() for part in (f"--{form}", str(path))]
    arguments = ["gate", str(run), "--policy", str(tmp_path / "gate.toml"), "--profile", profile, "--github", *options]
    assert cli(arguments, debug=True) == code
    start, printed = capsys.readouterr().out.split("\n", 1)
    assert start.startswith("::stop-commands::")
    terminal, annotations = printed.split(f"::{start.removeprefix('::stop-commands::')}::\n")

    found = GateResult.model_validate_json(files["json"].read_text())
    assert found == GateResult.model_validate_json((run / "gate.json").read_text())
    assert (found.state.value, found.exit_code) == (state, code)
    labels = {one.id: label(one) for one in found.rules}
    line = verdict_line(found)

    _terminal(terminal, line, labels)
    _markdown(files["markdown"].read_text(), state, labels)
    assert (tmp_path / "summary.md").read_text() == files["markdown"].read_text()
    _junit(files["junit"], found)
    _github(annotations, found, line)
    _reports(run, found, labels)
    said = [terminal, files["markdown"].read_text().replace("\\", ""), files["junit"].read_text(), annotations]
    _links((run / "report.html").read_text(), found, *said)


def _terminal(text: str, line: str, labels: dict[str, str]) -> None:
    assert text.strip().splitlines()[-1].strip() == line
    assert "\x1b[31m" not in text
    for name, said in labels.items():
        assert re.search(rf"^{re.escape(said)} +{name} ", text, re.MULTILINE)


def _markdown(text: str, state: str, labels: dict[str, str]) -> None:
    assert re.match(rf"## \S+ {state}: ", text)
    assert "<script" not in text
    assert "\x1b" not in text
    table = text.partition("### Waivers")[0].splitlines()
    rows = {line.split(" | ")[0].removeprefix("| "): line for line in table if line.startswith("| ")}
    for name, said in labels.items():
        shown = re.sub(r"\\(.)", r"\1", rows[name].split(" | ")[2])
        assert shown.split(" ", 1)[1] == said


def _junit(path: Path, found: GateResult) -> None:
    """Red exactly where the gate blocks."""
    (suite,) = JUnitXml.fromfile(str(path))
    assert {prop.name: prop.value for prop in suite.properties()}["verdict"] == verdict_line(found)
    cases = {case.name: case for case in suite if case.classname != "clipaudit.gate.input"}
    for one in found.rules:
        kinds = [type(result) for result in cases[one.id].result]
        if one.blocks:
            assert kinds in ([Failure], [Error])
        else:
            assert kinds == ([] if label(one) == "PASS" else [Skipped])
        if kinds:
            assert cases[one.id].result[0].type == label(one)
    assert suite.errors + suite.failures == sum(one.blocks for one in found.rules) + len(found.problems)
    assert (suite.errors + suite.failures > 0) == (found.exit_code != 0)


def _github(text: str, found: GateResult, line: str) -> None:
    lines = text.strip().splitlines()
    assert all(re.match(r"::(error|warning|notice) title=[^:,]*::", each) for each in lines)
    assert lines[0].endswith(f"::{line.replace('%', '%25')}")
    blocking = sum(one.blocks for one in found.rules) + len(found.problems)
    assert sum(each.startswith("::error") for each in lines[1:]) == blocking
    assert lines[0].startswith("::notice" if found.exit_code == 0 else "::error")


def _reports(run: Path, found: GateResult, labels: dict[str, str]) -> None:
    """The page and its Markdown, from the same result."""
    result = RunStore(run).result()
    assert (summarise(result, found).state, summarise(result, found).exit_code) == (found.state.value, found.exit_code)
    page, text = render_html(result, gate=found), render_markdown(result, gate=found)
    words = html.unescape(re.sub(r"<[^>]+>", " ", page))
    headline = found.headline[:1].upper() + found.headline[1:]
    assert headline in words
    assert f"**{found.state.value}.**" in text
    assert "<script>alert" not in page
    for said in labels.values():
        assert said in words
        assert said.replace("(", "\\(").replace(")", "\\)") in text


def _links(page: str, found: GateResult, terminal: str, markdown: str, junit: str, annotations: str) -> None:
    """Every place in the page that is named is there, and every rule's is named where the rule is."""
    links = {form: re.findall(r"report\.html#([\w-]+)", text) for form, text in
             {"terminal": terminal, "markdown": markdown, "junit": junit, "github": annotations}.items()}  # fmt: skip
    for anchor in {each for named in links.values() for each in named}:
        assert page.count(f' id="{anchor}"') == 1, anchor
    rules = sorted(f"rule--{one.id}" for one in found.rules)
    assert sorted(links["terminal"]) == sorted(["rules", *rules])
    assert sorted(links["markdown"]) == sorted(links["junit"]) == rules
    assert sorted(links["github"]) == sorted(
        f"rule--{one.id}" for one in found.rules if one.blocks or label(one) != "PASS"
    )


def test_an_interrupted_run_and_a_bad_policy_end_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = write_run(tmp_path / "run", [cell([estimate()])], finished=False)
    (tmp_path / "gate.toml").write_text(GOOD)
    assert cli(["gate", str(run), "-p", str(tmp_path / "gate.toml")], debug=False) == 130
    assert "this run was interrupted" in capsys.readouterr().err
    (tmp_path / "gate.toml").write_text(GOOD + WAIVER.format(rule="good", model="x", reason="r", owner="o", expires=1))
    assert cli(["gate", str(run), "-p", str(tmp_path / "gate.toml")], debug=False) == 2
    error = capsys.readouterr().err
    assert "waiver 1 (good): model" in error
    assert error.count("\n") == 1


def test_a_gated_run_shows_it_in_its_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = fine(tmp_path / "run")
    (tmp_path / "gate.toml").write_text(GOOD)
    (run / "report.html").write_text("before")
    assert cli(["gate", str(run), "-p", str(tmp_path / "gate.toml")], debug=True) == 0
    assert "1 rule: 1 passed" in (run / "report.html").read_text()
    capsys.readouterr()


def test_an_unknown_export_offers_the_known_ones() -> None:
    with pytest.raises(Exception, match="did you mean gate-markdown"):
        load_export("gate-markdwn")
