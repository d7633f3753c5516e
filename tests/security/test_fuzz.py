"""Every format that is read here, damaged at random: something comes of it, or an error of one line.

CLIPAUDIT_FUZZ=5000 pytest tests/security/test_fuzz.py looks for more than the usual run does, at other places each
time; CLIPAUDIT_FUZZ_KEEP=FOLDER keeps what fails, to be put into `corpus` under the target's name.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from fuzzing import TARGETS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

CORPUS = Path(__file__).parent / "corpus"
MANY = int(os.environ.get("CLIPAUDIT_FUZZ", "0"))
KEEP = os.environ.get("CLIPAUDIT_FUZZ_KEEP")
SLOW = {"table": 3, "table-parquet": 3, "report": 3, "result": 6, "run-manifest": 6}  # examples of the usual run
USUAL = 12


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLIPAUDIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


@pytest.mark.parametrize("name", TARGETS)
def test_damaged_files(name: str, tmp_path: Path) -> None:
    target = TARGETS[name]

    @settings(
        max_examples=MANY or SLOW.get(name, USUAL), derandomize=not MANY, database=None, deadline=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(st.data())
    def damaged(data: st.DataObject) -> None:
        content = data.draw(target.contents())
        try:
            target.survives(content, tmp_path)
        except Exception:
            if KEEP:
                folder = Path(KEEP) / name
                folder.mkdir(parents=True, exist_ok=True)
                (folder / hashlib.sha256(content).hexdigest()[:12]).write_bytes(content)
            raise

    damaged()


@pytest.mark.parametrize("file", sorted(CORPUS.glob("*/*")), ids=lambda file: f"{file.parent.name}/{file.name}")
def test_what_was_found(file: Path, tmp_path: Path) -> None:
    TARGETS[file.parent.name].survives(file.read_bytes(), tmp_path)


@pytest.mark.parametrize("name", TARGETS)
def test_sound_files_are_read(name: str, tmp_path: Path) -> None:
    """Else the damage would prove nothing."""
    target = TARGETS[name]
    if name in ("spec", "card", "short-card", "open-clip", "ieat", "manifest"):
        pytest.skip("what it names is not there, which is said")
    for seed in target.seeds():
        path = tmp_path / target.name
        path.write_bytes(seed)
        assert target.read(path) is not None
