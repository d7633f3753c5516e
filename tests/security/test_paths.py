"""Cards, suites, recordings and results name files of their own folder: not by "..", not by a root, not by a link."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import pytest
from clipaudit_data_cards.readers.scam import read_folder
from PIL import Image

from clipaudit.data.registry import DataRegistry, parse_data_option
from clipaudit.engine.rows import export_rows
from clipaudit.engine.store import RunStore
from clipaudit.engine.suite import load_suite
from clipaudit.errors import ClipAuditError, DataError, ImageError, ModelError, UsageError
from clipaudit.lint import lint
from clipaudit.models.load import open_model
from clipaudit.paths import inside
from clipaudit.results import CellStatus

CARD = 'id = "mine"\ntitle = "Mine"\nlicence = "CC0"\nconsent = "things only"\n'
FRONT = "---\npretty_name: Mine\nlicense: cc0-1.0\nclipaudit:\n  id: mine\n  consent: things only\n  source: {source}\n---\n"


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A picture that lies beside the data set's folder."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    Image.new("RGB", (8, 8), (250, 0, 0)).save(folder / "secret.png")
    (folder / "labels.csv").write_text("image,label\nsecret.png,cat\n")
    return folder / "secret.png"


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A folder with one picture and no card yet."""
    folder = tmp_path / "mine"
    (folder / "cat").mkdir(parents=True)
    Image.new("RGB", (8, 8)).save(folder / "cat" / "1.png")
    return folder


def one_line(error: BaseException) -> str:
    assert len(str(error).splitlines()) == 1
    return str(error)


@pytest.mark.parametrize(
    "path", ["../elsewhere", "cat/../../elsewhere", "{root}/elsewhere", "~/pictures", "C:\\pictures"]
)
@pytest.mark.parametrize(
    "keys",
    [
        "folder = '{}'\nimages = '{{file}}'",
        "table = '{}/labels.csv'\nimage = 'image'",
        "table = 'labels.csv'\nimage = 'image'\nfolder = '{}'",
        "table = 'labels.csv'\nimage = '{}/{{image}}'",
    ],
)
def test_a_card_names_no_place_outside(keys: str, path: str, mine: Path, secret: Path) -> None:
    card = mine / "clipaudit.toml"
    card.write_text(CARD + keys.format(path.replace("{root}", str(secret.parents[1]))))
    for use in (lint, lambda card: parse_data_option(str(card))):
        with pytest.raises(DataError) as caught:
            use(card)
        assert "leaves the card's folder" in one_line(caught.value)


@pytest.mark.parametrize(
    "source",
    [
        "{kind: folder, path: ../elsewhere, pattern: '{file}'}",
        "{kind: folder, pattern: '{label}/{file}', resources: {words: ../elsewhere/*.csv}}",
        "{kind: table, path: /etc/passwd, image: image}",
    ],
)
def test_nor_does_a_card_in_markdown(source: str, mine: Path, secret: Path) -> None:
    (mine / "card.md").write_text(FRONT.format(source=source))
    with pytest.raises(DataError) as caught:
        DataRegistry({"mine": mine})
    assert "leaves the card's folder" in one_line(caught.value)


def test_links_out_of_the_folder_are_not_followed(mine: Path, secret: Path) -> None:
    (mine / "clipaudit.toml").write_text(CARD + 'images = "{label}/{file}"\n')
    (mine / "cat" / "2.png").symlink_to(secret)
    (mine / "dog").symlink_to(secret.parent)
    (mine / "cat" / "3.png").symlink_to(mine / "cat" / "1.png")
    data = DataRegistry({"mine": mine}).open("mine")
    said = {}
    for image in data.images:
        try:
            image.load()
        except ImageError as error:
            said[image.id] = one_line(error)
        with pytest.raises(ImageError) if image.id in said else nullcontext():
            assert image.digest
    assert sorted(said) == ["cat/2.png", "dog/secret.png"]
    assert all("leaves the data set's folder" in line for line in said.values())


@pytest.mark.parametrize(("keys", "link"), [("folder = 'in'\nimages = '{file}'", "in"), ("table = 't.csv'", "t.csv")])
def test_a_link_in_place_of_the_data(keys: str, link: str, mine: Path, secret: Path) -> None:
    (mine / "clipaudit.toml").write_text(CARD + keys)
    (mine / link).symlink_to(secret.parent if link == "in" else secret.parent / "labels.csv")
    registry = DataRegistry({"mine": mine})
    assert "leads out of" in (registry.reach("mine") or "")
    with pytest.raises(DataError) as caught:
        registry.open("mine")
    assert "leads out of" in one_line(caught.value)


def test_a_link_in_place_of_the_card(mine: Path, secret: Path) -> None:
    (secret.parent / "clipaudit.toml").write_text(CARD + "images = '{file}'")
    (mine / "clipaudit.toml").symlink_to(secret.parent / "clipaudit.toml")
    with pytest.raises(DataError, match="a link out of the folder"):
        parse_data_option(str(mine))


@pytest.mark.parametrize("name", ["../elsewhere/secret.png", "{secret}", "cat/../../elsewhere/secret.png", "link.png"])
def test_names_in_a_table(name: str, mine: Path, secret: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLIPAUDIT_CACHE", str(mine.parent / "cache"))
    (mine / "link.png").symlink_to(secret)
    name = name.replace("{secret}", str(secret))
    (mine / "labels.csv").write_text(f"image,label\ncat/1.png,cat\n{name},dog\n")
    (mine / "clipaudit.toml").write_text(CARD + "table = 'labels.csv'\nimage = 'image'\n")
    sound, bad = DataRegistry({"mine": mine}).open("mine").images
    assert sound.load().size == (8, 8)
    for look in (bad.load, lambda: bad.digest):
        with pytest.raises(ImageError) as caught:
            look()
        assert "leaves the data set's folder" in one_line(caught.value)


def test_names_in_published_metadata(mine: Path, secret: Path) -> None:
    lines = [{"file_name": "cat/1.png"}, {"file_name": "../elsewhere/secret.png"}, {"file_name": str(secret)}]
    (mine / "metadata.jsonl").write_text("\n".join(map(json.dumps, lines)))
    sound, *outside = read_folder(mine)
    assert sound.load().size == (8, 8)
    for item in outside:
        with pytest.raises(ImageError, match="leaves the data set's folder"):
            item.load()


def test_the_hubs_cache_is_made_of_links(tmp_path: Path) -> None:
    repository = tmp_path / "datasets--a--b"
    snapshot = repository / "snapshots" / ("0" * 40)
    snapshot.mkdir(parents=True)
    (repository / "blobs").mkdir()
    (repository / "blobs" / "x").touch()
    (snapshot / "1.png").symlink_to(repository / "blobs" / "x")
    assert inside(snapshot / "1.png", snapshot)
    (snapshot / "2.png").symlink_to(tmp_path)
    assert not inside(snapshot / "2.png", snapshot)


@pytest.mark.parametrize(
    "value", ["/etc/passwd", "../lists/words.toml", "words/../../words.toml", "~/words.toml", "link.toml"]
)
@pytest.mark.parametrize("params", ["{{lexicon = '{}'}}", "{{lists = ['a', '{}']}}", "{{deep = {{er = '{}'}}}}"])
def test_a_suite_names_no_file_outside(
    params: str, value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "suite"
    folder.mkdir()
    monkeypatch.chdir(folder)
    (tmp_path / "words.toml").touch()
    (folder / "link.toml").symlink_to(tmp_path / "words.toml")
    (folder / "s.toml").write_text(f"id = 's'\n[[audits]]\nid = 'lexicon'\nparams = {params.format(value)}\n")
    with pytest.raises(UsageError) as caught:
        load_suite("s.toml")
    assert "leads out of the folder" in one_line(caught.value)


@pytest.mark.parametrize("value", ["words.toml", "a photo of a {}/drawing", "and/or", "...", "a/b", "A: a {}"])
def test_what_stays_is_let_through(value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "words.toml").touch()
    (tmp_path / "s.toml").write_text(f"id = 's'\n[[audits]]\nid = 'lexicon'\nparams = {{x = '{value}'}}\n")
    assert load_suite("s.toml").audits[0].params["x"] == value


@pytest.mark.parametrize("name", ["/etc/passwd", "../suite.toml", "mine.toml", "./demo"])
def test_a_suite_includes_packaged_suites_only(name: str, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("id = 'mine'\n[[audits]]\nid = 'lexicon'\n")
    (tmp_path / "s.toml").write_text(f"id = 's'\ninclude = ['{name}']\n")
    with pytest.raises(UsageError, match="no suite"):
        load_suite(str(tmp_path / "s.toml"))


@pytest.mark.parametrize("name", ["manifest.toml", "scores.csv"])
def test_a_recording_is_whole_in_its_folder(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "recorded"
    folder.mkdir()
    (folder / "manifest.toml").write_text('name = "m"\nkind = "scores"\nscore_kind = "cosine"\n')
    (folder / "scores.csv").write_text("id,text,score\na,b,0.5\n")
    (folder / name).rename(tmp_path / name)
    (folder / name).symlink_to(tmp_path / name)
    with pytest.raises(ModelError, match="a link out of the folder"):
        open_model(f"recorded:{folder}", cache_dir=tmp_path)


def _rewritten(run: Path, change: Callable[[dict[str, object]], None]) -> None:
    content = json.loads((run / "result.json").read_text())
    change(content["cells"][0])
    (run / "result.json").write_text(json.dumps(content))


@pytest.mark.parametrize("slug", ["../../victim", "/tmp/victim", ".partial", "a\\..\\b"])
def test_a_result_names_no_place_outside(slug: str, stored_run: Path, tmp_path: Path) -> None:
    _rewritten(stored_run, lambda cell: cell.update(slug=slug, status=CellStatus.DONE.value))
    store, out = RunStore(stored_run), tmp_path / "rows"
    for use in (lambda: store.thumbnails(store.result()), lambda: export_rows(store, out, "csv")):
        with pytest.raises(ClipAuditError) as caught:
            use()
        assert "outside this run" in one_line(caught.value)
    assert not list(out.glob("*"))


def test_thumbnails_are_no_links(stored_run: Path, secret: Path) -> None:
    store = RunStore(stored_run)
    cell = store.result().cells[0]
    thumbs = store.folder(cell.slug, cell.key) / "thumbs"
    thumbs.mkdir(parents=True, exist_ok=True)
    (thumbs / "0.webp").symlink_to(secret)
    assert not any(name.endswith("0.webp") for name in store.thumbnails(store.result()))
