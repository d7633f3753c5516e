"""The command line as a user has it: a subprocess with a cache and a working directory of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from forks import Forks

HERE = Path(__file__).parent
Cli = Callable[..., "subprocess.CompletedProcess[str]"]


def _clean() -> dict[str, str]:
    """Environment of a clean user: no hub, no colours, nothing set for clipaudit."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("CLIPAUDIT", "HF_", "PYTEST"))}
    paths = [str(HERE), *filter(None, [kept.get("PYTHONPATH")])]
    return kept | {
        "HF_HUB_OFFLINE": "1", "NO_COLOR": "1", "COLUMNS": "140", "OMP_NUM_THREADS": "1",
        "PYTHONPATH": os.pathsep.join(paths),
    }  # fmt: skip


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Environment of a clean user with a cache of its own."""
    return _clean() | {"CLIPAUDIT_CACHE": str(tmp_path / "cache")}


@pytest.fixture(scope="session")
def forks() -> Iterator[Forks]:
    """Commands that start at once: forked from a process that has imported everything."""
    server = Forks(_clean())
    yield server
    server.close()


@pytest.fixture
def cli(tmp_path: Path, environment: dict[str, str]) -> Cli:
    """`cli("run", "demo", ..., env={...})` runs the command and returns what it printed and its exit code."""

    def call(*arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "clipaudit", *arguments], cwd=tmp_path, env=environment | (env or {}),
            capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip

    return call


def the_error(done: subprocess.CompletedProcess[str]) -> str:
    """The single line that an expected error prints; fails on a traceback or on more than one line."""
    assert "Traceback" not in done.stderr, done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith(("error: ", "internal error: "))]
    assert len(lines) == 1, done.stderr
    return lines[0]
