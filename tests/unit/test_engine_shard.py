"""Shares of a run: dealt alike everywhere, evenly, and merged to what one process finds, byte for byte."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from clipaudit.api import Request, audit, prepare
from clipaudit.cli.app import app
from clipaudit.contract import Need, Workload
from clipaudit.engine import environment
from clipaudit.engine.merge import merge
from clipaudit.engine.plan import Plan, PlannedCell
from clipaudit.engine.shard import Shard, deal
from clipaudit.engine.store import RunStore
from clipaudit.errors import UsageError
from clipaudit.gate.trust import open_run
from clipaudit.results import RunResult

ASKED = Request(
    suite="standard", model="control:null?seed=1", limit=12, offline=True,
    audits=("zero_shot.*", "retrieval_skew", "lexicon", "occupation_text", "typographic.objects", "association.ieat"),
)  # fmt: skip


@pytest.fixture(scope="module")
def plan() -> Plan:
    return prepare(ASKED)[0]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return audit(ASKED, tmp_path_factory.mktemp("whole"), report=False).path


@pytest.fixture(scope="module")
def shares(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three shares of the run."""
    root = tmp_path_factory.mktemp("shares")
    return [audit(ASKED, root / f"{i}", shard=Shard(i, 3)).path for i in (1, 2, 3)]


@pytest.fixture
def copied(shares: list[Path], tmp_path: Path) -> list[Path]:
    """The same, to be damaged."""
    return [Path(shutil.copytree(share, tmp_path / f"share-{share.name}")) for share in shares]


@pytest.mark.parametrize("text", ["", "2", "0/2", "3/2", "1/0", "-1/2", "1/2/3", "a/b", "1.0/2", "99999999/99999999"])
def test_a_malformed_share_is_one_line(text: str) -> None:
    with pytest.raises(UsageError, match="--shard") as caught:
        Shard.parse(text)
    assert "\n" not in str(caught.value)


def test_a_share_reads_as_it_is_written() -> None:
    assert Shard.parse("2/4") == Shard(2, 4)
    assert str(Shard(2, 4)) == "2/4"


@pytest.mark.parametrize("of", [1, 2, 3, 7])
def test_each_cell_is_dealt_once(plan: Plan, of: int) -> None:
    assert plan.unrun
    parts = [Shard(i + 1, of).plan(plan) for i in range(of)]
    dealt = [planned.cell.key("") for part in parts for planned in part.cells]
    assert sorted(dealt) == sorted(planned.cell.key("") for planned in plan.cells)
    assert [unrun for part in parts for unrun in part.unrun] == list(plan.unrun)


def test_what_is_heavy_goes_alone(plan: Plan) -> None:
    """One cell of 300 images against cells of few texts: no share but its own gets it, and the others are even."""
    images = plan.images()
    some = list(images.values())[:20]
    one = plan.cells[0]

    def cell(seed: int, workload: Workload) -> PlannedCell:
        return replace(one, cell=replace(one.cell, seed=seed, data=None), workload=workload)

    light = [cell(i, Workload(texts=["a"] * 10)) for i in range(10)]
    heavy = cell(99, Workload(images=some))
    dealt = deal([*light[:5], heavy, *light[5:]], 3)
    alone = dealt.pop(5)
    assert dealt.count(alone) == 0
    assert sorted(dealt.count(i) for i in {1, 2, 3} - {alone}) == [5, 5]


def test_cells_on_the_same_images_share_a_machine(plan: Plan) -> None:
    """Two pairs of cells, each pair on the same pictures: it embeds them once, and not once on each machine."""
    typographic = next(c for c in plan.cells if c.cell.spec.id == "typographic")
    every = list(typographic.workload.images)

    def cell(seed: int, part: slice) -> PlannedCell:
        return replace(typographic, cell=replace(typographic.cell, seed=seed), workload=Workload(images=every[part]))

    half = len(every) // 2
    first, second = slice(0, half), slice(half, 2 * half)
    dealt = deal([cell(1, first), cell(2, second), cell(3, first), cell(4, second)], 2)
    assert dealt[0] == dealt[2] != dealt[1] == dealt[3]


def test_an_attack_weighs_more_than_looking(plan: Plan) -> None:
    one = next(c for c in plan.cells if c.cell.spec.id == "typographic")
    images = list(one.workload.images)[:20]
    attacked = one.cell.spec.model_copy(update={"needs": frozenset({Need.SCORES, Need.GRADIENTS})})

    def cell(seed: int, *, attack: bool) -> PlannedCell:
        spec = attacked if attack else one.cell.spec
        lookalike = replace(one.cell, seed=seed, spec=spec)
        return replace(one, cell=lookalike, workload=Workload(images=images if attack else images[:1] * 20))

    dealt = deal([cell(i, attack=i == 0) for i in range(9)], 2)
    assert dealt[1:].count(dealt[0]) == 0


def test_merged_equals_one_process(whole: Path, shares: list[Path], tmp_path: Path) -> None:
    assert all(RunStore(share).result().cells for share in shares), "each has something to do"
    merge(list(reversed(shares)), tmp_path / "run")
    assert (tmp_path / "run" / "result.json").read_bytes() == (whole / "result.json").read_bytes()
    for path in sorted((whole / "cells").rglob("*.*")):
        if path.is_file() and path.name != "manifest.json":
            assert (tmp_path / "run" / path.relative_to(whole)).read_bytes() == path.read_bytes(), path.name
    run = open_run(tmp_path / "run")
    assert run.digest == run.manifest.result_digest
    assert set(run.manifest.cell_seconds) == set(RunStore(whole).manifest().cell_seconds)


def test_one_process_goes_on_from_a_merged_run(shares: list[Path], tmp_path: Path) -> None:
    merge(shares, tmp_path / "run")
    again = audit(ASKED, tmp_path / "run", report=False)
    assert again.manifest.cell_seconds == {}, "every cell was already there"


def test_more_shares_than_cells(whole: Path, tmp_path: Path) -> None:
    parts = [audit(ASKED, tmp_path / f"{i}", shard=Shard(i, 9)).path for i in range(1, 10)]
    assert any(not RunStore(part).result().cells for part in parts)
    result, _ = merge(parts, tmp_path / "run")
    assert result == RunStore(whole).result()


def test_a_share_is_not_gated(shares: list[Path]) -> None:
    with pytest.raises(UsageError, match=r"shard 2/3 of a run; make the whole with clipaudit merge"):
        open_run(shares[1])


def refused(paths: list[Path], out: Path, match: str) -> None:
    with pytest.raises(UsageError, match=match) as caught:
        merge(paths, out)
    assert "\n" not in str(caught.value)
    assert not (out / "result.json").exists()


def test_what_cannot_be_merged_is_said(copied: list[Path], whole: Path, tmp_path: Path) -> None:
    one, two, three = copied
    out = tmp_path / "out"
    refused([one, three], out, "shard 2/3 is missing")
    refused([one, two, three, two], out, "both shard 2/3; give each once")
    refused([one, two, whole], out, "a whole run, not a share")
    refused([one, two, tmp_path / "nowhere"], out, "no such directory")
    (three / "result.json").unlink()
    refused([one, two, three], out, "shard 3/3 was interrupted; give its clipaudit run command again")


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (Request(**{**ASKED.__dict__, "seed": 5}), "different seeds"),
        (Request(**{**ASKED.__dict__, "model": "control:null?seed=2"}), "different models"),
        (Request(**{**ASKED.__dict__, "audits": ("typographic.objects", "zero_shot.*")}), "different suites"),
        (Request(**{**ASKED.__dict__, "limit": 8}), "different data under the name"),
    ],
)
def test_shares_of_another_run(shares: list[Path], other: Request, message: str, tmp_path: Path) -> None:
    stranger = audit(other, tmp_path / "stranger", shard=Shard(2, 3)).path
    refused([shares[0], stranger, shares[2]], tmp_path / "out", message)


def test_shares_of_another_number(shares: list[Path], tmp_path: Path) -> None:
    stranger = audit(ASKED, tmp_path / "stranger", shard=Shard(2, 4)).path
    refused([*shares, stranger], tmp_path / "out", "not of one run; merge only what was dealt with the same N")


def rewrite(share: Path, **changes: object) -> None:
    """Change result.json as if the run had written it so."""
    store = RunStore(share)
    digest = store.write_result(RunResult.model_validate(store.result().model_dump() | changes))
    manifest = store.manifest()
    assert manifest is not None
    store.write_manifest(manifest.model_copy(update={"result_digest": digest}))


def test_another_version_of_clipaudit(copied: list[Path], tmp_path: Path) -> None:
    rewrite(copied[1], clipaudit_version="0.0.1")
    refused(copied, tmp_path / "out", "different versions of clipaudit")


def test_shares_that_overlap_or_leave_a_hole(copied: list[Path], tmp_path: Path) -> None:
    first, second = (RunStore(copied[i]).result().cells for i in (0, 1))
    rewrite(copied[1], cells=[*second, first[0]])
    refused(copied, tmp_path / "out", "both ran")
    rewrite(copied[1], cells=[])
    refused(copied, tmp_path / "out", "no share ran it")


def test_a_damaged_share(copied: list[Path], tmp_path: Path) -> None:
    path = copied[1] / "result.json"
    intact = path.read_bytes()
    path.write_bytes(intact.replace(b'"seed": 0', b'"seed": 1', 1))
    refused(copied, tmp_path / "out", r"result\.json is not as the run wrote it")
    path.write_bytes(intact)
    next((copied[1] / "cells").rglob("rows.parquet")).unlink()
    refused(copied, tmp_path / "out", r"rows\.parquet.*shard 2/3 again")


def test_where_something_else_lies(shares: list[Path], copied: list[Path], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is one of the shares"):
        merge(shares, shares[0])
    with pytest.raises(UsageError, match="holds another run"):
        merge(shares, copied[0])
    with pytest.raises(UsageError, match="holds shard 1/3 of a run; choose another --out"):
        audit(ASKED, copied[0])
    with pytest.raises(UsageError, match="holds shard 1/3 of a run; choose another --out"):
        audit(ASKED, copied[0], shard=Shard(2, 3))


def test_other_packages_are_told(copied: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second share is run anew where another numpy is installed: the merged run knows of whose cells that is."""
    found = dict(environment.versions())
    monkeypatch.setattr(environment, "versions", lambda: {**found, "numpy": "0.0.1"})
    shutil.rmtree(copied[1])
    audit(ASKED, copied[1], shard=Shard(2, 3))
    result, manifest = merge(copied, tmp_path / "run")
    second = {f"{cell.slug}-{cell.key}" for cell in RunStore(copied[1]).result().cells}
    assert second == set(manifest.cell_versions), "and of no others"
    assert all(versions == {"numpy": "0.0.1"} for versions in manifest.cell_versions.values())
    assert len(result.cells) > len(second) > 0


def test_the_command(whole: Path, shares: list[Path], tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["merge", *map(str, shares), "--out", str(tmp_path / "run")])
    assert done.exit_code == 0, done.output
    assert (tmp_path / "run" / "report.html").is_file()
    assert (tmp_path / "run" / "result.json").read_bytes() == (whole / "result.json").read_bytes()
