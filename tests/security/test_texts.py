"""What others wrote (labels, names, captions, messages) is text wherever it is shown: on terminals, in CI, in files."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, TypeVar
from xml.etree import ElementTree

import pyarrow as pa
import pytest
import report_sample as sample
from click.testing import CliRunner
from clipaudit_reports import render_html, render_markdown
from clipaudit_reports.exporters import findings, github, huggingface, in_toto, junit, markdown
from gate_runs import cell, estimate, write_run
from pydantic import ValidationError

from clipaudit.cli.app import app
from clipaudit.cli.gate_table import show_gate
from clipaudit.cli.outcome import show_outcome
from clipaudit.engine.progress import PlainReporter
from clipaudit.engine.rows import export_rows
from clipaudit.engine.store import RunStore
from clipaudit.errors import UsageError
from clipaudit.gate.results import GateResult
from clipaudit.results import CellResult, CellStatus, Record, RunResult
from clipaudit.text import printable

R = TypeVar("R", bound=Record)
ATTACK = (
    "=cmd|' /C calc'!A0\x1b]8;;http://e.org\x07\x1b]52;c;Y2FsYw==\x07\x1b[2J\r\n::set-output name=x::y\n##[add-mask]z\n"
    "\u202egnp.exe\u2028\x9b31m\x00<script>alert(1)</script><img src=x onerror=alert(2)>[a](javascript:alert(3))"
    "</text></svg><a href='javascript:alert(4)'>![i](http://e.org/i.png)`rm`|#1 @everyone\ufffe"
)
KEPT = frozenset({"id", "key", "slug", "kind", "digest", "fingerprint", "result_digest", "schema_version"})


def poisoned(record: R) -> R:
    """The record with every text that may be any text exchanged for an attack."""
    kind = type(record)
    content = json.loads(record.model_dump_json())

    def whole() -> R | None:
        try:
            return kind.model_validate_json(json.dumps(content))
        except ValidationError:
            return None

    def walk(part: Any) -> None:
        for key in list(part) if isinstance(part, dict) else range(len(part)):
            value = part[key]
            if isinstance(value, dict | list):
                walk(value)
            elif isinstance(value, str) and value and key not in KEPT:
                part[key] = ATTACK
                if whole() is None:
                    part[key] = value

    walk(content)
    found = whole()
    assert found is not None
    return found


@pytest.fixture(scope="module")
def result() -> RunResult:
    return poisoned(sample.make_result(sample.hostile_cell(), sample.cue_cell()))


@pytest.fixture(scope="module")
def gate() -> GateResult:
    return poisoned(sample.make_gate(sample.make_result()))


def harmless(text: str) -> None:
    """Nothing that a terminal or a runner of CI obeys; only line breaks of our own."""
    hidden = set(re.findall("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufffe]", text))
    assert not hidden, hidden
    for line in text.splitlines():
        assert not re.match(r"\s*::[\w-]+( [^:]*)?::", line), line
        assert "##[" not in line


def test_tables_of_the_terminal(result: RunResult, gate: GateResult, capsys: pytest.CaptureFixture[str]) -> None:
    from clipaudit.api import Outcome

    show_outcome(Outcome(Path("runs") / "\x1b[31m", result, sample.make_manifest(), None))
    show_gate(gate, Path("\x1b[31m"))
    reporter = PlainReporter()
    reporter.cell_started(ATTACK)
    reporter.note(ATTACK)
    for one in result.cells:
        reporter.cell_ended(one.model_copy(update={"status": CellStatus.ERRORED, "reason": ATTACK}), False)
    said = capsys.readouterr()
    assert "set-output" in said.out + said.err
    harmless(said.out)
    harmless(said.err)


def test_messages_of_errors() -> None:
    harmless(str(UsageError(ATTACK)))
    assert len(str(UsageError(ATTACK)).splitlines()) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("lint", "{file}"),
        ("describe", "{name}"),
        ("run", "{name}"),
        ("run", "demo", "--model", "{name}"),
        ("run", "demo", "--data", "{name}"),
        ("run", "demo", "--set", "{name}"),
        ("report", "{name}"),
        ("gate", "{name}", "--policy", "{file}"),
        ("{name}",),
    ],
)
def test_names_on_the_command_line(
    arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from clipaudit.cli import main

    name = ATTACK.replace("\0", "").replace("/", "")[:120]
    (tmp_path / f"{name}.toml").write_text('id = "\\u001b[31m"\nx = "\\u202e"\n[[audits]]\nid = "\\u001b"\n')
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        main([each.format(name=name, file=f"{name}.toml") for each in arguments])
    said = capsys.readouterr()
    assert said.err
    harmless(said.out + said.err)


def test_a_sound_file_with_such_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    name = "\x1b[31m\u202e\n::error::x.toml"
    Path(name).write_text('id = "s"\n[[audits]]\nid = "zero_shot"\ndata = "objects"\n')
    done = CliRunner().invoke(app, ["lint", name])
    assert "suite of 1 entry" in done.output
    harmless(done.output)


class _Tags(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]


def test_the_report(result: RunResult, gate: GateResult) -> None:
    page = render_html(result, poisoned(sample.make_manifest()), {}, None)
    clean = render_html(sample.make_result(sample.cue_cell()), sample.make_manifest(), {}, None)
    found = _Tags(page)
    assert found.tags.count("script") == _Tags(clean).tags.count("script")
    assert not {"iframe", "object", "embed", "base", "form", "link"} & set(found.tags)
    for name, value in found.attributes:
        assert not name.startswith("on"), name
        if name in ("href", "xlink:href", "src", "action"):
            assert value.startswith(("#", "data:image/")), value
    assert "alert(1)" in page, "it is shown, as text"
    harmless(re.sub("<(script|style)[^>]*>.*?</\\1>", "", page, flags=re.DOTALL))


@pytest.mark.parametrize("render", [lambda result, gate: render_markdown(result, None, {}, None), lambda result, gate: huggingface.render_card(result, None), lambda result, gate: markdown.render(gate)], ids=["report", "card", "gate"])  # fmt: skip
def test_markdown(render: Callable[..., str], result: RunResult, gate: GateResult) -> None:
    text = render(result, gate)
    harmless(text)
    body = text.split("\n---\n")[-1]
    for live in ("<script", "<img", "](javascript", "](http://e.org", " @everyone"):
        assert live not in body, live


def test_annotations(gate: GateResult) -> None:
    lines = github.render(gate).splitlines()
    assert all(re.match(r"::(error|warning|notice) title=[^:,]*::", line) for line in lines)
    for line in lines:
        harmless(line.split("::", 2)[2])


def test_junit(gate: GateResult) -> None:
    ElementTree.fromstring(junit.render(gate))


def test_yaml_and_json(result: RunResult, gate: GateResult) -> None:
    import yaml

    yaml.safe_load(huggingface.render_results(result, None))
    judged = sample.make_gate(sample.make_result())
    assert json.loads(in_toto.render(result, poisoned(judged)))


def test_spreadsheets(tmp_path: Path) -> None:
    one: CellResult = cell([estimate(title="=1+1", sentence="@SUM(A1)", subgroup={"-2": "x"})])
    rows = pa.table(
        {"item": ["=1+1", "a", None], "error": pa.array([None, "+x", "\tx"], pa.string()), "=name": [-1.5, 2.0, None]}
    )
    run = write_run(tmp_path / "run", [one], {one.slug: rows})
    store = RunStore(run)
    (path,) = export_rows(store, tmp_path / "rows", "csv")
    for text in (path.read_text(), findings.render(store.result())):
        for line in csv.reader(io.StringIO(text)):
            for entry in line:
                assert not entry.startswith(("=", "+", "@", "\t", "\r")), entry
                assert not entry.startswith("-") or float(entry) < 0, entry
    (exact,) = export_rows(store, tmp_path / "rows", "parquet")
    assert pa.parquet.read_table(exact).equals(store.rows(one.slug, one.key))


def test_words_stay_as_they_are() -> None:
    for text in (
        "a::b",
        "std::vector",
        "## Title",
        "naïve café 語 नमस्ते \u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        "👩\u200d🚀",
    ):
        assert printable(text) == text
