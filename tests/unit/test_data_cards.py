"""Every way a card can be wrong is one line that names the file and the key."""

from __future__ import annotations

from pathlib import Path

import pytest

from clipaudit.data.card import FolderSource, TableSource
from clipaudit.data.describe import describe_card
from clipaudit.data.parse import load_card
from clipaudit.errors import DataError

GOOD = """\
---
pretty_name: Pets
license: mit
clipaudit:
  id: pets
  source: {kind: folder, pattern: "{label}/{file}"}
  columns: {label: the animal}
  consent: animals only
  cluster: id
---
Some pets.
"""
SHORT = """\
id = "pets"
title = "Pets"
licence = "mit"
consent = "animals only"
images = "{label}/{file}"
"""


def _card(tmp_path: Path, text: str, name: str = "card.md") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_good_card(tmp_path: Path) -> None:
    card = load_card(_card(tmp_path, GOOD))
    assert (card.id, card.title, card.licence, card.text) == ("pets", "Pets", "mit", "Some pets.")
    assert isinstance(card.source[0], FolderSource)
    page = describe_card(card, "give its folder")
    for said in (
        "pets: Pets",
        "Licence: mit",
        "Consent: animals only",
        "label: the animal",
        "In reach: no; give its folder",
    ):
        assert said in page


def test_the_short_form_says_the_same(tmp_path: Path) -> None:
    card = load_card(_card(tmp_path, SHORT, "clipaudit.toml"))
    assert (card.id, card.title, card.licence, card.consent) == ("pets", "Pets", "mit", "animals only")
    assert card.source == (FolderSource(kind="folder", pattern="{label}/{file}", path="."),)
    table = load_card(
        _card(tmp_path, SHORT.replace('images = "{label}/{file}"', 'table = "a.csv"\nimage = "file"'), "t.toml")
    )
    assert table.source == (TableSource(kind="table", path="a.csv", image="file"),)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("license: mit\n", "", "'license' is missing"),
        ("license: mit\n", "licence: mit\n", "did you mean licence"),
        ("license: mit", "license: unknown", "says nothing"),
        ("license: mit", "license: ''", "says nothing"),
        ("  consent: animals only\n", "", "'clipaudit.consent' is missing"),
        ("consent: animals only", "consent: TODO", "says nothing"),
        ("  id: pets\n", "", "'clipaudit.id' is missing"),
        ("id: pets", "id: My Pets", "lower-case"),
        ("kind: folder", "kind: directory", "must be one of builtin, folder, hub, table"),
        ("{kind: folder, pattern: \"{label}/{file}\"}", "[]", "clipaudit.source"),
        ("pattern:", "patern:", "did you mean pattern"),
        ("\"{label}/{file}\"", "\"{label/{file}\"", "no placeholder"),
        ("  cluster: id", "  clusters: id", "did you mean cluster"),
        ("clipaudit:\n", "other:\n", "no `clipaudit:` block"),
        ("pretty_name: Pets", "pretty_name: [Pets", "malformed YAML in line"),
        ("---\npretty_name", "pretty_name", "no YAML front matter"),
        ("  id: pets\n", "  id: pets\n  licence: mit\n", "write 'license' outside"),
        ("{kind: folder,", "{kind: folder, reader: 'os:system',", "'source.reader' is for cards of installed packages"),
        ("{kind: folder,", "{kind: folder, system_paths: [/etc],", "'source.system_paths' is for cards"),
        ("{kind: folder, pattern: \"{label}/{file}\"}", "{kind: hub, repo: a/b, revision: main, split: test}", "revision"),
    ],
)  # fmt: skip
def test_a_bad_card_names_file_and_key(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in GOOD
    path = _card(tmp_path, GOOD.replace(old, new, 1))
    with pytest.raises(DataError) as caught:
        load_card(path)
    assert said in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('licence = "mit"\n', "", "'licence' is missing: without a licence"),
        ('consent = "animals only"\n', "", "'consent' is missing"),
        ('licence = "mit"', 'licence = "?"', "says nothing"),
        ('licence = "mit"', "licence = mit", "malformed TOML"),
        ('licence = "mit"', 'license = ""', "says nothing"),
        ('images = "{label}/{file}"', "", "give either images"),
        ('images = "{label}/{file}"', 'images = "{a}/{file}"\ntable = "a.csv"', "give either images"),
        ('images = "{label}/{file}"', 'images = "{a}/{file}"\nimage = "file"', "columns of a table"),
        ('images = "{label}/{file}"', 'images = ""', "must not be empty"),
    ],
)
def test_a_bad_short_card_names_file_and_key(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in SHORT
    path = _card(tmp_path, SHORT.replace(old, new, 1), "clipaudit.toml")
    with pytest.raises(DataError) as caught:
        load_card(path)
    assert said in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_card_that_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "card.md"
    path.write_bytes(b"---\n\xff\xfe\n---\n")
    with pytest.raises(DataError, match="not a UTF-8"):
        load_card(path)
    with pytest.raises(DataError, match="No such file"):
        load_card(tmp_path / "none.md")
    path.write_bytes(b"---\n" + b"a" * 2**21)
    with pytest.raises(DataError, match="too long"):
        load_card(path)


def test_markup_and_control_characters_are_shown_escaped(tmp_path: Path) -> None:
    path = _card(tmp_path, GOOD.replace("id: pets", 'id: "\\e[31m"'))
    with pytest.raises(DataError) as caught:
        load_card(path)
    assert "\x1b" not in str(caught.value)
    page = describe_card(load_card(_card(tmp_path, GOOD.replace("animals only", '"a\\e[31mb"'))), None)
    assert "\x1b" not in page
    assert "a\\x1b[31mb" in page
