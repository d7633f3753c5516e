"""Embeddings in shares: the caches of all shares together spare a run every forward pass."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from clipaudit.api import Request, audit, close, open_for, prepare
from clipaudit.cli import main
from clipaudit.cli.app import app
from clipaudit.engine.fill import fill
from clipaudit.engine.progress import Silent
from clipaudit.engine.shard import Shard
from clipaudit.errors import UsageError

AUDITS = ("typographic.objects", "zero_shot.objects")
ASKED = Request(suite="standard", model="py:slow_encoder:build", limit=12, offline=True, audits=AUDITS)


@pytest.fixture(autouse=True)
def encoder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "e2e"))
    monkeypatch.setenv("CLIPAUDIT_CACHE", str(tmp_path / "cache"))


def test_caches_of_all_shares_make_a_run_without_forward_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three machines with a cache each; then the folders are copied into one."""
    plain = audit(ASKED, tmp_path / "plain", report=False)
    needed = plain.manifest.forward_passes
    assert needed["images_computed"] > 20
    assert needed["texts_computed"] > 5
    computed = []
    for index in (1, 2, 3):
        monkeypatch.setenv("CLIPAUDIT_CACHE", str(tmp_path / f"machine-{index}"))
        plan, _ = prepare(ASKED)
        model = open_for(plan, ASKED, Silent())
        computed.append(fill(plan, model, Shard(index, 3)).computed)
        close(model)
        shutil.copytree(tmp_path / f"machine-{index}", tmp_path / "together", dirs_exist_ok=True)
    assert max(computed) - min(computed) <= 2, "shares are even"
    assert sum(computed) == needed["images_computed"] + needed["texts_computed"], "and none computes what another does"
    monkeypatch.setenv("CLIPAUDIT_CACHE", str(tmp_path / "together"))
    warm = audit(ASKED, tmp_path / "warm", report=False)
    assert warm.manifest.forward_passes["images_computed"] == 0
    assert warm.manifest.forward_passes["texts_computed"] == 0
    assert (tmp_path / "warm" / "result.json").read_bytes() == (tmp_path / "plain" / "result.json").read_bytes()


def test_the_command_fills_the_cache(tmp_path: Path) -> None:
    asked = ["embed", "standard", "--audit", "zero_shot.digits", "--limit", "5", "--model", "py:slow_encoder:build"]
    lines = [CliRunner().invoke(app, [*asked, "--shard", f"{i}/2"]).output.splitlines()[-1] for i in (1, 2, 1)]
    assert lines[0].startswith("shard 1/2: 3 images and 2 texts are in the cache")
    assert "(5 computed now)" in lines[0]
    assert lines[1].startswith("shard 2/2: 2 images and 2 texts are in the cache")
    assert "(0 computed now)" in lines[2]


@pytest.mark.parametrize("options", [[], ["--out", "x", "--shard", "1/2"], ["--shard", "1-2"]])
def test_what_makes_no_sense_is_one_line(
    options: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["embed", "demo", *options])
    assert stop.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_model_that_computes_nothing() -> None:
    asked = Request(suite="zero_shot", model="control:null?seed=1", limit=4, offline=True)
    plan, _ = prepare(asked)
    with pytest.raises(UsageError, match="computes no embeddings"):
        fill(plan, open_for(plan, asked, Silent()), Shard(1, 2))
