"""An attack that is killed goes on where it was: what was finished is kept, and the result is the same."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

SUITE = """
id = "attack"
title = "Attack"
[[audits]]
id = "adversarial"
data = "objects"
params = { images = 48, classes = 6, steps = 30, targets = 3, queries = 120, parts = ["linf"], eps_linf = ["1/255"] }
"""
MODEL = "control:linear?dim=16&side=24"


def start(suite: Path, out: Path, env: dict[str, str]) -> subprocess.Popen[str]:
    arguments = ["-m", "clipaudit", "run", str(suite), "--model", MODEL, "--no-report", "--out", str(out)]
    return subprocess.Popen(
        [sys.executable, *arguments], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def finished_pieces(out: Path) -> list[Path]:
    return sorted(out.glob("scratch/*/linf-*.parquet"))


def wait_for_a_piece(out: Path, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline and process.poll() is None:
        if finished_pieces(out):
            return
        time.sleep(0.005)
    pytest.fail(f"the run ended or hung before a piece was finished: {process.communicate()}")


def test_an_attack_killed_in_the_middle_is_resumed(tmp_path: Path, environment: dict[str, str]) -> None:
    suite, out, calm = tmp_path / "attack.toml", tmp_path / "killed", tmp_path / "calm"
    suite.write_text(SUITE)
    process = start(suite, out, environment)
    wait_for_a_piece(out, process)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not (out / "result.json").exists()
    assert 1 <= len(finished_pieces(out)) < 3, "three pieces of sixteen images: it was in the middle"
    for folder in (out, calm):
        run = start(suite, folder, environment)
        _, errors = run.communicate(timeout=300)
        assert run.returncode == 0, errors
    assert (out / "result.json").read_bytes() == (calm / "result.json").read_bytes()
    assert not finished_pieces(out), "scratch is cleared once the cell is complete"
