"""Each page with a working example is followed word by word."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from follow import follow, run

from clipaudit import pages, plugins
from clipaudit.gate.simulate import Rates, simulate
from clipaudit.plugins import list_audits
from clipaudit.text import printable

EXAMPLES = {
    "gate": 6,
    "scaling": 3,
    "tutorial": 9,
    "writing-a-card": 8,
    "writing-an-adapter": 7,
    "writing-an-audit": 6,
}  # commands in each


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working directory with a cache of its own; what a page installs or imports is gone afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLIPAUDIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]
    plugins.names.cache_clear()


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_every_step_does_what_the_page_says(name: str, place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    needs = {"pip", "hatchling"} if "$ pip install" in pages.page(name) else set()
    if missing := {each for each in needs if importlib.util.find_spec(each) is None}:
        pytest.skip(f"needs {', '.join(missing)} in this environment to install a package without a network")
    assert follow(pages.page(name), place, capsys) == EXAMPLES[name]


def test_every_page_can_be_read(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert {*EXAMPLES, "methods"} <= set(pages.names())
    for name in pages.names():
        code, said = run(["clipaudit", "describe", name], tmp_path, capsys)
        assert code == 0
        shown = " ".join(printable(line, limit=None) for line in pages.page(name).splitlines())  # as `say` prints it
        assert said.startswith(" ".join(shown.split()))
        long = [line for line in pages.page(name).splitlines() if len(line) > 132 and not line.startswith("|")]
        assert not long, f"{name}: too long to read in a terminal: {long[0]}"


def test_the_methods_page_has_the_formulas_and_sources_of_every_audit(capsys: pytest.CaptureFixture[str]) -> None:
    _, said = run(["clipaudit", "describe", "methods"], Path(), capsys)
    for listing in list_audits():
        assert listing.audit is not None, listing.reason
        spec = listing.audit.spec
        assert f"### {spec.id}: {spec.title}" in said
        assert all(" ".join(metric.formula.split()) in said for metric in spec.metrics)
        assert all(" ".join(citation.split()) in said for citation in spec.citations)


SIMULATED = re.compile(r"\| ([\d,]+), (\d+) %, (\d) points, (\d+) rules? \|(.+)\|$", re.MULTILINE)


def test_the_simulation_table_is_what_the_simulation_gives() -> None:
    """Every cell of two rows of the page on the gate; tests/unit/test_gate_simulation.py holds the error rates."""
    rows = SIMULATED.findall(pages.page("gate"))
    assert len(rows) == 4
    for items, discordant, points, count, rest in rows[:2]:
        size, margin, rules = int(items.replace(",", "")), int(points) / 100, int(count)

        def rates(worsening: list[float], size: int = size, margin: float = margin, share: str = discordant) -> Rates:
            return simulate(worsening, items=size, discordant=int(share) / 100, margin=margin)

        same, edge, worse = (
            rates(true) for true in ([0.0] * rules, [margin] * rules, [2 * margin, *[0.0] * (rules - 1)])
        )
        found = [same.red, same.passed, same.naive_red, edge.red, edge.passed, edge.naive_red, worse.red, worse.power]
        written = [float(cell.strip().removesuffix(" %")) / 100 for cell in re.split(r"[|,]", rest)]
        assert written == pytest.approx(found, abs=0.0051)
