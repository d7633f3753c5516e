"""Follow a written page word by word: its files are written, its commands run, what it shows must come out.

A block whose language is console holds commands ("$ ...", "# exit code N" where it is not 0) and lines that must be
printed. Every other block is a file, named by the second word of its first fence line or by a comment in its first line
("# gate.toml"; "to be added to" one says which file it is appended to); blocks without a name only show a form.
"""

from __future__ import annotations

import re
import runpy
import shlex
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from clipaudit import plugins
from clipaudit.cli import main

Call = Callable[[list[str], pytest.CaptureFixture[str]], tuple[int, str]]

_FENCE = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_NAMED = re.compile(r"# ([\w./-]+\.\w+)(?:$|:|, to be added to ([\w./-]+))")


@dataclass(frozen=True)
class Block:
    """One fenced block. file: where its text belongs; "" for commands and for forms that are only shown."""

    language: str
    file: str
    text: str


def blocks(text: str) -> list[Block]:
    """The fenced blocks of a page, in order."""
    found = []
    for language, name, body in _FENCE.findall(text):
        comment = _NAMED.match(body.partition("\n")[0])
        told = (comment[2] or comment[1]) if comment else ""
        found.append(Block(language, "" if language == "console" else name or told, body))
    return found


def commands(block: Block) -> list[tuple[str, list[str]]]:
    """The commands of a console block, each with the lines that it must print."""
    found: list[tuple[str, list[str]]] = []
    for line in block.text.splitlines():
        if line.startswith("$ "):
            found.append((line.removeprefix("$ "), []))
        elif line.strip():
            found[-1][1].append(" ".join(line.split()))
    return found


def words(command: str) -> list[str]:
    """The words of a command without its comment."""
    return shlex.split(command, comments=True)


def follow(text: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> int:
    """Follow a page in `folder`, which is the working directory; how many commands it has."""
    count = 0
    for block in blocks(text):
        if block.file:
            path = folder / block.file
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("a", encoding="utf-8") as file:
                file.write(block.text)
        if block.language != "console":
            continue
        for command, shown in commands(block):
            code, said = run(words(command), folder, capsys)
            asked = re.search(r"# exit code (\d+)", command)
            assert code == (int(asked[1]) if asked else 0), f"{command}\n{said}"
            for line in shown:
                assert line in said, f"{command} does not print: {line}\n{said}"
            count += 1
    return count


def run(command: list[str], folder: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Exit code and output, its white space made one, of a command that is run in this process where that is possible."""
    if command[0] == "export":  # PYTHONPATH=.: the folder is on the path of this process already
        return 0, ""
    if command[:2] == ["pip", "install"]:
        return _installed(folder)
    if command[:3] == ["python", "-m", "pytest"]:
        return 0, f"{_tested(folder)} passed"
    capsys.readouterr()
    if command[0] == "python":
        runpy.run_path(str(folder / command[1]), run_name="__main__")
        code = 0
    else:
        assert command[0] == "clipaudit", command
        with pytest.raises(SystemExit) as stopped:
            main(command[1:])
        code = int(stopped.value.code or 0)
    printed = capsys.readouterr()
    return code, " ".join((printed.out + printed.err).split())


def _installed(folder: Path) -> tuple[int, str]:
    """As pip installs the package in `folder`, without any network, into `folder`/site."""
    offline = ["--no-index", "--no-deps", "--no-build-isolation", "--disable-pip-version-check", "--quiet"]
    found = _process([sys.executable, "-m", "pip", "install", *offline, "--target", "site", "."], folder)
    sys.path.insert(0, str(folder / "site"))
    plugins.names.cache_clear()
    return found


def _tested(folder: Path) -> int:
    """Call the plain test functions of `folder`; how many there are."""
    found = [
        test
        for path in sorted(folder.glob("test_*.py"))
        for name, test in runpy.run_path(str(path)).items()
        if name.startswith("test_")
    ]
    for test in found:
        test()
    return len(found)


def _process(command: list[str], folder: Path) -> tuple[int, str]:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode, " ".join((done.stdout + done.stderr).split())
