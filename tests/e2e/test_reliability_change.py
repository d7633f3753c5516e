"""What changes under a run, or between two: data, packages, files edited by hand. It is said, and never mixed in."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import pytest
from forks import Child, Forks
from small_runs import IMAGES, TEXTS, Small, draw, is_stopped, kept, the_error

POLICY = """
title = "P"
[[rule]]
id = "r"
audit = "calibration"
metric = "ece"
kind = "change"
margin = 0.6
"""


@pytest.fixture
def small(forks: Forks, tmp_path: Path) -> Small:
    return Small(forks, tmp_path)


def fresh(small: Small) -> dict[str, bytes]:
    """What a run finds that begins now."""
    code, child = small.run("--no-report", out="fresh")
    assert code == 0, child.said
    return kept(small.folder / "fresh")


# --- data -----------------------------------------------------------------------------------------------------


def replaced(path: Path) -> None:
    """Another picture of the same size on disk, with the old one's time."""
    times = os.stat(path)
    draw(path, 999)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


@pytest.mark.parametrize(
    ("change", "said"),
    [(replaced, "the file has changed since the data set was opened"), (Path.unlink, "no such file")],
    ids=["replaced", "removed"],
)  # fmt: skip
def test_a_file_that_changes_between_planning_and_reading(small: Small, change: object, said: str) -> None:
    child = small.start("--no-report", at="/.manifest.json", signal=signal.SIGSTOP)
    _wait_until_stopped(child)
    assert callable(change)
    change(small.folder / "shapes" / "round" / "07.png")
    child.signal(signal.SIGCONT)
    assert child.wait() == 3, child.said
    assert "1 of 40 items could not be read" in child.printed
    assert said in " ".join(child.printed.split())
    code, again = small.run("--no-report")
    assert code == 0, again.said
    assert "note: data set shapes has changed since this run was begun; its cells are run again" in again.said
    assert kept(small.folder / "out") == fresh(small)


def test_data_that_change_between_kill_and_resume(small: Small) -> None:
    code, _ = small.run("--no-report", at="/.partial-prompts")
    assert code == -signal.SIGKILL
    assert len(list((small.folder / "out" / "cells").glob("calibration*"))) == 1
    replaced(small.folder / "shapes" / "square" / "02.png")
    code, child = small.run("--no-report")
    assert code == 0, child.said
    assert child.said.count("note: data set shapes has changed since this run was begun") == 1
    found = kept(small.folder / "out")
    computed = sum(small.computed.values())
    assert found == fresh(small)
    assert computed == sum(small.computed.values()) == IMAGES + TEXTS + 1, "only the new picture was computed"
    digests = {cell["data"]["digest"] for cell in json.loads(found["result.json"])["cells"]}
    assert len(digests) == 1


def test_a_table_that_is_replaced_and_keeps_its_time_is_read_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from clipaudit.data.sources_table import read_table

    monkeypatch.setenv("CLIPAUDIT_CACHE", str(tmp_path / "cache"))
    table = tmp_path / "table.csv"
    for label in ("old", "new"):
        table.write_text(f"item,label\na,{label}\n")
        os.utime(table, (1e9, 1e9))
        assert read_table(table)["label"][:] == [label]


# --- packages -------------------------------------------------------------------------------------------------


def upgraded(folder: Path) -> list[str]:
    """Where to import from to find pillow 99.0 installed."""
    info = folder / "site" / "pillow-99.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: pillow\nVersion: 99.0\n")
    return [str(folder / "site")]


def test_an_upgrade_between_baseline_and_run_is_said(small: Small) -> None:
    from importlib.metadata import version

    assert small.run(out="base")[0] == 0
    before = sum(small.computed.values())
    path = upgraded(small.folder)
    assert small.run(out="new", path=path)[0] == 0
    assert sum(small.computed.values()) == 2 * before, "what pillow decoded is not what another pillow decodes"
    (small.folder / "gate.toml").write_text(POLICY)
    gate = small.call("gate", "new", "--policy", "gate.toml", "--baseline", "base", "--markdown", "gate.md")
    assert gate.wait() == 0, gate.said + gate.printed
    said = f"base was made with pillow {version('pillow')} (now 99.0): part of a change may be theirs, not the model's"
    assert f"note: {said}" in gate.printed
    assert json.loads((small.folder / "new" / "gate.json").read_text())["notes"] == [said]
    assert "pillow" in (small.folder / "gate.md").read_text()
    assert f"pillow {version('pillow')} (now 99.0)" in (small.folder / "new" / "report.html").read_text()
    compare = small.call("compare", "base", "new")
    assert compare.wait() == 0, compare.said
    assert f"note: {said}" in compare.printed


def test_an_upgrade_between_kill_and_resume_is_said(small: Small) -> None:
    from importlib.metadata import version

    assert small.run(at="/.partial-prompts")[0] == -signal.SIGKILL
    code, child = small.run(path=upgraded(small.folder))
    assert code == 0, child.said
    was = f"pillow {version('pillow')}"
    assert (
        f"note: this run was begun with {was} (now 99.0); finished cells are kept as they were measured" in child.said
    )
    manifest = json.loads((small.folder / "out" / "manifest.json").read_text())
    ((name, versions),) = manifest["cell_versions"].items()
    assert name.startswith("calibration.shapes-")
    assert versions == {"pillow": version("pillow")}
    assert "Measured with other versions" in (small.folder / "out" / "report.html").read_text()
    (small.folder / "gate.toml").write_text(POLICY.replace('"change"\nmargin = 0.6', '"absolute"\nmax = 0.99'))
    gate = small.call("gate", "out", "--policy", "gate.toml")
    assert gate.wait() == 0, gate.said
    assert f"note: out: {name} was measured with {was} (now 99.0)" in gate.printed


# --- edited by hand -------------------------------------------------------------------------------------------


def edit_rows(out: Path) -> str:
    """Another prediction in one row, of which no estimate is made."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    (path,) = out.glob("cells/calibration*/rows.parquet")
    rows = pq.read_table(path)
    items = [f"{item}x" for item in rows.column("item").to_pylist()]
    pq.write_table(rows.set_column(rows.schema.get_field_index("item"), "item", pa.array(items)), path)
    return "rows.parquet is not as the run wrote it (its checksum differs)"


def edit_rows_and_seal(out: Path) -> str:
    """The checksums beside them as well: the manifest still knows."""
    from clipaudit.engine.seal import seal

    said = edit_rows(out)
    seal(next(out.glob("cells/calibration*")))
    return said


def damage_rows(out: Path) -> str:
    (path,) = out.glob("cells/calibration*/rows.parquet")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    return "rows.parquet is not as the run wrote it (its checksum differs)"


def remove_seal(out: Path) -> str:
    next(out.glob("cells/calibration*/SHA256SUMS")).unlink()
    return "SHA256SUMS is missing or damaged"


@pytest.mark.parametrize("fault", [edit_rows, edit_rows_and_seal, damage_rows, remove_seal])
def test_rows_that_are_not_as_they_were_written(small: Small, fault: object) -> None:
    assert small.run("--no-report")[0] == 0
    before = kept(small.folder / "out")
    assert callable(fault)
    said = fault(small.folder / "out")
    (small.folder / "gate.toml").write_text(POLICY.replace('"change"\nmargin = 0.6', '"absolute"\nmax = 0.99'))
    gate = small.call("gate", "out", "--policy", "gate.toml")
    assert gate.wait() == 2, gate.said + gate.printed
    assert gate.printed.count(said) == 1
    for command in (
        ("compare", "out", "out"),
        ("rescore", "out"),
        ("report", "out"),
        ("export", "out", "findings", "-o", "f.csv"),
    ):
        child = small.call(*command)
        assert child.wait() == 2, (command, child.said)
        line = the_error(child)
        assert said in line, command
        assert "give the same clipaudit run command again" in line
    computed = sum(small.computed.values())
    code, again = small.run("--no-report")
    assert code == 0, again.said
    assert again.said.count(f"{said}; this cell is run again") == 1
    assert kept(small.folder / "out") == before
    assert sum(small.computed.values()) == computed
    assert small.call("compare", "out", "out").wait() == 0


def test_a_result_that_leaves_out_a_cell_is_not_rescored_into_a_sound_one(small: Small) -> None:
    assert small.run("--no-report")[0] == 0
    path = small.folder / "out" / "result.json"
    result = json.loads(path.read_text())
    path.write_text(json.dumps(result | {"cells": result["cells"][1:]}))
    report = small.call("report", "out")
    assert report.wait() == 2
    assert "result.json was changed after the run wrote it" in the_error(report)
    rescore = small.call("rescore", "out")
    assert rescore.wait() == 2
    assert "it leaves out calibration.shapes-" in the_error(rescore)


def test_a_result_with_another_value_is_mended_by_rescoring(small: Small) -> None:
    assert small.run("--no-report")[0] == 0
    before = kept(small.folder / "out")
    path = small.folder / "out" / "result.json"
    path.write_text(path.read_text().replace('"seed": 0', '"seed": 0 ', 1).replace('"rows": 40', '"rows": 41', 1))
    assert small.call("report", "out").wait() == 2
    rescore = small.call("rescore", "out")
    assert rescore.wait() == 0, rescore.said
    assert kept(small.folder / "out") == before
    assert small.call("report", "out").wait() == 0


def _wait_until_stopped(child: Child) -> None:
    deadline = time.monotonic() + 60
    while not is_stopped(child.pid):
        assert time.monotonic() < deadline, child.said
        time.sleep(0.005)
