"""The table of ImageNet classes in sixteen categories: derived anew from WordNet, and consistent with timm's synsets."""

from __future__ import annotations

import csv
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

import pytest
from clipaudit_audits.meaning import cue_conflict_wordnet as derivation
from clipaudit_audits.meaning.cue_conflict_categories import CATEGORIES, IMAGENET_INDICES, TABLE
from clipaudit_audits.meaning.cue_conflict_wordnet import NOT_IN, WordNet, derive, imagenet_synsets

from clipaudit.errors import DataError

FOLDER = Path("/usr/share/wordnet")  # where Debian's wordnet-base puts it


def shipped() -> list[tuple[str, int, str, str]]:
    text = (files("clipaudit_audits.meaning") / TABLE).read_text(encoding="utf-8")
    lines = csv.DictReader(text.splitlines(), delimiter="\t")
    return [(line["category"], int(line["index"]), line["synset"], line["name"]) for line in lines]


def synsets_of_classes() -> list[str]:
    if find_spec("timm") is None:
        pytest.skip("timm, which knows ImageNet's synsets, is not installed")
    return imagenet_synsets()


def test_the_table_follows_from_wordnet() -> None:
    if not (FOLDER / "data.noun").exists():
        pytest.skip("WordNet is not installed (Debian: wordnet-base)")
    net = WordNet(FOLDER)
    synsets = synsets_of_classes()
    assert derive(net, synsets) == shipped()
    # The rule without the published exceptions: each of them is a class that it would take.
    derivation_without = {
        (category, name.replace(" ", "_"))
        for category in NOT_IN
        for name in {net.words[s[1:]][0] for s in synsets}
        if net.below(net.first_sense(name), net.first_sense(category)) and name in NOT_IN[category]
    }
    assert derivation_without == {(category, name) for category, names in NOT_IN.items() for name in names}


def test_the_table_fits_imagenet() -> None:
    synsets, table = synsets_of_classes(), shipped()
    assert len(synsets) == 1000
    assert all(synsets[index] == synset for _, index, synset, _ in table)
    assert len({index for _, index, _, _ in table}) == len(table) == 207  # none is in two
    assert CATEGORIES == derivation.CATEGORIES == tuple(dict.fromkeys(category for category, *_ in table))
    assert sum(map(len, IMAGENET_INDICES.values())) == 207


HEAD = "  1 This software and database is being provided to you ...\n"
DATA = """\
00000001 03 n 01 thing 0 000 | all there is
00000002 05 n 02 dog 0 domestic_dog 0 001 @ 00000001 n 0000 | barks
00000003 05 n 01 boxer 0 001 @ 00000002 n 0000 | a breed
00000004 18 n 01 boxer 0 001 @ 00000001 n 0000 | a fighter
00000005 05 n 01 poodle 0 002 @ 00000002 n 0000 ~ 00000004 n 0000 | a breed
00000006 05 n 01 Rex 0 001 @i 00000005 n 0000 | one of them
"""
INDEX = """\
boxer n 2 1 @ 2 1 00000004 00000003
dog n 1 2 @ ~ 1 1 00000002
poodle n 1 1 @ 1 0 00000005
rex n 1 1 @ 1 0 00000006
"""


def test_a_class_belongs_where_its_name_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The boxer is a dog, but its name is first a fighter's: in none. Instances count as what they are instances of."""
    (tmp_path / "data.noun").write_text(HEAD + DATA, encoding="utf-8")
    (tmp_path / "index.noun").write_text(HEAD + INDEX, encoding="utf-8")
    monkeypatch.setattr(derivation, "CATEGORIES", ("dog",))
    net = WordNet(tmp_path)
    ids = ["n00000003", "n00000005", "n00000006"]
    assert derive(net, ids) == [("dog", 1, "n00000005", "poodle"), ("dog", 2, "n00000006", "Rex")]
    monkeypatch.setattr(derivation, "NOT_IN", {"dog": frozenset({"poodle"})})
    assert [name for *_, name in derive(net, ids)] == ["Rex"]


def test_no_wordnet_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"data\.noun: no WordNet database"):
        WordNet(tmp_path)
