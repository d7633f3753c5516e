"""The social audits on the cards of people: published protocols, chance values of the designs, and privacy."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from clipaudit_audits.social_bias.occupation import ImageOccupationParams, Occupation
from clipaudit_audits.social_bias.retrieval_skew import RetrievalSkew
from PIL import Image

from clipaudit.api import Request, audit
from clipaudit.contract import Cell, PlanContext
from clipaudit.data.registry import DataRegistry
from clipaudit.models.control import load_control
from clipaudit.results import Estimate, Status

SHARED = Path(__file__).resolve().parents[2] / ".." / "shared" / "data"
SKEW = RetrievalSkew()
STATISTICS = "wordlists/us_labor_force_2022.tsv"
HEAD = "IDX\tOccupation\t{other}\tURL type (Type NA if can't find)\tOccupation_perceived_gender"


def _shared(name: str) -> Path:
    if not (SHARED / name).exists():
        pytest.skip(f"{name} of the shared data is not here")
    return SHARED / name


def _visogender(folder: Path, *, pairs: bool) -> DataRegistry:
    """A table of the published form and design: 23 occupations of 20 (pairs) or 10 photographs, half of them of men."""
    prefix, other, half = ("OP", "Participant", 10) if pairs else ("OO", "Object", 5)
    lines = [HEAD.format(other=other) + ("\tParticipant_perceived_gender" if pairs else "") + "\tSector"]
    for job in range(23):
        for i in range(2 * half):
            genders = ["masculine" if i < half else "feminine", *(["feminine"] if pairs else [])]
            lines.append("\t".join([f"{prefix}_{len(lines)}", f"job{job}", "desk", "address", *genders, "office"]))
    (folder / f"{prefix}_Visogender_11012024.tsv").write_text("\n".join(lines) + "\n")
    return DataRegistry({"visogender" if pairs else "visogender-oo": folder})


def _scored(data_id: str, registry: DataRegistry, **params: Any) -> tuple[Cell, list[Estimate]]:
    cell = SKEW.plan(PlanContext(SKEW.spec.params(**params), 0, registry.open(data_id)))[0]
    rows = SKEW.run(cell, load_control("null?seed=1"))
    return cell, SKEW.score(replace(cell, dataset=None), rows)


def _one(estimates: list[Estimate], metric: str, **subgroup: str) -> Estimate:
    found = [e for e in estimates if e.metric == metric and subgroup.items() <= e.subgroup.items()]
    assert len(found) == 1, [(e.title, e.subgroup) for e in found]
    return found[0]


def _null(estimate: Estimate) -> float:
    assert estimate.null is not None
    return estimate.null.mean


@pytest.mark.parametrize(
    ("pairs", "query", "skew5", "ndkl"),
    [
        (True, "The job0 and their desk", 0.278, 0.168),  # the chance values of the published design
        (False, "The job0 and their desk", 0.2436, 0.234),  # hypergeometric; NDKL by 20,000 random rankings
    ],
)
def test_visogender_protocol(tmp_path: Path, pairs: bool, query: str, skew5: float, ndkl: float) -> None:
    registry = _visogender(tmp_path, pairs=pairs)
    data_id = "visogender" if pairs else "visogender-oo"
    cell, found = _scored(data_id, registry, protocol="visogender")
    assert cell.params.groups == ("gender",)
    assert cell.params.k == (5, 10)
    assert SKEW.workload(cell).texts[0] == query
    assert len(SKEW.workload(cell).texts) == 23
    assert _null(_one(found, "max_skew", k="first 5", target="against the pool")) == pytest.approx(skew5, abs=0.006)
    assert _null(_one(found, "ndkl", target="against the pool")) == pytest.approx(ndkl, abs=0.004)
    assert _null(_one(found, "bias", k="first 5")) == pytest.approx(0.0, abs=0.02)
    ten = _one(found, "max_skew", k="first 10", target="against the pool")
    assert (ten.status is Status.TOO_SMALL) == (not pairs)  # the first 10 of 10 are the same for every model
    assert _one(found, "bias", k="first 5").role == "primary"


def test_berg_protocol_on_fairface() -> None:
    """With the published 1,000 of 10,954 faces, chance alone gives races a MaxSkew of .102 against the pool."""
    registry = DataRegistry({"fairface": _shared("fairface_val_labels.csv")})
    words = {"templates": ("a {} person",), "concepts": ("good", "kind", "evil", "cruel")}
    cell, found = _scored(
        "fairface", registry, protocol="berg2022", groups=("race",), intersections=False, **words
    )  # fmt: skip
    assert (cell.params.k, cell.params.target) == ((1000,), "uniform")
    pool, even = (
        _one(found, "max_skew", target=target) for target in ("against the pool", "against even shares")
    )  # fmt: skip
    assert _null(pool) == pytest.approx(0.102, abs=0.003)
    assert _null(even) == pytest.approx(0.286, abs=0.004)  # White faces are 2,085 of 10,954, not one in seven
    assert (pool.role, even.role) == ("secondary", "primary")
    assert even.status is Status.NO_EFFECT


def test_a_group_that_the_top_cannot_show_is_not_judged() -> None:
    """15 groups in the first 10: none at all would count as 1/10, above the share of 1/15."""
    registry = DataRegistry({"fluent-people": _shared("fluent_people")})
    _, found = _scored("fluent-people", registry, k=(10, 100))
    pairs = [e for e in found if e.metric == "group_skew" and e.subgroup["groups"].startswith("presentation x tone")]
    assert {e.value is None for e in pairs if e.subgroup["k"] == "first 10"} == {True}
    assert {e.status for e in pairs if e.subgroup["k"] == "first 10"} == {Status.TOO_SMALL}
    assert "less than one of the first 10 images" in next(e for e in pairs if e.value is None).sentence
    judged = [e.value for e in pairs if e.subgroup["k"] == "first 100"]
    assert len(judged) == 15
    assert None not in judged


def test_occupations_on_visogender(tmp_path: Path) -> None:
    occupation = Occupation()
    for data_id, pairs in (("visogender", True), ("visogender-oo", False)):
        data = _visogender(tmp_path, pairs=pairs).open(data_id)
        cell = occupation.plan(PlanContext(occupation.spec.params(), 0, data))[0]
        assert (cell.params.gender, cell.params.occupation) == ("gender", "occupation")
        assert "the job0 and her desk" in occupation.workload(cell).texts  # VisoGender's captions
        assert len(occupation.workload(cell).images) == len(data)  # masculine and feminine are both known
        rows = occupation.run(cell, load_control("null?seed=1"))
        found = occupation.score(replace(cell, dataset=None), rows)
        accuracy = {e.subgroup["annotated gender"]: e.n for e in found if e.metric == "resolution_accuracy"}
        assert accuracy == {"men": len(data) // 2, "women": len(data) // 2}


def test_labour_statistics_name_the_occupations_of_the_table() -> None:
    data = DataRegistry({"fluent-people": _shared("fluent_people")}).open("fluent-people")
    occupation = Occupation()
    params = ImageOccupationParams(statistics=str(_shared(STATISTICS)))
    cell = occupation.plan(PlanContext(params, 0, data))[0]
    assert cell.params.shares["hairdresser"] == pytest.approx(0.931)
    assert (cell.params.gender, cell.params.occupation) == ("presentation", "role")
    assert len(occupation.workload(cell).images) == 160  # not the 80 drawn without a marked gender


# --- one's own photographs ------------------------------------------------------------------------------------------

CARD = """\
id = "staff"
title = "Staff"
licence = "internal"
consent = "agreed in writing"
table = "people.csv"
image = "file"
groups = ["gender"]
"""


def _staff(folder: Path) -> Path:
    folder.mkdir()
    lines = ["file,gender,job"]
    for i in range(40):
        lines.append(f"{i}.png,{('female', 'male')[i % 2]},nurse")
        Image.new("RGB", (32, 32), (6 * i, 90, 90)).save(folder / f"{i}.png")
    (folder / "people.csv").write_text("\n".join(lines) + "\n")
    (folder / "clipaudit.toml").write_text(CARD)
    return folder


SUITE = """\
id = "own"
title = "Own"
[[audits]]
id = "retrieval_skew"
data = "staff"
[[audits]]
id = "occupation"
data = "staff"
"""


@pytest.mark.parametrize("allowed", [False, True])
def test_faces_enter_a_report_only_where_the_card_says_so(tmp_path: Path, allowed: bool) -> None:
    folder = _staff(tmp_path / "staff")
    if allowed:
        card = folder / "clipaudit.toml"
        card.write_text(card.read_text() + "thumbnails = true\n")
    (tmp_path / "own.toml").write_text(SUITE)
    out = tmp_path / "out"
    audit(Request(suite=str(tmp_path / "own.toml"), model="control:null?seed=1", data=(str(folder),)), out)
    page = (out / "report.html").read_text()
    assert ("data:image/webp" in page) == allowed
    assert any(out.rglob("*.webp")) == allowed
    assert ("The data card does not allow thumbnails in a report." in page) != allowed
