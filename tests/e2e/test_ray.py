"""Cells on a local Ray cluster of two workers: the same result as here, whoever dies; stopped cleanly."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed (extra: ray)")

ARGUMENTS = ["-m", "clipaudit", "run", "standard", "--model", "py:slow_encoder:build", "--limit", "24", "--no-report",
             "--audit", "typographic.objects", "--audit", "zero_shot.*", "--audit", "lexicon"]  # fmt: skip
ON_RAY = ["--executor", "ray", "--workers", "2"]


def start(out: Path, env: dict[str, str], *more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, *ARGUMENTS, *more, "--out", str(out)], env=env, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),  # ignored where the tests run in the background
    )  # fmt: skip


def finish(process: subprocess.Popen[str]) -> tuple[int, str]:
    _, errors = process.communicate(timeout=300)
    return process.returncode, errors


def workers(process: subprocess.Popen[str]) -> list[int]:
    """Ids of the worker processes below `process`."""
    found, parents = [], {process.pid}
    for _ in range(2):  # the run starts Ray's daemon, that starts the workers
        below = set()
        for entry in Path("/proc").iterdir():
            try:
                stat = (entry / "stat").read_text() if entry.name.isdigit() else ""
                words = (entry / "cmdline").read_bytes() if stat else b""
            except OSError:
                continue
            if stat and int(stat.rpartition(")")[2].split()[1]) in parents:
                below.add(int(entry.name))
                if words.startswith(b"ray::RayWorker"):
                    found.append(int(entry.name))
        parents = below
    return sorted(found)


def wait_for_lines(log: Path, count: int, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        if log.exists() and len(log.read_text().splitlines()) >= count:
            return
        time.sleep(0.02)
    process.kill()
    pytest.fail(f"the run ended or hung before {count} items: {process.communicate()}")


@pytest.fixture
def here(tmp_path: Path, environment: dict[str, str]) -> bytes:
    """What one process finds, with a cache of its own."""
    code, errors = finish(start(tmp_path / "here", environment | {"CLIPAUDIT_CACHE": str(tmp_path / "other")}))
    assert code == 0, errors
    return (tmp_path / "here" / "result.json").read_bytes()


@pytest.mark.slow
def test_a_killed_worker_loses_nothing(tmp_path: Path, environment: dict[str, str], here: bytes) -> None:
    log, out = tmp_path / "log", tmp_path / "out"
    process = start(out, environment | {"SLOW_LOG": str(log), "SLOW_SECONDS": "0.1"}, *ON_RAY)
    wait_for_lines(log, 40, process)
    both = workers(process)
    assert len(both) == 2
    os.kill(both[0], signal.SIGKILL)
    code, errors = finish(process)
    assert code == 0, errors
    assert "a worker died while it ran" in errors
    assert (out / "result.json").read_bytes() == here
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["hardware"]["workers"] == "2 on Ray"
    assert manifest["forward_passes"]["images_computed"] > 0
    assert set(manifest["cell_seconds"]) == {path.name for path in (out / "cells").iterdir()}
    assert not list((out / "scratch").glob("*")) if (out / "scratch").exists() else True


@pytest.mark.slow
def test_interrupted_is_clean_and_resumed_here(tmp_path: Path, environment: dict[str, str], here: bytes) -> None:
    log, out = tmp_path / "log", tmp_path / "out"
    process = start(out, environment | {"SLOW_LOG": str(log), "SLOW_SECONDS": "0.1"}, *ON_RAY)
    wait_for_lines(log, 40, process)
    both = workers(process)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does it: to everybody
    code, errors = finish(process)
    assert code == 130, errors
    assert "Traceback" not in errors
    assert "the same command goes on" in errors
    deadline = time.monotonic() + 20
    while any(Path(f"/proc/{pid}").exists() for pid in both) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(Path(f"/proc/{pid}").exists() for pid in both), "no worker is left behind"
    code, errors = finish(start(out, environment))
    assert code == 0, errors
    assert (out / "result.json").read_bytes() == here
