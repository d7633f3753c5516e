"""Whatever a user can get wrong: one clear line, the right exit code, no traceback, nothing lost."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from clipaudit.errors import ExitCode

Cli = Callable[..., "subprocess.CompletedProcess[str]"]
SLOW = ("--model", "py:slow_encoder:build")


def the_error(done: subprocess.CompletedProcess[str]) -> str:
    """The single line that an expected error prints; fails on a traceback or on more than one line."""
    assert "Traceback" not in done.stderr, done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith(("error: ", "internal error: "))]
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("error: "), lines[0]
    return lines[0]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("rum", "demo"), "did you mean run?"),
        (("run", "dmeo"), "did you mean demo"),
        (("run", "typografic"), "did you mean typographic?"),
        (("run", "demo", "--model", "referense"), "did you mean reference?"),
        (("run", "demo", "--model", "ViT-B-23@openai"), "ViT-B-32"),
        (("run", "demo", "--model", "ViT-B-32@opanai"), "openai"),
        (("run", "demo", "--model", "ViT-B-32@missing/weights.pt"), "missing/weights.pt"),
        (("run", "demo", "--model", "ViT-B-32"), "@"),
        (("run", "demo", "--model", "transformer:x"), "did you mean transformers?"),
        (("run", "demo", "--model", "recorded:nowhere"), "nowhere"),
        (("run", "demo", "--model", "py:slow_encoder:bild"), "did you mean build?"),
        (("run", "demo", "--model", "control:nul"), "did you mean null?"),
        (("run", "demo", "--audit", "typografic"), "did you mean typographic"),
        (("run", "typographic", "--set", "typographic.templatez=x"), "templates"),
        (("run", "typographic", "--set", "nonsense"), "write AUDIT.PARAM=VALUE"),
        (("run", "demo", "--set", "asociation.seed=1"), "did you mean association?"),
        (("run", "typographic", "--data", "objectz=/"), "did you mean objects?"),
        (("run", "typographic", "--data", "nowhere/at/all"), "nowhere/at/all"),
        (("run", "demo", "--limit", "0"), "--limit"),
        (("run", "demo", "--precision", "float12"), "bfloat16"),
        (("describe", "asociation"), "did you mean association"),
        (("describe", "rta10"), "did you mean rta100?"),
        (("report", "nowhere"), "no such directory"),
        (("rescore", "nowhere"), "result.json"),
    ],
)
def test_wrong_names(cli: Cli, arguments: tuple[str, ...], said: str) -> None:
    done = cli(*arguments)
    assert done.returncode == ExitCode.USAGE, done.stderr
    assert said in the_error(done)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("id = 'x'\naudits = [", "malformed TOML"),
        ("id = 'x'", "'audits' is missing"),
        ("id = 'x'\n[[audits]]\nid = 'typographic'\ndate = 'objects'", "did you mean data?"),
        ("id = 'x'\n[[audits]]\nid = 'typografic'\ndata = 'objects'", "did you mean typographic?"),
        ("id = 'x'\n[[audits]]\nid = 'typographic'\ndata = 'objcts'", "did you mean objects?"),
        ("id = 'x'\n[[audits]]\nid = 'typographic'\ndata = 'objects'\nparams = {templates = ['no place']}", "{}"),
    ],
)
def test_faulty_suites(cli: Cli, tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "suite.toml").write_text(text)
    done = cli("run", "suite.toml", *SLOW)
    assert done.returncode == ExitCode.USAGE, done.stderr + done.stdout
    assert said in the_error(done)


CARD = 'id = "mine"\ntitle = "Mine"\nlicence = "CC0"\nconsent = "things only"\nimages = "{label}/{file}"\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Twelve small pictures in three classes, with a card."""
    root = tmp_path / "mine"
    for i in range(12):
        (root / "abc"[i % 3]).mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (40, 40), (i * 20, 100, 200 - i * 10)).save(root / "abc"[i % 3] / f"{i}.png")
    (root / "clipaudit.toml").write_text(CARD)
    return root


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('licence = "CC0"\n', "", "licence"),
        ('licence = "CC0"', 'licence = "unknown"', "licence"),
        ('consent = "things only"\n', "", "consent"),
        ("images", "imagez", "did you mean image or images?"),
        ("title", "title =", "malformed TOML"),
        ("{label}/{file}", "{label/{file}", "placeholder"),
    ],
)
def test_faulty_cards(cli: Cli, folder: Path, old: str, new: str, said: str) -> None:
    (folder / "clipaudit.toml").write_text(CARD.replace(old, new))
    done = cli("run", "typographic", "--data", str(folder), *SLOW)
    assert done.returncode == ExitCode.USAGE, done.stderr
    assert said in the_error(done)


def test_a_folder_without_a_card_is_shown_the_lines_to_write(cli: Cli, folder: Path) -> None:
    (folder / "clipaudit.toml").unlink()
    done = cli("run", "typographic", "--data", str(folder), *SLOW)
    assert done.returncode == ExitCode.USAGE, done.stderr
    assert "has no card" in the_error(done)
    assert [line.split(" = ")[0].strip() for line in done.stderr.splitlines()[1:6]] == [
        "id", "title", "licence", "consent", "images",
    ]  # fmt: skip


def test_unreadable_items_are_counted_and_too_many_fail_the_cell(cli: Cli, folder: Path) -> None:
    (folder / "a" / "0.png").write_bytes(b"")
    strict = cli("run", "typographic", "--data", str(folder), *SLOW, "--out", "strict")
    assert strict.returncode == ExitCode.CELLS_ERRORED, strict.stderr
    assert "could not be read" in strict.stdout
    assert "0.png" in strict.stdout
    lenient = cli("run", "typographic", "--data", str(folder), *SLOW, "--out", "lenient", "--max-error-rate", "0.5")
    assert lenient.returncode == ExitCode.OK, lenient.stderr + lenient.stdout
    page = (folder.parent / "lenient" / "report.html").read_text(encoding="utf-8")
    assert "0 bytes" in page, "the report says which item could not be read, and why"


def test_markup_in_labels_and_file_names_stays_text(cli: Cli, folder: Path) -> None:
    nasty = "<img src=x onerror=alert(1)>"
    (folder / "a").rename(folder / nasty)
    (folder / nasty / "3.png").rename(folder / nasty / "\x1b[31m<b>$x^2$.png")
    done = cli("run", "typographic", "--data", str(folder), *SLOW, "--out", "out")
    assert done.returncode == ExitCode.OK, done.stderr + done.stdout
    page = (folder.parent / "out" / "report.html").read_text(encoding="utf-8")
    assert "<img src=x" not in page
    assert "&lt;img src=x onerror=alert(1)&gt;" in page
    for text in (page, done.stdout, done.stderr):
        assert "\x1b" not in text


def test_debug_shows_the_traceback(cli: Cli) -> None:
    done = cli("run", "dmeo", "--debug")
    assert "Traceback" in done.stderr
    assert done.returncode != 0


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_cache_that_cannot_be_written_costs_speed_only(cli: Cli, tmp_path: Path, folder: Path) -> None:
    (tmp_path / "cache").mkdir(mode=0o500)
    done = cli("run", "typographic", "--data", str(folder), *SLOW, "--out", "out")
    assert done.returncode == ExitCode.OK, done.stderr


def test_a_cache_that_is_no_folder_costs_speed_only(cli: Cli, tmp_path: Path, folder: Path) -> None:
    (tmp_path / "cache").write_text("a file where the cache should be")
    done = cli("run", "typographic", "--data", str(folder), *SLOW, "--out", "out")
    assert done.returncode == ExitCode.OK, done.stderr


def test_a_run_directory_that_cannot_be_made(cli: Cli, tmp_path: Path, folder: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    done = cli("run", "typographic", "--data", str(folder), *SLOW, "--out", "taken/run")
    assert done.returncode != 0
    assert "taken" in the_error(done)
