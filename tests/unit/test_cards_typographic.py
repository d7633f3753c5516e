"""Cards of sets that were photographed with notes, on small sets of the same form."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from PIL import Image

from clipaudit.data.dataset import Dataset
from clipaudit.data.files import NamedItem
from clipaudit.data.registry import DataRegistry
from clipaudit.errors import DataError

TRIPLES = (("0001", "ball", "car", "0.377"), ("0002", "fire extinguisher", "bed", "4.5"))
VARIANTS = {"SCAM": "real", "NoSCAM": "clean", "SynthSCAM": "synthetic"}
ROWS = [
    {
        "file_name": f"{kind}_img_{number}.jpg", "type": kind, "object_label": label, "attack_word": word,
        "postit_area_pct": area, "id": f"{kind}_img_{number}",
    }
    for kind in VARIANTS
    for number, label, word, area in TRIPLES
]  # fmt: skip


def _open(data_id: str, place: Path) -> Dataset:
    return DataRegistry({data_id: place}).open(data_id)


def _table(path: Path, rows: list[dict[str, str]]) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.fixture
def unpacked(tmp_path: Path) -> Path:
    folder = tmp_path / "images" / "train"
    folder.mkdir(parents=True)
    for i, row in enumerate(ROWS):
        Image.new("RGB", (8, 8), (40 * i, 0, 0)).save(folder / row["file_name"])
    (folder / "metadata.jsonl").write_text("\n".join(json.dumps(row) for row in ROWS) + "\n")
    return tmp_path


def _is_scam(data: Dataset) -> None:
    assert len(data) == 6
    assert data.columns == ("label", "written", "variant", "photo", "area")
    assert data.cluster == "photo"
    found = {(image.attributes["photo"], image.attributes["variant"]): image for image in data.images}
    assert set(found) == {(f"img_{number}", kind) for number, *_ in TRIPLES for kind in VARIANTS.values()}
    one = found["img_0002", "synthetic"].attributes
    assert (one["label"], one["written"], one["area"]) == ("fire extinguisher", "bed", "0.045")


def test_scam_unpacked(unpacked: Path) -> None:
    data = _open("scam", unpacked)
    _is_scam(data)
    assert [image.id for image in data.images] == [row["id"] for row in ROWS]
    assert data.images[1].load().getpixel((0, 0))[0] in range(35, 46)


def test_scam_as_a_table_only(tmp_path: Path) -> None:
    data = _open("scam", _table(tmp_path / "t.csv", ROWS))
    _is_scam(data)
    assert all(isinstance(image, NamedItem) for image in data.images)


def test_scam_as_the_hub_gives_it(tmp_path: Path) -> None:
    """Rows with images inside, through the functions that the card names."""
    from clipaudit_data_cards.readers.scam import triples
    from datasets import Dataset as Rows
    from datasets import Features, Value
    from datasets import Image as Pictures

    from clipaudit.data.card import HubSource
    from clipaudit.data.sources_hub import hub_items

    card = DataRegistry().card("scam")
    source = next(one for one in card.source if isinstance(one, HubSource))
    names = ("type", "object_label", "attack_word", "id")
    columns = {name: [row[name] for row in ROWS] for name in names}
    columns["postit_area_pct"] = [float(row["postit_area_pct"]) for row in ROWS]
    columns["image"] = [Image.new("RGB", (8, 8), (40 * i, 0, 0)) for i in range(len(ROWS))]
    features = Features({name: Value("string") for name in names} | {"postit_area_pct": Value("float64")})
    features["image"] = Pictures()
    loaded = triples(hub_items(source, Rows.from_dict(columns, features=features)))
    assert [item.id for item in loaded.items] == [row["id"] for row in ROWS]
    assert loaded.items[3].attributes == {
        "label": "fire extinguisher", "written": "bed", "variant": "clean", "photo": "img_0002", "area": "0.045"
    }  # fmt: skip
    assert loaded.items[2].load().size == (8, 8)


@pytest.mark.parametrize(
    "rows",
    [
        [
            {"image": f"x/{row['file_name']}", "label": row["object_label"], "written": row["attack_word"]}
            for row in ROWS
        ],
        [{"id": r["id"], "label": r["object_label"], "written": r["attack_word"], "variant": r["type"]} for r in ROWS],
    ],
)
def test_scam_tables_by_other_names(tmp_path: Path, rows: list[dict[str, str]]) -> None:
    data = _open("scam", _table(tmp_path / "t.csv", rows))
    assert sorted(data.column("variant")) == sorted(2 * list(VARIANTS.values()))
    assert set(data.column("photo")) == {"img_0001", "img_0002"}
    assert set(data.column("area")) == {""}


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"id": "a", "label": "ball"}, "no column written or attack_word or word"),
        (
            {"id": "a", "label": "ball", "written": "car", "type": "Scan"},
            "'Scan' is none of SCAM, NoSCAM and SynthSCAM",
        ),
    ],
)
def test_a_table_that_is_none_is_one_clear_line(tmp_path: Path, row: dict[str, str], words: str) -> None:
    with pytest.raises(DataError, match=words):
        _open("scam", _table(tmp_path / "t.csv", [row]))


def test_a_folder_without_metadata_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "images.zip").write_bytes(b"")
    with pytest.raises(DataError, match=r"neither metadata.jsonl nor metadata.csv .* unpack images.zip first"):
        _open("scam", tmp_path)


def test_paint_has_the_file_names_of_rta100(tmp_path: Path) -> None:
    for name in ("label=coffee mug_text=dog.jpg", "label=pen_text=cup.png"):
        Image.new("RGB", (8, 8)).save(tmp_path / name)
    data = _open("paint", tmp_path)
    assert data.column("label") == ["coffee mug", "pen"]
    assert data.column("written") == ["dog", "cup"]


@pytest.mark.parametrize("data_id", ["paint", "rta100"])
def test_a_table_of_names_is_enough_for_recorded_models(tmp_path: Path, data_id: str) -> None:
    rows = [{"id": "label=pen_text=cup.jpg", "label": "pen", "written": "cup"}]
    data = _open(data_id, _table(tmp_path / "t.csv", rows))
    assert data.images[0].id == "label=pen_text=cup.jpg"
    assert (data.column("label"), data.column("written")) == (["pen"], ["cup"])


@pytest.mark.parametrize(
    "row",
    [
        {"id": "RTA100/label=hot dog_text=cup.jpg", "type": "RTA100"},
        {"id": "label=hot dog_text=cup.jpg", "object_label": "hot dog", "attack_word": "cup"},
    ],
)
def test_a_table_of_file_names_or_other_names(tmp_path: Path, row: dict[str, str]) -> None:
    data = _open("rta100", _table(tmp_path / "t.csv", [row]))
    assert (data.column("label"), data.column("written")) == (["hot dog"], ["cup"])
