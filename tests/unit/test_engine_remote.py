"""A run behind a URL: what lies there is a run directory like any other, and resumes."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import fsspec
import pytest

from clipaudit.api import Request, audit
from clipaudit.engine.remote import Mirror, mirrored
from clipaudit.engine.shard import Shard
from clipaudit.errors import StorageError, UsageError
from clipaudit.gate.trust import sound
from clipaudit.results import CellStatus

ASKED = Request(
    suite="standard", model="control:null?seed=1", limit=8, offline=True, audits=("lexicon", "typographic.objects")
)


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return audit(ASKED, tmp_path_factory.mktemp("local")).path


@pytest.fixture(params=["file", "memory"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "file":
        yield (tmp_path / "elsewhere").as_uri()
        return
    place = f"memory://{uuid.uuid4().hex}/run"
    yield place
    fsspec.filesystem("memory").rm(place, recursive=True)


def fetched(url: str, target: Path) -> Path:
    files, root = fsspec.core.url_to_fs(url)
    files.get(f"{root}/", str(target), recursive=True)
    return target


def test_what_lies_there_is_the_run(local: Path, url: str, tmp_path: Path) -> None:
    outcome = audit(ASKED, url)
    assert outcome.shown == f"{url}/report.html"
    assert not outcome.path.exists(), "the local copy is gone"
    here = fetched(url, tmp_path / "fetched")
    assert (here / "result.json").read_bytes() == (local / "result.json").read_bytes()
    assert sound(here).result == outcome.result, "sealed, and with the digests of its manifest"
    assert (here / "report.html").is_file()
    assert not list(here.rglob(".*")), "neither lock nor leftovers"


def test_it_resumes(url: str) -> None:
    first, again = audit(ASKED, url), audit(ASKED, url)
    assert len(first.manifest.cell_seconds) == 2
    assert again.manifest.cell_seconds == {}
    assert again.result == first.result
    with pytest.raises(UsageError, match="holds a run with another seed"):
        audit(replace(ASKED, seed=1), url)
    with pytest.raises(UsageError, match="holds a whole run"):
        audit(ASKED, url, shard=Shard(1, 2))


class Dies(Exception):
    """What a kill looks like from inside."""


def test_what_was_done_before_a_kill_is_there(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []
    push_cell = Mirror.push_cell

    def push_and_die(self: Mirror, name: str) -> None:
        push_cell(self, name)
        sent.append(name)
        raise Dies

    with monkeypatch.context() as patch:
        patch.setattr(Mirror, "push_cell", push_and_die)
        with pytest.raises(Dies):
            audit(ASKED, url)
    outcome = audit(ASKED, url)
    assert len(sent) == 1
    ran = {f"{cell.slug}-{cell.key}" for cell in outcome.result.cells if cell.status is CellStatus.DONE}
    assert set(outcome.manifest.cell_seconds) == ran - set(sent)


def test_half_a_cell_counts_as_none(url: str) -> None:
    audit(ASKED, url)
    files, root = fsspec.core.url_to_fs(url)
    seal = next(path for path in sorted(files.find(root)) if path.endswith("SHA256SUMS"))
    files.rm(seal)
    assert len(audit(ASKED, url).manifest.cell_seconds) == 1


def test_what_cannot_be_reached_is_one_line(tmp_path: Path) -> None:
    for url, why in (("nonsense://x", "nonsense"), ("s3://", "names no place"), ("file:///", "no place")):
        with pytest.raises((UsageError, StorageError), match=why) as caught:
            audit(ASKED, url)
        assert "\n" not in str(caught.value)
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError, match="cannot") as caught:
        audit(ASKED, (tmp_path / "file" / "run").as_uri())
    assert "\n" not in str(caught.value)


def test_nothing_leaves_the_copy() -> None:
    """A name in a bucket that points upwards is not followed."""
    files = fsspec.filesystem("memory")
    place = f"memory://{uuid.uuid4().hex}/run"
    files.store[f"{place.removeprefix('memory:/')}/cells/../../../escaped.txt"] = files.open("memory://x", "wb")
    with mirrored(place) as mirror:
        assert not list(mirror.local.parent.glob("escaped.txt"))
        assert not (mirror.local.parent.parent / "escaped.txt").exists()
    files.store.clear()
