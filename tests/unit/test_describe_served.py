"""`describe` says which audits a data set can serve, and for want of which column it cannot serve the others."""

from __future__ import annotations

from pathlib import Path

import pytest

from clipaudit.cli.describe import describe
from clipaudit.data.registry import DataRegistry
from clipaudit.engine.serves import services
from clipaudit.errors import DataError

CARD = """\
id = "staff"
title = "Staff portraits"
licence = "internal"
consent = "employees agreed in writing to this use"
table = "people.csv"
item = "number"
groups = ["gender", "office"]
"""


def _staff(folder: Path, *, card: str = CARD, head: str = "number,gender,office,job", line: str = "") -> Path:
    rows = line or "{i},{sex},{town},nurse"
    lines = [rows.format(i=i, sex=("female", "male")[i % 2], town=("Oslo", "Rome", "Lima")[i % 3]) for i in range(60)]
    folder.mkdir(exist_ok=True)
    (folder / "people.csv").write_text("\n".join([head, *lines]) + "\n")
    (folder / "clipaudit.toml").write_text(card)
    return folder


def _reasons(folder: Path) -> dict[str, str | None]:
    return {one.audit: one.reason for one in services(DataRegistry({"staff": folder}).open("staff"))}


def test_a_card_of_ten_lines_is_enough(tmp_path: Path) -> None:
    reasons = _reasons(_staff(tmp_path / "staff"))
    assert [name for name in ("retrieval_skew", "lexicon", "occupation") if reasons[name] is None] == [
        "retrieval_skew", "lexicon", "occupation",
    ]  # fmt: skip
    assert "no column 'label'" in str(reasons["typographic"])
    assert "no column 'identity'" in str(reasons["counterfactual"])
    assert "occupation_text" not in reasons  # takes no data set


def test_the_page_of_a_folder_of_ones_own(tmp_path: Path) -> None:
    page = describe(str(_staff(tmp_path / "staff")))
    can, cannot = page.split("Audits it can serve\n")[1].split("Audits it cannot serve as it is\n")
    assert "- retrieval_skew: Who is found first" in can
    assert "- typographic: it has no column 'label'; allowed: gender, job, number, office" in cannot
    assert "typographic" not in can
    assert describe("staff", (str(tmp_path / "staff"),)) == page


def test_out_of_reach() -> None:
    page = describe("fluent-people")
    assert "In reach: no; give the folder with labels.csv" in page
    assert "Audits made for it: " in page
    assert "retrieval_skew" in page


@pytest.mark.parametrize(
    ("head", "line", "said"),
    [
        ("number,office", "{i},{town}", "has no column 'gender'"),
        ("number,gender,office", "1,{sex},{town}", "two items have the id '1'"),
        ("number,gender,office", "{i},NaN,{town}", "column 'gender': 'NaN' is no group (first: 0, 60 in all)"),
    ],
)
def test_a_card_that_the_table_contradicts(tmp_path: Path, head: str, line: str, said: str) -> None:
    folder = _staff(tmp_path / "staff", head=head, line=line)
    with pytest.raises(DataError) as caught:
        DataRegistry({"staff": folder}).open("staff")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert said in " ".join(describe(str(folder)).split("No audit can use it: ")[1].split())


def test_groups_with_one_value(tmp_path: Path) -> None:
    reason = _reasons(_staff(tmp_path / "staff", line="{i},male,here,nurse"))["retrieval_skew"]
    assert "no group column of data set 'staff' has more than one value" in str(reason)


def test_labels_that_differ_only_by_case(tmp_path: Path) -> None:
    folder = _staff(tmp_path / "staff")
    table = folder / "people.csv"
    table.write_text(table.read_text().replace("0,female", "0,Female", 1))
    for audit in ("retrieval_skew", "lexicon"):
        assert "'Female' and 'female' differ only by case or blanks" in str(_reasons(folder)[audit])


def test_what_would_be_fetched_is_not_fetched_to_be_described(monkeypatch: pytest.MonkeyPatch) -> None:
    from clipaudit.data import sources_hub

    monkeypatch.setattr(sources_hub, "_load", lambda *_, **__: pytest.fail("the hub was asked"))
    monkeypatch.setattr(sources_hub, "_offline_by_environment", lambda: False)
    monkeypatch.setattr(sources_hub, "hub_reach", lambda _, *, offline=False: "not in the cache" if offline else None)
    page = describe("fairface")
    assert "In reach: yes, and fetched from the hub when it is first used" in page
    assert "configuration 0.25, split validation" in page
    assert "Audits made for it: " in page
