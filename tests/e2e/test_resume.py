"""A demo run, killed twice while it computes, goes on where it was; test_reliability_kill.py has all other moments."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections import Counter
from functools import partial
from pathlib import Path

import pytest

from clipaudit.embedding.cache import FLUSH_SECONDS
from clipaudit.embedding.live import IMAGE_BATCH

ARGUMENTS = ["-m", "clipaudit", "run", "demo", "--model", "py:slow_encoder:build", "--audit", "typographic.objects",
             "--audit", "cue_conflict.objects", "--audit", "association", "--no-report"]  # fmt: skip


def start(out: Path, env: dict[str, str], log: Path, seconds: float) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, *ARGUMENTS, "--out", str(out)], env=env | {"SLOW_LOG": str(log), "SLOW_SECONDS": str(seconds)},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),  # ignored where the tests run in the background
    )  # fmt: skip


def finish(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Exit code, and what it said on stderr."""
    _, errors = process.communicate(timeout=300)
    return process.returncode, errors


def wait_for_lines(log: Path, count: int, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        if log.exists() and len(log.read_text().splitlines()) >= count:
            return
        time.sleep(0.02)
    pytest.fail(f"the run ended or hung before {count} items: {process.communicate()}")


def test_killed_and_resumed_equals_undisturbed(tmp_path: Path, environment: dict[str, str]) -> None:
    plain = environment | {"CLIPAUDIT_CACHE": str(tmp_path / "cache-a")}
    calm = start(tmp_path / "calm", plain, tmp_path / "calm.log", 0)
    assert finish(calm)[0] == 0
    asked = (tmp_path / "calm.log").read_text().splitlines()
    assert max(Counter(asked).values()) == 1, "an undisturbed run computes nothing twice"

    log, out = tmp_path / "killed.log", tmp_path / "killed"
    for lines in (len(asked) // 2, 3 * len(asked) // 4):
        process = start(out, environment, log, 0.2)
        wait_for_lines(log, lines, process)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert not (out / "result.json").exists()
    code, errors = finish(start(out, environment, log, 0))
    assert code == 0, errors
    assert (out / "result.json").read_bytes() == (tmp_path / "calm" / "result.json").read_bytes()
    # Only what was in flight, or younger than the last flush, at the two kills may have been computed again.
    computed = Counter(log.read_text().splitlines())
    assert set(computed) == set(asked)
    may_be_lost = 2 * (FLUSH_SECONDS / 0.2 + 1) * IMAGE_BATCH
    assert sum(count - 1 for count in computed.values()) <= may_be_lost
    passes = json.loads((out / "manifest.json").read_text())["forward_passes"]
    assert passes["images_computed"] + passes["texts_computed"] < len(asked) / 2
