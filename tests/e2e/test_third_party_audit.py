"""An audit from somebody else's package, as `new-audit` writes it: installed beside the toolkit, then tested, listed,
run and reported like any other."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from clipaudit.errors import UsageError
from clipaudit.scaffold.audit import new_audit

BROKEN = Path(__file__).resolve().parents[1] / "plugin_package" / "broken"
MODEL = "control:classifier?accuracy=0.8"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both packages installed as pip installs them, without any network."""
    if importlib.util.find_spec("pip") is None or importlib.util.find_spec("hatchling") is None:
        pytest.skip("needs pip and hatchling in this environment to install a package without a network")
    target = tmp_path_factory.mktemp("site")
    new_audit("tidy", target / "new")
    offline = ["--no-index", "--no-deps", "--no-build-isolation", "--disable-pip-version-check", "--quiet"]
    command = [sys.executable, "-m", "pip", "install", *offline, "--target", str(target)]
    subprocess.run([*command, str(target / "new" / "clipaudit-tidy"), str(BROKEN)], check=True, capture_output=True)
    return target


def clipaudit(site: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(site), "COLUMNS": "200", "OMP_NUM_THREADS": "1", "NO_COLOR": "1"}
    command = [sys.executable, "-m", "clipaudit", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_listed_with_its_package_and_a_broken_one_with_the_reason(site: Path, tmp_path: Path) -> None:
    listed = clipaudit(site, tmp_path, "list", "audits")
    assert listed.returncode == 0, listed.stderr
    lines = {line.split()[0]: line for line in listed.stdout.splitlines() if line.strip() and line[1] != " "}
    assert "clipaudit-tidy" in lines["tidy"]
    assert "UNAVAILABLE" in lines["broken"]
    assert "a_module_that_is_not_there" in listed.stdout


def test_passes_the_tests_that_come_with_it(site: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(site), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(site / "new" / "clipaudit-tidy")]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "4 passed" in done.stdout


def test_finds_what_it_plants(site: Path, tmp_path: Path) -> None:
    done = clipaudit(site, tmp_path, "validate", "tidy", "--seeds", "20", "--jobs", "1", "--out", "found")
    assert done.returncode == 0, done.stderr
    (curve,) = json.loads((tmp_path / "found" / "validation.json").read_text())["audits"][0]["curves"]
    assert [level["truth"] for level in curve["levels"]] == [0.25, 0.35, 0.5, 0.8]
    assert all(abs(level["mean"] - level["truth"]) < 4 * (0.25 / 80 / 20) ** 0.5 for level in curve["levels"])


@pytest.mark.parametrize(
    ("name", "says"),
    [("Text-colour", "lower-case letters"), ("class", "lower-case letters"), ("zero_shot", "is installed already")],
)
def test_no_package_for_a_name_that_cannot_be(name: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=says):
        new_audit(name, tmp_path)
    assert not list(tmp_path.iterdir())


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    files = new_audit("tidy", tmp_path)
    kept = {path: path.read_bytes() for path in files}
    files[0].write_text("mine", encoding="utf-8")
    files[1].unlink()
    with pytest.raises(UsageError, match="exists already"):
        new_audit("tidy", tmp_path)
    assert files[0].read_text(encoding="utf-8") == "mine"
    assert not files[1].exists(), "all or nothing"
    assert {path.read_bytes() for path in files[2:]} == {kept[path] for path in files[2:]}


def test_run_and_reported_beside_what_cannot_be_run(site: Path, tmp_path: Path) -> None:
    suite = 'id = "mine"\ntitle = "Mine"\n[[audits]]\nid = "tidy"\ndata = "objects"\n[[audits]]\nid = "broken"\n'
    (tmp_path / "mine.toml").write_text(suite, encoding="utf-8")
    done = clipaudit(site, tmp_path, "run", "mine.toml", "--model", MODEL, "--out", "run", "--quiet")
    cells = {cell["slug"]: cell for cell in json.loads((tmp_path / "run" / "result.json").read_text())["cells"]}
    assert cells["tidy.objects"]["status"] == "done", done.stderr
    estimate = cells["tidy.objects"]["estimates"][0]
    assert estimate["n"] == 160
    assert estimate["interval"]["low"] <= 0.8 <= estimate["interval"]["high"]  # the planted accuracy
    assert cells["broken"]["status"] == "not run"
    assert "a_module_that_is_not_there" in cells["broken"]["reason"]
    report = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "Does the model know what things are called?" in report
    assert estimate["sentence"] in report


def test_broken_alone_is_one_clear_line(site: Path, tmp_path: Path) -> None:
    done = clipaudit(site, tmp_path, "run", "broken", "--model", "control:null", "--quiet")
    assert done.returncode == 2
    assert done.stderr.strip().splitlines() == [
        "error: 'broken' is unavailable: ModuleNotFoundError: No module named 'a_module_that_is_not_there'"
    ]
