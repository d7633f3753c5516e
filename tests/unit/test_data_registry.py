"""Data sets by id: the user's own folders and tables, sets of installed packages, and what is said when they fail."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from clipaudit.api import Request, prepare
from clipaudit.data.card import HubSource
from clipaudit.data.digest import dataset_digest
from clipaudit.data.files import FileImage, NamedItem, RowImage
from clipaudit.data.registry import DataRegistry, parse_data_option
from clipaudit.data.sources_hub import hub_items, open_hub
from clipaudit.errors import DataError, DataUnavailable, ImageError, UsageError

CARD = 'id = "pets"\ntitle = "Pets"\nlicence = "mit"\nconsent = "animals only"\n'


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLIPAUDIT_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    """Two cats and a dog, with a card."""
    root = tmp_path / "pets"
    for number, name in enumerate(["cat/10.png", "cat/2.png", "dog/1.png"]):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 4), (number, 0, 0)).save(root / name)
    (root / "clipaudit.toml").write_text(CARD + 'images = "{label}/{file}"\n')
    return root


# --- folders ------------------------------------------------------------------------------------------------------


def test_a_folder_with_a_card(pets: Path) -> None:
    assert parse_data_option(str(pets)) == ("pets", pets)
    registry = DataRegistry({"pets": pets})
    assert "pets" in registry.ids()
    assert registry.reach("pets") is None
    data = registry.open("pets")
    assert [image.id for image in data.images] == ["cat/2.png", "cat/10.png", "dog/1.png"]  # natural order
    assert data.columns == ("label",)
    assert data.column("label") == ["cat", "cat", "dog"]
    assert data.images[0].load().getpixel((0, 0)) == (1, 0, 0)
    assert (data.info.items, data.info.licence, data.info.consent) == (3, "mit", "animals only")
    assert str(pets) not in data.info.model_dump_json()


def test_a_known_set_by_its_id() -> None:
    assert parse_data_option("objects") == ("objects", None)
    assert DataRegistry(dict([parse_data_option("objects")])).reach("objects") is None
    with pytest.raises(UsageError, match="objectz: no such file or folder"):
        parse_data_option("objectz")


def test_a_suite_takes_the_users_own_set_for_the_audits_that_can_use_it(pets: Path) -> None:
    plan, _ = prepare(Request(suite="demo", data=(str(pets),)))
    own = {entry.id for entry in plan.suite.audits if entry.data == "pets"}
    assert "typographic" in own  # a label is all it needs
    assert "counterfactual" not in own  # drawn people only
    with pytest.raises(UsageError, match=r"--data pets: no audit of suite 'social-bias' can use it \(\w+: "):
        prepare(Request(suite="social-bias", data=(str(pets),)))


def test_a_folder_without_a_card_shows_the_lines_to_write(tmp_path: Path) -> None:
    folder = tmp_path / "my photos"
    (folder / "cat").mkdir(parents=True)
    Image.new("RGB", (4, 4)).save(folder / "cat" / "1.png")
    with pytest.raises(DataError) as caught:
        parse_data_option(str(folder))
    lines = caught.value.example.splitlines()
    assert len(lines) == 5
    (folder / "clipaudit.toml").write_text("\n".join(lines))  # what is shown works as it is
    data_id, path = parse_data_option(str(folder))
    assert DataRegistry({data_id: path}).open(data_id).column("label") == ["cat"]


def test_images_that_do_not_fit_the_pattern_are_counted(pets: Path) -> None:
    shutil.copy(pets / "cat/2.png", pets / "stray.png")
    (pets / "README.txt").write_text("no image")
    (pets / "cat" / ".hidden.png").write_text("no image")
    data = DataRegistry({"pets": pets}).open("pets")
    assert len(data) == 3
    assert data.info.limits == ("1 image file does not fit the card and was left out (first: stray.png).",)


def test_nothing_fits(pets: Path) -> None:
    (pets / "clipaudit.toml").write_text(CARD + 'images = "{label}/{_}/{file}"\n')
    with pytest.raises(
        DataError, match=r"no image file fits the pattern '\{label\}/\{_\}/\{file\}'; the first .* cat/"
    ):
        DataRegistry({"pets": pets}).open("pets")


def test_links_are_followed_once_and_loops_end(pets: Path) -> None:
    elsewhere = pets / ".elsewhere"
    elsewhere.mkdir()
    Image.new("RGB", (4, 4)).save(elsewhere / "1.png")
    (pets / "fox").symlink_to(elsewhere)
    (pets / "cat" / "up").symlink_to(pets)
    data = DataRegistry({"pets": pets}).open("pets")
    assert sorted(set(data.column("label"))) == ["cat", "dog", "fox"]
    assert len(data) == 4
    assert all(image.digest for image in data.images)


def test_a_damaged_image_is_an_item_like_any_other(pets: Path) -> None:
    (pets / "cat" / "3.png").touch()
    (pets / "cat" / "4.png").symlink_to(pets / "nowhere")
    data = DataRegistry({"pets": pets}).open("pets")
    assert len(data) == 5
    with pytest.raises(ImageError, match="0 bytes"):
        data.images[1].load()
    with pytest.raises(ImageError, match="no such file"):
        data.images[2].load()


def test_names_that_are_no_text(pets: Path) -> None:
    name = b"caf\xe9.png"
    try:
        with open(bytes(pets / "cat") + b"/" + name, "wb") as file:
            Image.new("RGB", (2, 2)).save(file, "PNG")
    except OSError:
        pytest.skip("this file system holds UTF-8 names only")
    item = next(i for i in DataRegistry({"pets": pets}).open("pets").images if "caf" in i.id)
    assert item.id == "cat/caf\\xe9.png"
    item.id.encode()
    assert item.load().size == (2, 2)


# --- tables -------------------------------------------------------------------------------------------------------


def _table(root: Path, text: str, keys: str, name: str = "a.csv") -> DataRegistry:
    (root / name).write_text(text, encoding="utf-8")
    (root / "clipaudit.toml").write_text(CARD + f'table = "{name}"\n{keys}')
    return DataRegistry({"pets": root})


def test_csv_with_paths(pets: Path) -> None:
    data = _table(pets, "file,label,age\ncat/2.png,cat,007\ndog/1.png,dog,NA\n", 'image = "file"\n').open("pets")
    assert [type(image) for image in data.images] == [FileImage, FileImage]
    assert [image.id for image in data.images] == ["cat/2.png", "dog/1.png"]
    assert data.column("age") == ["007", "NA"]  # text as written: no number, no missing value
    assert data.images[1].load().getpixel((0, 0)) == (2, 0, 0)


@pytest.mark.parametrize(
    ("name", "text"), [("a.csv", "id,label\n1,caf\u00e9\n2,\n"), ("a.tsv", "id\tlabel\n1\tcaf\u00e9\n2\t\n")]
)
def test_ids_only(pets: Path, name: str, text: str) -> None:
    data = _table(pets, text, 'item = "id"\n', name).open("pets")
    assert [type(image) for image in data.images] == [NamedItem, NamedItem]
    assert data.column("label") == ["caf\u00e9", ""]
    assert "no images" in data.info.source


def test_parquet_with_images_in_it(pets: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    cells = [{"bytes": (pets / name).read_bytes(), "path": None} for name in ("cat/2.png", "dog/1.png")]
    cells += [{"bytes": b"broken", "path": None}, {"bytes": None, "path": None}]
    pq.write_table(
        pa.table({"image": cells, "number": [4.0, 5.0, 6.0, None], "label": ["cat", "dog", "x", "y"]}),
        pets / "a.parquet",
    )
    (pets / "clipaudit.toml").write_text(CARD + 'table = "a.parquet"\nimage = "image"\n')
    data = DataRegistry({"pets": pets}).open("pets")
    assert [image.id for image in data.images] == ["0", "1", "2", "3"]
    assert data.column("number") == ["4", "5", "6", ""]
    assert isinstance(data.images[1], RowImage)
    assert data.images[1].load().getpixel((0, 0)) == (2, 0, 0)
    with pytest.raises(ImageError, match="not an image"):
        data.images[2].load()
    with pytest.raises(ImageError, match="holds no image"):
        data.images[3].load()


@pytest.mark.parametrize(
    ("text", "keys", "said"),
    [
        ("file,label\na,b\n", 'image = "fil"\n', "has no column 'fil'; did you mean file?"),
        ("file,label\n,b\n", 'image = "file"\n', "row 1 has no file"),
        ("file,label\na,b\na,c\n", 'image = "file"\n', "two items have the id 'a'"),
        ("file,label\na,b\n", 'image = "file"\ncolumns = {lable = "the animal"}\n', "no column 'lable'; did you mean label?"),
        ("file,label\na,b\n", 'image = "file"\ngroups = ["breed"]\n', "no column 'breed'"),
        ("file,label\na,b\n", 'image = "file"\ncluster = "photo"\n', "no column 'photo'"),
        ("file,label\n", 'image = "file"\n', "no rows"),
        ("", 'image = "file"\n', "cannot be read"),
        ("file,file\na,b\n", 'image = "file"\n', "two columns are called 'file'"),
        ('file,label\n"a,b\n', 'image = "file"\n', "cannot be read"),
    ],
)  # fmt: skip
def test_a_bad_table_is_one_line(pets: Path, text: str, keys: str, said: str) -> None:
    with pytest.raises(DataError) as caught:
        _table(pets, text, keys).open("pets")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_absent_table_is_out_of_reach(pets: Path) -> None:
    registry = _table(pets, "x", 'image = "file"\n')
    (pets / "a.csv").unlink()
    assert registry.reach("pets") == "the table a.csv is not there"
    with pytest.raises(DataUnavailable):
        registry.open("pets")


def test_a_table_beside_its_card(pets: Path) -> None:
    _table(pets, "file,label\ncat/2.png,cat\n", 'image = "file"\n')
    assert parse_data_option(str(pets / "a.csv")) == ("pets", pets / "a.csv")
    assert len(DataRegistry({"pets": pets / "a.csv"}).open("pets")) == 1
    (pets / "b.csv").write_text("file\n")
    with pytest.raises(DataError, match=r"not about b\.csv"):
        parse_data_option(str(pets / "b.csv"))


# --- the hub's form -----------------------------------------------------------------------------------------------


def _hub(**keys: Any) -> HubSource:
    return HubSource(kind="hub", repo="org/pets", revision="0" * 40, split="train", **keys)


@pytest.fixture
def hub_rows(tmp_path: Path) -> Any:
    """A data set as the hub stores them: Parquet shards with images and class labels, read by `datasets`."""
    import datasets

    def png(red: int) -> dict[str, Any]:
        buffer = io.BytesIO()
        Image.new("RGB", (4, 4), (red, 0, 0)).save(buffer, "PNG")
        return {"bytes": buffer.getvalue(), "path": f"{red}.png"}

    features = datasets.Features(
        {"image": datasets.Image(), "label": datasets.ClassLabel(names=["cat", "dog"]), "n": datasets.Value("int64")}
    )
    rows = datasets.Dataset.from_dict({"image": [png(1), png(2)], "label": [1, 0], "n": [7, 8]}, features=features)
    folder = tmp_path / "hub" / "data"
    folder.mkdir(parents=True)
    rows.to_parquet(folder / "train-00000-of-00001.parquet")
    return datasets.load_dataset(str(folder.parent), split="train", cache_dir=str(tmp_path / "hf"))


def test_rows_of_the_hub(hub_rows: Any) -> None:
    loaded = hub_items(_hub(rename={"label": "animal"}), hub_rows)
    assert [(item.id, dict(item.attributes)) for item in loaded.items] == [
        ("1.png", {"animal": "dog", "n": "7"}),  # the file names that the hub's tables keep with the images
        ("2.png", {"animal": "cat", "n": "8"}),
    ]
    assert loaded.items[1].load().getpixel((0, 0)) == (2, 0, 0)
    assert [item.id for item in hub_items(_hub(id="n"), hub_rows).items] == ["7", "8"]
    with pytest.raises(DataError, match="no column 'picture'"):
        hub_items(_hub(image="picture"), hub_rows)


def test_only_the_files_of_the_split_are_read(hub_rows: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from clipaudit.data import sources_hub

    folder = tmp_path / "org" / "pets" / "data"
    folder.mkdir(parents=True)
    shutil.copy(tmp_path / "hub" / "data" / "train-00000-of-00001.parquet", folder)
    (folder / "test-00000-of-00001.parquet").write_bytes(b"large, and not wanted")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(sources_hub, "hub_reach", lambda *_, **__: None)
    loaded = sources_hub.open_hub(_hub(files="data/train-*"), offline=True)
    assert [item.attributes["n"] for item in loaded.items] == ["7", "8"]
    with pytest.raises(DataUnavailable):
        sources_hub.open_hub(_hub(), offline=True)


def test_another_revision_is_another_digest(hub_rows: Any) -> None:
    one, other = (hub_items(_hub().model_copy(update={"revision": c * 40}), hub_rows) for c in "01")
    assert dataset_digest(one.items, ("label",), one.identity) != dataset_digest(
        other.items, ("label",), other.identity
    )


def test_offline_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(DataUnavailable, match=r"not in the local cache, and the network is not to be used"):
        open_hub(_hub(), offline=True)


# --- digests ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("change", ["content", "name", "column", "missing"])
def test_the_digest_changes_with_the_data(pets: Path, change: str) -> None:
    def digest() -> str:
        return DataRegistry({"pets": pets}).open("pets").info.digest

    before = digest()
    assert digest() == before
    (pets / "dog" / "1.png").touch()  # another time, the same bytes
    assert digest() == before
    if change == "content":
        Image.new("RGB", (4, 4), (9, 0, 0)).save(pets / "dog" / "1.png")
    elif change == "name":
        (pets / "dog" / "1.png").rename(pets / "dog" / "3.png")
    elif change == "column":
        (pets / "dog").rename(pets / "fox")
    else:
        (pets / "dog" / "1.png").unlink()
    assert digest() != before


def test_a_copy_elsewhere_has_the_same_digest(pets: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(pets, copy)
    assert (
        DataRegistry({"pets": pets}).open("pets").info.digest == DataRegistry({"pets": copy}).open("pets").info.digest
    )


def test_the_checksum_of_a_card_is_checked(pets: Path) -> None:
    digest = DataRegistry({"pets": pets}).open("pets").info.digest
    (pets / "clipaudit.toml").unlink()
    front = "pretty_name: Pets\nlicense: mit\nclipaudit:\n  id: pets\n  source: {kind: folder, path: .}\n  consent: animals\n"
    for checksum, good in ((digest, True), ("0" * 64, False)):
        (pets / "card.md").write_text(f"---\n{front}  checksum: '{checksum}'\n---\n")
        if good:
            assert DataRegistry({"pets": pets}).open("pets").info.digest == digest
        else:
            with pytest.raises(DataError, match="not those of the card"):
                DataRegistry({"pets": pets}).open("pets")


def test_large_sets_count_sizes_only(pets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clipaudit.data.digest.CONTENT_BYTES", 10)
    assert DataRegistry({"pets": pets}).open("pets").info.digest.startswith("sizes-")


# --- names --------------------------------------------------------------------------------------------------------


def test_sets_of_installed_packages() -> None:
    registry = DataRegistry()
    assert set(registry.ids()) >= {"avatars", "cue-conflict", "ieat", "objects", "rta100", "tuxpaint-stamps"}
    assert not registry.broken
    assert len(registry.open("objects")) == 160
    assert registry.reach("rta100") == "give its folder with --data rta100=FOLDER"
    with pytest.raises(DataUnavailable, match="--data rta100=FOLDER"):
        registry.open("rta100")


def test_drawn_people() -> None:
    pytest.importorskip("python_avatars")
    pytest.importorskip("resvg_py")
    data = DataRegistry().open("avatars")
    assert (len(data), data.cluster) == (640, "identity")


@pytest.mark.parametrize("option", ["nowhere", "rta100=nowhere"])
def test_a_place_that_is_not_there(option: str) -> None:
    with pytest.raises(UsageError, match="no such file or folder"):
        DataRegistry(dict([parse_data_option(option)]))


def test_an_unknown_id_offers_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean avatars"):
        DataRegistry().open("avatar")


def test_a_known_set_by_its_folder_or_by_a_table_of_ids(tmp_path: Path) -> None:
    folder = tmp_path / "rta"
    folder.mkdir()
    Image.new("RGB", (4, 4)).save(folder / "label=pen_text=cup.jpg")
    assert parse_data_option(f"rta100={folder}") == ("rta100", folder)
    data = DataRegistry({"rta100": folder}).open("rta100")
    assert dict(data.images[0].attributes) == {"label": "pen", "written": "cup"}
    table = tmp_path / "rta.csv"
    table.write_text("id,label,written,extra\na.jpg,pen,cup,1\n")
    listed = DataRegistry({"rta100": table}).open("rta100")
    assert (listed.images[0].id, listed.columns, listed.info.licence) == ("a.jpg", ("label", "written"), "mit")
    assert isinstance(listed.images[0], NamedItem)
    with pytest.raises(DataError, match="not read from a folder"):
        DataRegistry({"avatars": folder})


def test_another_id_than_the_cards(pets: Path) -> None:
    with pytest.raises(UsageError, match=r"the card there is of 'pets'"):
        DataRegistry({"cats": pets})


def test_a_broken_card_of_a_package_hides_no_other(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from clipaudit.data import registry as module

    real: Callable[[], Any] = module.installed_cards
    bad = tmp_path / "bad" / "card.md"
    bad.parent.mkdir()
    bad.write_text("no front matter")
    monkeypatch.setattr(module, "installed_cards", lambda: [*real(), ("bad", bad)])
    registry = DataRegistry()
    assert "bad" not in registry.ids()
    assert "objects" in registry.ids()
    with pytest.raises(DataError, match="no YAML front matter"):
        registry.card("bad")


def test_head_draws_the_same_items_for_the_same_seed() -> None:
    data = DataRegistry().open("objects")
    assert [i.id for i in data.head(5, 1).images] == [i.id for i in data.head(5, 1).images]
    assert [i.id for i in data.head(5, 1).images] != [i.id for i in data.head(5, 2).images]
    assert replace(data, images=data.images[:3]).head(5).images == data.images[:3]
