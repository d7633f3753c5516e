"""Cells on a local Ray cluster of two workers: the same result as here, whoever dies; stopped cleanly."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed (extra: ray)")

ARGUMENTS = ["-m", "clipaudit", "run", "standard", "--model", "py:slow_encoder:build", "--limit", "24", "--no-report",
             "--audit", "typographic.objects", "--audit", "zero_shot.*", "--audit", "lexicon"]  # fmt: skip
ON_RAY = ["--executor", "ray", "--workers", "2"]


def start(out: Path, env: dict[str, str], *more: str) -> subprocess.Popen[bytes]:
    """Begin a run; what it says on stderr goes to a file beside `out`."""
    with out.with_suffix(".err").open("wb") as errors:
        return subprocess.Popen(
            [sys.executable, *ARGUMENTS, *more, "--out", str(out)], env=env,
            stdout=subprocess.DEVNULL, stderr=errors, start_new_session=True,
            preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),  # ignored where tests run in the background
        )  # fmt: skip


def finish(process: subprocess.Popen[bytes], out: Path) -> tuple[int, str]:
    """Exit code, and what it said on stderr."""
    return process.wait(timeout=300), out.with_suffix(".err").read_text()


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


def wait_until(happened: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 200
    while time.monotonic() < deadline and process.poll() is None:
        if happened():
            return
        time.sleep(0.02)
    process.kill()
    pytest.fail("the run ended or hung before what it was to be disturbed at")


def lines(log: Path) -> int:
    return len(log.read_text().splitlines()) if log.exists() else 0


def interrupt(process: subprocess.Popen[bytes], out: Path) -> None:
    """Ctrl-C as a terminal does it, to everybody: it stops cleanly and leaves no worker behind."""
    both = workers(process)
    assert len(both) == 2
    os.killpg(process.pid, signal.SIGINT)
    code, errors = finish(process, out)
    assert code == 130, errors
    assert "Traceback" not in errors
    assert "the same command goes on" in errors
    deadline = time.monotonic() + 30
    while any(Path(f"/proc/{pid}").exists() for pid in both) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(Path(f"/proc/{pid}").exists() for pid in both)


@pytest.mark.slow
def test_interrupted_and_with_killed_workers_it_loses_nothing(tmp_path: Path, environment: dict[str, str]) -> None:
    """Ctrl-C while it embeds; of the run that goes on, one worker is killed while it embeds, and both as the first cell
    is begun."""
    calm, out, slow = tmp_path / "calm", tmp_path / "out", environment | {"SLOW_SECONDS": "0.1"}
    code, errors = finish(start(calm, environment | {"CLIPAUDIT_CACHE": str(tmp_path / "other")}), calm)
    assert code == 0, errors
    process = start(out, slow | {"SLOW_LOG": str(tmp_path / "log-1")}, *ON_RAY)
    wait_until(lambda: lines(tmp_path / "log-1") >= 20, process)
    interrupt(process, out)

    process = start(out, slow | {"SLOW_LOG": str(tmp_path / "log-2")}, *ON_RAY)
    wait_until(lambda: lines(tmp_path / "log-2") >= 40, process)
    first = workers(process)
    os.kill(first[0], signal.SIGKILL)
    wait_until(lambda: "\nrun " in out.with_suffix(".err").read_text(), process)
    second = workers(process)
    assert set(second) != set(first), "the dead one was replaced"
    for worker in second:
        os.kill(worker, signal.SIGKILL)
    code, errors = finish(process, out)
    assert code == 0, errors
    assert errors.count("a worker died at") >= 2
    assert (out / "result.json").read_bytes() == (calm / "result.json").read_bytes()
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["hardware"]["workers"] == "2 on Ray"
    assert set(manifest["cell_seconds"]) == {path.name for path in (out / "cells").iterdir()}


def test_options_of_ray_alone(cli: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    done = cli("run", "demo", "--workers", "2")
    assert done.returncode == 2
    assert "--workers 2: means something with --executor ray only" in done.stderr
