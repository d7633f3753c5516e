"""A run in the forms of other tools: read back by those tools, or against their specification."""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest
from clipaudit_reports.exporters.in_toto import render as in_toto
from gate_runs import FINGERPRINT, accuracy, answers, cell, estimate, write_run
from huggingface_hub import ModelCard

from clipaudit.cli import _run as cli
from clipaudit.engine.rows import export_rows
from clipaudit.engine.store import RunStore
from clipaudit.errors import UsageError
from clipaudit.gate.judge import judge
from clipaudit.gate.policy import parse_policy
from clipaudit.results import CellStatus

RIGHT = [True] * 30 + [False] * 10
HOSTILE = '=HYPERLINK("x")\n<script>|\x1b[31m'
POLICY = (
    '[[rule]]\nid = "good"\naudit = "zero_shot"\nmetric = "accuracy"\ndata = "objects"\nkind = "absolute"\nmin = {}\n'
)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    skipped = cell([], data="rta100", status=CellStatus.NOT_RUN, reason="give its folder")
    other = estimate(0.3, None, None, subgroup={"race (annotated)": HOSTILE}, title=HOSTILE, role="secondary")
    return write_run(
        tmp_path / "run", [cell([accuracy(RIGHT), other]), skipped], {"zero_shot.objects": answers(RIGHT)}, name=HOSTILE
    )


def exported(run: Path, form: str, *more: str) -> Path:
    target = run.parent / form
    assert cli(["export", str(run), form, "--out", str(target), *more], debug=True) == 0
    return target


def test_findings_come_back_from_csv(run: Path) -> None:
    with exported(run, "findings").open(newline="") as file:
        first, second = csv.DictReader(file)
    assert (float(first["value"]), int(first["n"]), first["metric"]) == (0.75, 40, "accuracy")
    assert json.loads(second["subgroup"]) == {"race (annotated)": HOSTILE}
    assert second["title"] == f"'{HOSTILE}"  # no formula in a spreadsheet
    assert second["low"] == ""


def test_rows_come_back_from_parquet_and_csv(run: Path) -> None:
    (table,) = (pa.parquet.read_table(path) for path in sorted(exported(run, "rows-parquet").iterdir()))
    assert table.equals(RunStore(run).rows("zero_shot.objects", "0" * 16))
    (plain,) = (pa.csv.read_csv(path) for path in sorted(exported(run, "rows-csv").iterdir()))
    assert plain["prediction"].to_pylist() == table["prediction"].to_pylist()


def test_lists_and_bytes_in_csv(tmp_path: Path) -> None:
    rows = pa.table(
        {"item": ["a", "b"], "error": [None, None], "shares": [[0.5, 1.0], None], "picture": [b"xyz", None]}
    )
    run = write_run(tmp_path / "run", [cell([estimate()])], {"zero_shot.objects": rows})
    (path,) = export_rows(RunStore(run), tmp_path / "rows", "csv")
    with path.open(newline="") as file:
        first, second = csv.DictReader(file)
    assert (json.loads(first["shares"]), first["picture"]) == ([0.5, 1.0], "3 bytes")
    assert (second["shares"], second["picture"]) == ("", "")
    empty = write_run(tmp_path / "empty", [cell([], status=CellStatus.NOT_RUN, reason="no data")])
    with pytest.raises(UsageError, match="no finished cell"):
        export_rows(RunStore(empty), tmp_path / "none", "csv")


def test_the_hub_reads_the_model_card(run: Path) -> None:
    text = exported(run, "model-card").read_text()
    card = ModelCard(text)
    (result,) = card.data.eval_results
    assert (result.metric_type, result.metric_value, result.dataset_type) == ("zero_shot.accuracy", 0.75, "objects")
    assert result.metric_args["n"] == 40
    assert text.startswith(f"---\n{exported(run, 'eval-results').read_text()}---\n")
    assert "NOT GATED" in card.text
    assert "not run: give its folder" in card.text
    assert FINGERPRINT in card.text
    assert "<script" not in card.text
    assert "\x1b" not in text


def test_a_statement_of_a_gate_names_the_weights(run: Path) -> None:
    weights = run.parent / "model.safetensors"
    weights.write_bytes(b"weights")
    with pytest.raises(UsageError, match="run clipaudit gate"):
        in_toto(RunStore(run).result())
    policy = run.parent / "gate.toml"
    policy.write_text(POLICY.format(0.5))
    assert cli(["gate", str(run), "-p", str(policy)], debug=True) == 0
    said = json.loads(exported(run, "in-toto", "--weights", str(weights)).read_text())
    assert (said["_type"], said["predicateType"]) == (
        "https://in-toto.io/Statement/v1",
        "https://in-toto.io/attestation/test-result/v0.1",
    )
    assert said["subject"][0]["name"] == "model.safetensors"
    assert said["subject"][0]["digest"] == {"sha256": hashlib.sha256(b"weights").hexdigest()}
    assert (said["predicate"]["result"], said["predicate"]["passedTests"]) == ("PASSED", ["good"])
    assert said["predicate"]["configuration"][1]["digest"]["sha256"] == hashlib.sha256(
        (run / "result.json").read_bytes()
    ).hexdigest()  # fmt: skip
    alone = json.loads(exported(run, "in-toto").read_text())
    assert alone["subject"][0]["digest"] == {"clipaudit_fingerprint_v1": FINGERPRINT}


@pytest.mark.parametrize(
    ("least", "profile", "result", "group"),
    [(0.95, "release", "FAILED", "failedTests"), (0.75, "release", "FAILED", "failedTests"),
     (0.75, "pull-request", "WARNED", "warnedTests")],
)  # fmt: skip
def test_a_statement_fails_exactly_where_the_gate_does(
    run: Path, least: float, profile: str, result: str, group: str
) -> None:
    gate = judge(run, parse_policy(POLICY.format(least), "p"), profile=profile)  # type: ignore[arg-type]
    said = json.loads(in_toto(RunStore(run).result(), gate))["predicate"]
    assert (said["result"], said[group]) == (result, ["good"])
    assert (said["result"] == "FAILED") == (gate.exit_code != 0)


def test_weights_elsewhere_are_refused(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli(["export", str(run), "findings", "-o", "x", "-w", str(run / "result.json")], debug=False) == 2
    assert "--weights is for in-toto statements" in capsys.readouterr().err
