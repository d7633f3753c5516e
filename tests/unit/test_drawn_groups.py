"""Groups that were drawn are not said to be annotated, nor the other way about, in any audit by group."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from clipaudit_audits.social_bias.denigration import Denigration
from clipaudit_audits.social_bias.disparity import Disparity
from clipaudit_audits.social_bias.lexicon import Lexicon
from clipaudit_audits.social_bias.markedness import Markedness
from clipaudit_audits.social_bias.occupation import Occupation
from clipaudit_audits.social_bias.retrieval_skew import RetrievalSkew

from clipaudit.contract import Audit, PlanContext
from clipaudit.data.dataset import Dataset
from clipaudit.data.describe import describe_card
from clipaudit.data.parse import load_card
from clipaudit.data.registry import DataRegistry
from clipaudit.models.control import load_control
from clipaudit.plugins import list_audits
from clipaudit.results import DataInfo, GroupsAre

CARD = """id = "mine"
title = "Mine"
licence = "mine"
consent = "drawings"
table = "labels.csv"
groups = ["tone"]
"""
AUDITS: tuple[type[Audit], ...] = (Denigration, Disparity, Lexicon, Markedness, Occupation, RetrievalSkew)


@dataclass(frozen=True)
class Item:
    id: str
    attributes: Mapping[str, str]
    digest: str = ""

    def load(self) -> Any:
        raise AssertionError("no pixel is looked at")


def people(groups_are: GroupsAre) -> Dataset:
    """120 images; the order of attributes makes all pairs of groups large enough."""
    info = DataInfo(
        id="people", title="People", digest="d", items=120, licence="x", consent="x", groups=("tone", "gender"),
        groups_are=groups_are,
    )  # fmt: skip
    items = [
        Item(f"{i:03d}", {"tone": ("light", "dark")[i % 2], "gender": ("man", "woman")[i // 2 % 2], "role": "judge"})
        for i in range(120)
    ]
    return Dataset(info, items, ("tone", "gender", "role"))


@pytest.mark.parametrize("audit", AUDITS, ids=lambda audit: audit.spec.id)
@pytest.mark.parametrize(("given", "other"), [("drawn", "annotated"), ("annotated", "drawn")])
def test_reports_say_what_the_card_says(audit: type[Audit], given: GroupsAre, other: GroupsAre) -> None:
    made = audit()
    params = {"templates": ("a photo of {}.",)} if "templates" in made.spec.params.model_fields else {}
    (cell,) = made.plan(PlanContext(made.spec.params(**params), 1, people(given)))
    rows = made.run(cell, load_control("null?seed=1"))
    estimates = made.score(cell, rows)
    figures = made.figures(cell, rows, estimates)
    said = [text for one in [*estimates, *figures] for text in [one.model_dump_json()]]
    assert any(given in text for text in said)
    assert not [text for text in said if other in text]


def test_a_card_says_so(tmp_path: Path) -> None:
    (tmp_path / "clipaudit.toml").write_text(CARD + 'groups_are = "drawn"\n')
    (tmp_path / "labels.csv").write_text("tone\nlight\ndark\n")
    card = load_card(tmp_path / "clipaudit.toml")
    assert "Groups, as drawn: tone" in describe_card(card, None)
    assert DataRegistry({"mine": tmp_path}).open("mine").info.groups_are == "drawn"
    (tmp_path / "clipaudit.toml").write_text(CARD)
    assert DataRegistry({"mine": tmp_path}).open("mine").info.groups_are == "annotated"


def test_installed_cards() -> None:
    registry = DataRegistry()
    drawn = {name for name in registry.ids() if registry.card(name).groups_are == "drawn"}
    assert drawn == {"avatars", "fluent-people"}


def test_titles_of_metrics_leave_open_how_groups_were_made() -> None:
    """One title serves photographs and drawings: the subgroup says "(annotated)" or "(drawn)"."""
    for listing in list_audits():
        assert listing.audit is not None
        for metric in listing.audit.spec.metrics:
            assert "annotat" not in metric.title, f"{listing.id}: {metric.title}"
            assert "drawn" not in metric.title, f"{listing.id}: {metric.title}"
