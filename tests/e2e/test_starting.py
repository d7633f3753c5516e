"""`init`: the files that it writes run, are gated on, and say how to go on."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

Cli = Callable[..., "subprocess.CompletedProcess[str]"]

AUDITS = [part for audit in ("zero_shot", "calibration", "typographic", "denigration") for part in ("--audit", audit)]


def test_run_and_gate_work_on_what_init_writes(cli: Cli, tmp_path: Path) -> None:
    assert cli("init").returncode == 0
    lost = cli("run", "audit/suite.toml", *AUDITS, "-m", "control:null", "--out", "lost", "-q")
    assert lost.returncode == 0, lost.stderr
    gate = cli("gate", "lost", "--policy", "audit/gate.toml", "--json", "lost.json")
    assert gate.returncode == 1, gate.stderr
    states = {rule["id"]: rule["state"] for rule in json.loads((tmp_path / "lost.json").read_text())["rules"]}
    assert states["names-things"] == "FAIL"  # 1 in 20 by chance, where 30 % are asked


def test_the_rule_of_change_can_be_taken_into_use(cli: Cli, tmp_path: Path) -> None:
    cli("init")
    policy = tmp_path / "audit" / "gate.toml"
    _, rule, waiver = policy.read_text().partition('# [[rule]]\n# id = "names-things-as-before"\n')
    more = waiver.partition("\n\n")[0]
    change = "\n".join(line.removeprefix("# ") for line in (rule + more).splitlines())
    policy.write_text(change + "\n")
    for name, model in (("old", "control:classifier?accuracy=0.9"), ("new", "control:classifier?accuracy=0.5")):
        cli("run", "audit/suite.toml", "--audit", "zero_shot", "-m", model, "--out", name, "-q")
    worse = cli("gate", "new", "--policy", "audit/gate.toml", "--baseline", "old")
    assert worse.returncode == 1, worse.stdout
    assert cli("gate", "old", "--policy", "audit/gate.toml", "--baseline", "old").returncode == 0


def test_nothing_of_the_users_is_overwritten(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "audit").mkdir()
    (tmp_path / "audit" / "gate.toml").write_text("mine")
    done = cli("init")
    assert done.returncode == 2
    assert "audit/gate.toml exists already" in done.stderr
    assert [path.name for path in (tmp_path / "audit").iterdir()] == ["gate.toml"]


def test_the_card_waits_for_images_and_says_so(cli: Cli, tmp_path: Path) -> None:
    cli("init")
    done = cli("run", "zero_shot", "--data", "audit/photos", "-m", "control:null", "-q")
    assert done.returncode == 3
    assert "audit/photos" in done.stdout
