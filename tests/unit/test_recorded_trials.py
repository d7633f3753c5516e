"""A file of trials is a model: the ten published observers give their own shape bias, and pooled the published one."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from clipaudit_audits.meaning.cue_conflict import CueConflict
from clipaudit_audits.meaning.cue_conflict_params import CueConflictParams
from PIL import Image

from clipaudit.contract import PlanContext
from clipaudit.data.dataset import Dataset
from clipaudit.errors import DataError, ModelError
from clipaudit.models.recorded import load_recorded
from clipaudit.results import DataInfo

HUMANS = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "human_cue_conflict"
HEAD = "subj,session,trial,rt,object_response,category,condition,imagename\n"


@dataclass(frozen=True)
class Named:
    id: str
    attributes: dict[str, str]
    digest: str = "0"

    def load(self) -> Image.Image:
        raise AssertionError("recorded decisions need no pixels")


def _named(name: str) -> Named:
    shape, texture = re.fullmatch(r"([a-z]+)\d+-([a-z]+)\d+\.png", name).groups()
    return Named(f"{shape}/{name}", {"shape": shape, "texture": texture})


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _bias(path: Path, names: list[str]) -> tuple[float, int, int]:
    """Shape bias as the audit gives it for the recorded decisions, and the decisions by shape and by either cue."""
    images = [_named(name) for name in names]
    info = DataInfo(id="set", title="set", digest="0", items=len(images), licence="none", consent="none")
    audit = CueConflict()
    dataset = Dataset(info, images, ("shape", "texture"), None)
    cell = audit.plan(PlanContext(CueConflictParams(), 0, dataset))[0]
    rows = audit.run(cell, load_recorded(path))
    estimate = audit.score(cell, rows)[0]
    assert estimate.metric == "shape_bias"
    return estimate.value, round(estimate.value * estimate.n), estimate.n


def test_published_observers_have_their_own_shape_bias() -> None:
    files = sorted(HUMANS.glob("*.csv"))
    if not files:
        pytest.skip(f"the published human responses are not at {HUMANS}")
    names = sorted({row["imagename"].rsplit("_", 1)[-1] for row in _rows(files[0])})
    pooled = [0, 0]
    for path in files:
        value, shape, decided = _bias(path, names)
        trials = [
            (row["object_response"], _named(row["imagename"].rsplit("_", 1)[-1]).attributes) for row in _rows(path)
        ]
        conflicts = [(said, cue) for said, cue in trials if cue["shape"] != cue["texture"]]
        by_shape = sum(said == cue["shape"] for said, cue in conflicts)
        by_texture = sum(said == cue["texture"] for said, cue in conflicts)
        assert value == pytest.approx(by_shape / (by_shape + by_texture), abs=1e-12)
        pooled[0] += shape
        pooled[1] += decided
    assert pooled[0] / pooled[1] == pytest.approx(0.9587, abs=5e-5)


def test_a_model_in_the_same_form(tmp_path: Path) -> None:
    path = tmp_path / "resnet.csv"
    lines = ["resnet,1,1,NaN,cat,cat,0,0001_cat1-dog2.png", "resnet,1,2,NaN,cat,dog,0,dog3-cat1.png"]
    lines += ["resnet,1,3,NaN,na,dog,0,0003_dnn_dog1-cat1.png"]
    path.write_text(HEAD + "\n".join(lines), encoding="utf-8")
    assert load_recorded(path).info.name == "resnet"
    assert _bias(path, ["cat1-dog2.png", "dog3-cat1.png", "dog1-cat1.png"]) == (0.5, 1, 2)


def test_bad_input_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "two.csv"
    path.write_text(HEAD + "a,1,1,1,cat,cat,0,cat1-dog2.png\nb,1,1,1,cat,cat,0,cat1-dog2.png\n", encoding="utf-8")
    with pytest.raises(ModelError, match=r"responses of 2 subjects \(a, b"):
        load_recorded(path)
    path.write_text("id,score\na,1\n", encoding="utf-8")
    with pytest.raises(ModelError, match="a file alone must hold trials"):
        load_recorded(path)
    path.write_text(HEAD + "a,1,1,1,kitten,cat,0,cat1-dog2.png\n", encoding="utf-8")
    with pytest.raises(DataError, match="the recorded decision 'kitten' is none of the labels"):
        _bias(path, ["cat1-dog2.png"])
