"""The tutorial is followed word by word: its files are written, its commands run, what it shows must come out."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from clipaudit import pages
from clipaudit.cli import main
from clipaudit.plugins import list_audits

BLOCK = re.compile(r"```(console|toml)\n(.*?)```", re.DOTALL)


def follow(command: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Exit code and output of a command of the page."""
    words = shlex.split(command, comments=True)
    assert words[0] == "clipaudit"
    with pytest.raises(SystemExit) as stopped:
        main(words[1:])
    printed = capsys.readouterr()
    return int(stopped.value.code or 0), " ".join((printed.out + printed.err).split())


def test_every_step_does_what_the_page_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLIPAUDIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "200")
    commands = 0
    for kind, text in BLOCK.findall(pages.page("tutorial")):
        if kind == "toml":
            name = "gate.toml" if "to be added to gate.toml" in text else text.split()[1]
            with (tmp_path / name).open("a", encoding="utf-8") as file:
                file.write(text)
            continue
        said = ""
        for line in text.splitlines():
            if not line.startswith("$ "):
                assert " ".join(line.split()) in said, line
                continue
            code, said = follow(line.removeprefix("$ "), capsys)
            commands += 1
            asked = re.search(r"# exit code (\d+)", line)
            assert code == (int(asked[1]) if asked else 0), f"{line}\n{said}"
    assert commands == 9


def test_every_page_can_be_read(capsys: pytest.CaptureFixture[str]) -> None:
    assert set(pages.names()) == {"methods", "tutorial"}
    for name in pages.names():
        code, said = follow(f"clipaudit describe {name}", capsys)
        assert code == 0
        assert said.startswith(" ".join(pages.page(name).split()))


def test_the_methods_page_has_the_formulas_and_sources_of_every_audit(capsys: pytest.CaptureFixture[str]) -> None:
    _, said = follow("clipaudit describe methods", capsys)
    for listing in list_audits():
        assert listing.audit is not None, listing.reason
        spec = listing.audit.spec
        assert f"### {spec.id}: {spec.title}" in said
        assert all(" ".join(metric.formula.split()) in said for metric in spec.metrics)
        assert all(" ".join(citation.split()) in said for citation in spec.citations)
