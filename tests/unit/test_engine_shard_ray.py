"""What the executor on Ray says where there is no Ray, no cluster, or workers that do not agree."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from clipaudit.api import Request, audit
from clipaudit.engine import environment
from clipaudit.engine.ray_executor import RayOptions, agree
from clipaudit.engine.ray_worker import Facts, mark
from clipaudit.errors import UsageError
from clipaudit.results import ModelInfo

ASKED = Request(suite="zero_shot", data=("digits",), model="control:null", limit=4, offline=True)
INFO = ModelInfo(spec="m", name="m", fingerprint="f" * 64, kind="python", capabilities=(), precision="float32")
FACTS = Facts(1, environment.versions(), INFO, ("a-1",), "same", {})


def said(error: pytest.ExceptionInfo[UsageError]) -> str:
    assert "\n" not in str(error.value)
    return str(error.value)


def test_without_ray(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UsageError) as caught:
        audit(ASKED, tmp_path, ray=RayOptions())
    assert "pip install 'clipaudit[ray]'" in said(caught)


@pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed (extra: ray)")
@pytest.mark.parametrize("address", ["127.0.0.1:1", "ray://127.0.0.1:1", "127.0.0.1:99999999"])
def test_without_a_cluster(address: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        audit(ASKED, tmp_path, ray=RayOptions(address))
    assert f"--address {address}: nothing answers there" in said(caught)


def test_workers_must_agree() -> None:
    agree([FACTS, FACTS])
    strangers = {
        "different models (float32 and bfloat16": replace(
            FACTS, info=INFO.model_copy(update={"fingerprint": "0" * 64, "precision": "bfloat16"})
        ),
        "different data or plug-ins": replace(FACTS, cells=("a-2",)),
        "a worker has numpy 0.0.1 (here": replace(FACTS, versions={**FACTS.versions, "numpy": "0.0.1"}),
    }
    for message, stranger in strangers.items():
        with pytest.raises(UsageError) as caught:
            agree([FACTS, stranger])
        assert message in said(caught)


def test_who_sees_one_folder_reads_one_mark(tmp_path: Path) -> None:
    assert mark(tmp_path / "a") == mark(tmp_path / "a") != mark(tmp_path / "b")
    (tmp_path / "file").touch()
    assert mark(tmp_path / "file") != mark(tmp_path / "file"), "where nothing can be written nobody shares"
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == [".mark"]
