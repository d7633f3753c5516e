"""`clipaudit validate`: what it writes, what it keeps, and how it ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from clipaudit.cli import main
from clipaudit.validation import run
from clipaudit.validation.results import AuditValidation, Curve, Level, ValidationResult, as_json


def called(*arguments: str) -> int:
    with pytest.raises(SystemExit) as stop:
        main(["validate", *arguments])
    return int(stop.value.code or 0)


def counted(audit: str, covered: int) -> AuditValidation:
    level = Level(effect=0, truth=0, runs=50, mean=0.0, sd=1.0, judged_intervals=50, covered=covered)
    curve = Curve(metric="m", title="t", x_label="x", model="null?seed={seed}", null=False, levels=(level,))
    return AuditValidation(audit=audit, version="1", title="T", family="f", curves=(curve,))


def test_writes_the_figures_and_the_page_and_keeps_those_of_other_audits(tmp_path: Path) -> None:
    out = tmp_path / "made"
    out.mkdir()
    kept = ValidationResult(clipaudit_version="0", audits=(counted("another", 48), counted("occupation_text", 0)))
    (out / "validation.json").write_text(as_json(kept))
    called("occupation_text", "--seeds", "2", "--quiet", "--out", str(out))
    found = ValidationResult.model_validate_json((out / "validation.json").read_text())
    assert [one.audit for one in found.audits] == ["another", "occupation_text"]
    assert found.audits[0] == kept.audits[0]
    assert [level.runs for level in found.audits[1].curves[0].levels] == [4, 2, 2, 2]
    page = (out / "validation.html").read_text()
    assert "An occupation leans towards the words for women" in page


@pytest.mark.parametrize(("covered", "code", "said"), [(47, 0, "1 curve, 0 outside"), (30, 1, "1 curve, 1 outside")])
def test_ends_in_one_where_an_interval_covers_too_little(
    covered: int,
    code: int,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    result = ValidationResult(clipaudit_version="0", audits=(counted("occupation_text", covered),))
    monkeypatch.setattr(run, "validate", lambda *_, **__: result)
    assert called("occupation_text", "-o", str(tmp_path)) == code
    assert said in capsys.readouterr().out


def test_faults_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert called("occupatoin_text", "-o", str(tmp_path)) == 2
    assert "did you mean occupation_text" in capsys.readouterr().err
    (tmp_path / "validation.json").write_text('{"schema_version": "0"}')
    assert called("occupation_text", "--seeds", "2", "-q", "-o", str(tmp_path)) == 2
    assert "no validation of this version; choose another folder with --out" in capsys.readouterr().err
