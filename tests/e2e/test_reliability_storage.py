"""Full disks and folders that cannot be written: one line, an exit code, nothing lost, and it goes on afterwards."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from forks import Forks
from small_runs import IMAGES, TEXTS, Small, kept, leftovers, the_error

Disk = Callable[..., Path]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """`disk("name", "size=64k")` mounts a small file system; again with other options changes them."""
    mounted: list[Path] = []

    def mount(name: str, options: str) -> Path:
        place = tmp_path / name
        place.mkdir(parents=True, exist_ok=True)
        how = f"remount,{options}" if place in mounted else options
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", how, "tmpfs", str(place)], capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            pytest.skip(f"mounting a small tmpfs is not permitted here ({done.stderr.strip()})")
        if place not in mounted:
            mounted.append(place)
        return place

    yield mount
    for place in mounted:
        subprocess.run(["umount", str(place)], check=True)


@pytest.fixture(scope="module")
def calm(forks: Forks, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What an undisturbed run finds."""
    small = Small(forks, tmp_path_factory.mktemp("calm"))
    assert small.run("--no-report")[0] == 0
    return kept(small.folder / "out")


@pytest.mark.parametrize(("size", "what"), [("60k", "cells"), ("84k", "result.json"), ("160k", "report")])
def test_a_full_disk_below_the_run(
    forks: Forks, disk: Disk, tmp_path: Path, calm: dict[str, bytes], size: str, what: str
) -> None:
    small = Small(forks, tmp_path)
    place = disk("small", f"size={size}")
    code, child = small.run(out="small/out")
    assert code == 3, child.said
    said = the_error(child)
    assert said.startswith("error: disk full while writing ")
    assert what in said
    assert said.endswith("free some space and give the same command again; finished cells are kept")
    assert leftovers(place / "out") == []
    before = sum(small.computed.values())
    disk("small", "size=8m")
    code, child = small.run(out="small/out")
    assert code == 0, child.said
    assert kept(place / "out") == calm
    assert sum(small.computed.values()) == IMAGES + TEXTS, "what was computed before is not computed again"
    assert before <= IMAGES + TEXTS


@pytest.mark.parametrize("size", ["4k", "16k"])
def test_a_full_disk_below_the_cache(
    forks: Forks, disk: Disk, tmp_path: Path, calm: dict[str, bytes], size: str
) -> None:
    small = Small(forks, tmp_path)
    disk("cache", f"size={size}")
    code, child = small.run("--no-report")
    assert code == 0, child.said
    assert kept(tmp_path / "out") == calm
    said = [line for line in child.said.splitlines() if "embedding cache" in line]
    assert len(said) == 1, child.said
    assert "cannot be written (No space left on device); new embeddings are kept in memory" in said[0]
    disk("cache", "size=8m")
    for out in ("second", "third"):
        code, child = small.run("--no-report", out=out)
        assert (code, "embedding cache" in child.said) == (0, False), child.said
        assert kept(tmp_path / out) == calm
    assert max(small.computed.values()) <= 2, "the third run computed nothing"


def test_a_full_disk_in_the_middle_of_an_attack(forks: Forks, disk: Disk, tmp_path: Path) -> None:
    small = Small(forks, tmp_path)
    suite = tmp_path / "attack.toml"
    suite.write_text(
        'id = "attack"\ntitle = "Attack"\n[[audits]]\nid = "adversarial"\ndata = "objects"\n'
        'params = { images = 16, classes = 6, steps = 3, targets = 3, queries = 20, parts = ["linf"], eps_linf = ["1/255"] }\n'
    )
    command = ("run", "attack.toml", "--model", "control:linear?dim=16&side=24", "--no-report", "--out")
    disk("small", "size=24k")
    child = small.call(*command, "small/out")
    assert child.wait() == 3, child.said
    assert the_error(child).startswith("error: disk full while writing small/out/")
    disk("small", "size=8m")
    for out in ("small/out", "calm"):
        child = small.call(*command, out)
        assert child.wait() == 0, child.said
    assert kept(tmp_path / "small" / "out") == kept(tmp_path / "calm")


def test_a_run_folder_that_cannot_be_written(forks: Forks, disk: Disk, tmp_path: Path) -> None:
    small = Small(forks, tmp_path)
    disk("fixed", "size=8m")
    disk("fixed", "ro")
    code, child = small.run(out="fixed/out")
    assert code == 3
    assert the_error(child) == "error: cannot write fixed/out: Read-only file system"
    assert not small.log.exists(), "it is said before anything is computed"


def test_a_finished_run_that_cannot_be_written_is_gated_and_compared(forks: Forks, disk: Disk, tmp_path: Path) -> None:
    small = Small(forks, tmp_path)
    disk("fixed", "size=8m")
    assert small.run(out="fixed/out")[0] == 0
    disk("fixed", "ro")
    (tmp_path / "gate.toml").write_text(
        'title = "P"\n[[rule]]\nid = "r"\naudit = "calibration"\nmetric = "ece"\nkind = "absolute"\nmax = 0.99\n'
    )
    child = small.call("gate", "fixed/out", "--policy", "gate.toml")
    assert child.wait() == 0, child.said + child.printed
    assert "PASS" in child.printed
    note = "note: cannot write fixed/out/gate.json: Read-only file system: neither gate.json nor the report say this"
    assert child.said.splitlines() == [note]
    assert small.call("compare", "fixed/out", "fixed/out").wait() == 0
    report = small.call("report", "fixed/out")
    assert report.wait() == 3
    assert "fixed/out/report.html: Read-only file system" in the_error(report)
    assert small.call("report", "fixed/out", "--out", "report.html").wait() == 0


def test_a_cache_that_cannot_be_written_is_read(
    forks: Forks, disk: Disk, tmp_path: Path, calm: dict[str, bytes]
) -> None:
    small = Small(forks, tmp_path)
    disk("cache", "size=8m")
    code, child = small.run("--no-report", "--audit", "calibration", out="first")
    assert code == 0, child.said
    disk("cache", "ro")
    code, child = small.run("--no-report", "--audit", "calibration", out="second")
    assert (code, "embedding cache" in child.said) == (0, False), child.said
    assert set(small.computed.values()) == {1}, "all of it was read"
    code, child = small.run("--no-report")
    assert code == 0, child.said
    assert kept(tmp_path / "out") == calm
    assert child.said.count("cannot be written (Read-only file system)") == 1
    assert set(small.computed.values()) == {1}, "only what the cache lacked was computed"
