"""Killed, told to stop, or started twice: nothing is lost, nothing is computed twice, and the result is the same."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import pytest
from forks import Child, Forks
from small_runs import IMAGES, TEXTS, Small, is_stopped, kept, leftovers, the_error

from clipaudit.embedding.live import IMAGE_BATCH

KILLS = 20


@pytest.fixture(scope="module")
def calm(forks: Forks, tmp_path_factory: pytest.TempPathFactory) -> tuple[Small, list[str]]:
    """An undisturbed run, and its moments."""
    small = Small(forks, tmp_path_factory.mktemp("calm"))
    code, child = small.run()
    assert code == 0, child.said
    assert set(small.computed.values()) == {1}
    assert len(small.computed) == IMAGES + TEXTS
    return small, child.moments


def test_a_run_has_the_moments_that_the_kills_are_drawn_from(calm: tuple[Small, list[str]]) -> None:
    _, moments = calm
    for part in (".lock", "manifest.json", "computed.log", "/image/", "/text", "thumbs/", "cell.json", "SHA256SUMS",
                 "os.rename /out/cells/.partial-", "/.result.json", "/.report.html"):  # fmt: skip
        assert any(part in moment for moment in moments), part
    assert len(moments) > 3 * KILLS


@pytest.mark.parametrize("number", range(KILLS))
def test_killed_at_a_random_moment_and_resumed(
    calm: tuple[Small, list[str]], forks: Forks, tmp_path: Path, number: int
) -> None:
    undisturbed, moments = calm
    width = len(moments) / KILLS
    at = int((number + random.Random(number).random()) * width)  # one in each twentieth of the run
    small = Small(forks, tmp_path)
    code, killed = small.run(at=at)
    assert code == -signal.SIGKILL, (moments[at], killed.said)
    for temporary in tmp_path.glob("out/.*.tmp"):
        os.utime(temporary, (0, 0))  # what may belong to a living writer is removed when it is old
    reported = ".report." in moments[at]
    code, child = small.run(*(() if reported else ("--no-report",)))
    assert code == 0, (moments[at], child.said)
    assert kept(tmp_path / "out") == kept(undisturbed.folder / "out"), moments[at]
    assert leftovers(tmp_path / "out") == []
    assert (tmp_path / "out" / "report.html").is_file() == reported
    assert set(small.computed) == set(undisturbed.computed)
    assert sum(small.computed.values()) - IMAGES - TEXTS <= IMAGE_BATCH, "no more than the batch that was interrupted"


def test_killed_while_a_cell_is_rescored_keeps_its_rows(forks: Forks, tmp_path: Path) -> None:
    small = Small(forks, tmp_path)
    assert small.run()[0] == 0
    before = kept(tmp_path / "out")
    calm = small.call("rescore", "out")
    assert calm.wait() == 0, calm.said
    assert kept(tmp_path / "out") == before
    renames = [i for i, moment in enumerate(calm.moments) if moment.startswith("os.rename /out/cells/")]
    assert len(renames) == 4, "aside and into place, for each of two cells"
    for at in renames[:2]:
        assert small.call("rescore", "out", at=at).wait() == -signal.SIGKILL
        again = small.call("rescore", "out")
        assert again.wait() == 0, again.said
        assert kept(tmp_path / "out") == before
    assert leftovers(tmp_path / "out") == []


# --- two at once ----------------------------------------------------------------------------------------------


def stopped(child: Child) -> Child:
    """Wait until it has stopped itself."""
    deadline = time.monotonic() + 60
    while not is_stopped(child.pid):
        assert time.monotonic() < deadline, child.said
        time.sleep(0.005)
    return child


def test_a_second_run_on_a_directory_is_refused_and_a_kill_frees_it(forks: Forks, tmp_path: Path) -> None:
    small = Small(forks, tmp_path)
    first = stopped(small.start(at="/computed.log", signal=signal.SIGSTOP))
    code, second = small.run()
    assert code == 2
    assert the_error(second) == "error: out: another run is writing here; wait for it or choose another --out"
    assert small.call("rescore", "out").wait() == 2
    first.signal(signal.SIGKILL)
    first.wait()
    code, third = small.run("--no-report")
    assert code == 0, third.said


def test_two_runs_at_once_on_one_cache(calm: tuple[Small, list[str]], forks: Forks, tmp_path: Path) -> None:
    small = Small(forks, tmp_path)
    slow = {"SLOW_SECONDS": "0.05"}
    both = [small.start("--no-report", out=out, env=slow) for out in ("one", "two")]
    assert [child.wait() for child in both] == [0, 0], [child.said for child in both]
    expected = kept(calm[0].folder / "out")
    assert kept(tmp_path / "one") == kept(tmp_path / "two") == expected
    before = sum(small.computed.values())
    code, third = small.run("--no-report", out="three")
    assert (code, third.said.count("damaged")) == (0, 0)
    assert kept(tmp_path / "three") == expected
    assert sum(small.computed.values()) == before, "nothing was lost"
    for modality, count in (("image", IMAGES), ("text-with-length", TEXTS)):
        held = digests(tmp_path / "cache", modality)
        assert len(held) == len(set(held)) == count, "each is there once"


def digests(cache: Path, modality: str) -> list[bytes]:
    """What all shards of the only model hold, after checking them."""
    from clipaudit.embedding.shards import open_shard

    found: list[bytes] = []
    for path in cache.glob(f"embeddings/*/{modality}/*.safetensors"):
        shard = open_shard(path)
        shard.vectors(verify=True)
        found += shard.digests.tolist()
    return found


# --- told to stop ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "at"),
    [(signal.SIGINT, "/computed.log"), (signal.SIGHUP, "/computed.log"), (signal.SIGTERM, "/computed.log"),
     (signal.SIGTERM, "/.partial-prompts"), (signal.SIGTERM, "/.result.json"), (signal.SIGTERM, "report.html.j2")],
    ids=["computing-INT", "computing-HUP", "computing", "storing", "result", "report"],
)  # fmt: skip
def test_told_to_stop(
    calm: tuple[Small, list[str]], forks: Forks, tmp_path: Path, at: str, number: signal.Signals
) -> None:
    small = Small(forks, tmp_path)
    code, child = small.run(at=at, signal=number)
    assert code == 130, child.said
    assert "Traceback" not in child.said
    command = "clipaudit run small.toml --model py:slow_encoder:build --data shapes --out out"
    assert child.said.splitlines()[-1] == (
        f"interrupted: finished cells are kept, the same command goes on from here: {command}"
    )
    code, again = small.run("--no-report")
    assert code == 0, again.said
    assert kept(tmp_path / "out") == kept(calm[0].folder / "out")
    assert set(small.computed.values()) == {1}, "what was computed was written before it stopped"
    assert leftovers(tmp_path / "out") == []


def test_told_to_stop_by_whoever_ignores_it_goes_on(forks: Forks, tmp_path: Path) -> None:
    small = Small(forks, tmp_path)
    code, child = small.run("--no-report", at="/computed.log", signal=signal.SIGHUP, ignored=[signal.SIGHUP])  # nohup
    assert code == 0, child.said


ATTACK = """
id = "attack"
title = "Attack"
[[audits]]
id = "adversarial"
data = "objects"
params = { images = 48, classes = 6, steps = 3, targets = 3, queries = 20, parts = ["linf"], eps_linf = ["1/255"] }
"""


def test_told_to_stop_during_an_attack(forks: Forks, tmp_path: Path) -> None:
    small = Small(forks, tmp_path)
    (tmp_path / "attack.toml").write_text(ATTACK)
    command = ("run", "attack.toml", "--model", "control:linear?dim=16&side=24", "--no-report", "--out")
    stop = small.call(*command, "out", at="/linf-00001.part", signal=15)
    assert stop.wait() == 130, stop.said
    assert len(list(tmp_path.glob("out/scratch/*/*.parquet"))) >= 1, "the piece that was finished is kept"
    for out in ("out", "calm"):
        child = small.call(*command, out)
        assert child.wait() == 0, child.said
    assert kept(tmp_path / "out") == kept(tmp_path / "calm")
    assert leftovers(tmp_path / "out") == []
