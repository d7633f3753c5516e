"""Cards of data sets that show people: what they hold, whom they show, and the faults they must notice."""

from __future__ import annotations

import csv
import shutil
from collections import Counter
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from clipaudit.data.dataset import Dataset
from clipaudit.data.files import FileImage, NamedItem
from clipaudit.data.registry import DataRegistry
from clipaudit.errors import DataError, DataUnavailable

SHARED = Path(__file__).resolve().parents[2] / ".." / "shared" / "data"


def _shared(name: str) -> Path:
    if not (SHARED / name).exists():
        pytest.skip(f"{name} of the shared data is not here")
    return SHARED / name


def _open(data_id: str, place: Path) -> Dataset:
    return DataRegistry({data_id: place}).open(data_id)


@pytest.mark.parametrize("data_id", ["fairface", "fairface-1.25", "utkface", "visogender", "visogender-oo", "ieat"])
def test_faces_never_leave_their_data_set(data_id: str) -> None:
    card = DataRegistry().card(data_id)
    assert card.thumbnails is False
    assert "annotat" in " ".join([*card.columns.values(), *card.limits, card.consent])


# --- FairFace -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("data_id", ["fairface", "fairface-1.25"])
def test_fairface_from_its_table_alone(data_id: str) -> None:
    data = _open(data_id, _shared("fairface_val_labels.csv"))
    assert len(data) == 10954
    assert (data.images[0].id, data.cluster) == ("val/1.jpg", None)
    assert data.info.groups == ("race", "gender", "age")
    assert Counter(data.column("race"))["Black"] == 1556  # of the published table
    assert Counter(data.column("gender")) == {"Male": 5792, "Female": 5162}
    assert all(isinstance(image, NamedItem) for image in data.images)
    assert "enough for recorded models" in data.info.limits[-1]
    assert f"padding {data.info.title[-5:-1]} only" in " ".join(data.info.limits)


def test_fairface_as_the_authors_give_it(tmp_path: Path) -> None:
    (tmp_path / "val").mkdir()
    for name in ("1", "2"):
        Image.new("RGB", (8, 8), (int(name), 0, 0)).save(tmp_path / "val" / f"{name}.jpg")
    (tmp_path / "fairface_label_val.csv").write_text(
        "file,age,gender,race,service_test\nval/1.jpg,3-9,Male,Black,True\nval/2.jpg,20-29,Female,White,False\n"
    )
    data = _open("fairface", tmp_path)
    assert [image.id for image in data.images] == ["val/1.jpg", "val/2.jpg"]
    assert data.images[1].load().size == (8, 8)
    shutil.copy(tmp_path / "fairface_label_val.csv", tmp_path / "fairface_old_val.csv")
    with pytest.raises(DataUnavailable, match=r"several tables fit .*fairface_label_val.csv, fairface_old_val.csv"):
        raise DataUnavailable(DataRegistry({"fairface": tmp_path}).reach("fairface") or "")


def test_fairface_with_one_image_missing_reports_it_as_an_item(tmp_path: Path) -> None:
    (tmp_path / "val").mkdir()
    Image.new("RGB", (8, 8)).save(tmp_path / "val" / "1.jpg")
    (tmp_path / "fairface_label_val.csv").write_text(
        "file,age,gender,race,service_test\nval/1.jpg,3-9,Male,Black,True\nval/2.jpg,20-29,Female,White,False\n"
    )
    assert [type(image) for image in _open("fairface", tmp_path).images] == [FileImage, FileImage]


def test_a_table_that_is_not_fairfaces(tmp_path: Path) -> None:
    table = tmp_path / "labels.csv"
    table.write_text("path,race\n1.jpg,Black\n")
    with pytest.raises(DataError, match=r"labels.csv: has no column 'file'; .*path, race"):
        _open("fairface", table)


# --- Fluent people ------------------------------------------------------------------------------------------------


def test_fluent_people_tells_what_is_drawn() -> None:
    data = _open("fluent-people", _shared("fluent_people"))
    assert Counter(zip(data.column("presentation"), data.column("tone"), strict=True)) == {
        (who, f"tone {i}"): 16 for who in ("man", "woman", "person") for i in range(1, 6)
    }
    assert "For 45 of 48 drawn people the files' names give the wrong skin tone" in data.info.limits[-1]
    # Seen in the drawings themselves: the file named 1F3FC is blond and light for a judge, not for a technologist.
    tones = {image.id: image.attributes["tone"] for image in data.images}
    assert tones["1f468-1f3fd-200d-2696-fe0f.webp"] == "tone 2"
    assert tones["1f468-1f3fd-200d-1f4bb.webp"] == "tone 3"
    assert data.cluster == "role"


def _drawings(folder: Path, tones: dict[str, int], skin: str = "oval") -> Path:
    """One person in five files; the skin's grey is `tones` by the tone that the name says."""
    with (folder / "labels.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["file", "presentation", "unicode_tone", "role"])
        for tone, grey in tones.items():
            image = Image.new("RGB", (256, 256), "white")
            if skin == "oval":
                ImageDraw.Draw(image).ellipse((80, 40, 176, 160), (grey, grey, grey))
            image.save(folder / f"{tone}.png")
            table.writerow([f"{tone}.png", "man", tone, "judge"])
    return folder


@pytest.mark.parametrize(
    ("tones", "drawn", "said"),
    [
        ({"1": 230, "2": 190, "3": 140, "4": 90, "5": 40}, "12345", ""),
        ({"1": 230, "2": 140, "3": 190, "4": 90, "5": 40}, "13245", "named tone 2 show tone 3"),
        ({"1": 40, "2": 90, "3": 140, "4": 190, "5": 230}, "54321", "named tone 1 show tone 5"),
        ({"1": 230, "2": 228, "3": 140, "4": 90, "5": 40}, "12345", "could not be measured"),  # two look alike
        ({"1": 230, "2": 140, "4": 90, "5": 40}, "1245", "could not be measured"),  # one is missing
    ],
)
def test_exchanged_tones_are_noticed(tmp_path: Path, tones: dict[str, int], drawn: str, said: str) -> None:
    data = _open("fluent-people", _drawings(tmp_path, tones))
    assert data.column("tone") == [f"tone {tone}" for tone in drawn]
    notes = data.info.limits[len(DataRegistry().card("fluent-people").limits) :]
    assert len(notes) == bool(said)
    assert said in "".join(notes)


def test_tones_without_drawings(tmp_path: Path) -> None:
    folder = _drawings(tmp_path, {"1": 230, "2": 140, "3": 190, "4": 90, "5": 40})
    with Image.open(folder / "3.png") as image:
        assert image.size == (256, 256)
    (folder / "3.png").write_bytes(b"no image")
    assert "could not be measured" in _open("fluent-people", folder).info.limits[-1]
    for file in folder.glob("*.png"):
        file.unlink()
    assert "could not be measured" in _open("fluent-people", folder).info.limits[-1]
    (folder / "labels.csv").write_text("file,presentation,unicode_tone,role\na.png,man,dark,judge\n")
    with pytest.raises(DataError, match=r"a.png: unicode_tone is 'dark'; it must be one of 1, 2, 3, 4, 5"):
        _open("fluent-people", folder)


# --- UTKFace ------------------------------------------------------------------------------------------------------


def test_utkface_reads_its_names(tmp_path: Path) -> None:
    names = {
        "25_1_2_20170116174525125.jpg": ("Asian", "Female", "20-29", "25"),
        "part/0_0_4_1.jpg.chip.jpg": ("Others", "Male", "0-2", "0"),
        "116_0_0_2.jpg": ("White", "Male", "more than 70", "116"),
        "9_1_3_3.jpg": ("Indian", "Female", "3-9", "9"),
        "61_1_20170109142408075.jpg": None,  # one of the three known to lack the race
        "25_2_0_4.jpg": None,
        "25_1_5_4.jpg": None,
        "200_1_1_4.jpg": None,
        "holiday.jpg": None,
    }
    (tmp_path / "part").mkdir()
    for name in names:
        Image.new("RGB", (4, 4)).save(tmp_path / name)
    data = _open("utkface", tmp_path)
    assert len(data) == len(names)
    for image in data.images:
        said = names[image.id]
        assert tuple(image.attributes[c] for c in ("race", "gender", "age", "years")) == (said or ("", "", "", ""))
        if said is None:
            with pytest.raises(DataError, match=r"the file's name is not AGE_GENDER_RACE_DATE.jpg"):
                image.load()
        else:
            assert image.load().size == (4, 4)


# --- VisoGender ---------------------------------------------------------------------------------------------------

OP = (
    "IDX\tSector\tSpecialisation\tOccupation\tParticipant\tURL type (Type NA if can't find)\tLicence\t"
    "Occupation_perceived_gender\tParticipant_perceived_gender\tError codes\tAnnotator\n"
)


def test_visogender_from_its_table_and_with_images(tmp_path: Path) -> None:
    table = tmp_path / "OP_Visogender_11012024.tsv"
    lines = [
        "OP_1\tmedical\thospital\tdoctor\tpatient\tsomewhere/1\tYes\tmasculine\tfeminine\t\tA\n",
        "OP_2\tmedical\thospital\tdoctor\tpatient\tsomewhere/2\tYes\tfeminine\tfeminine\t\tA\n",
        "OP_3\tmedical\thospital\tdoctor\tpatient\tNA\tYes\tfeminine\tfeminine\t\tA\n",
    ]
    table.write_text(OP + "".join(lines))
    data = _open("visogender", table)
    assert [image.id for image in data.images] == ["OP_1", "OP_2"]
    assert data.column("gender") == ["masculine", "feminine"]
    assert data.info.limits[-1] == "1 of 3 rows of the table name no image and were left out."
    assert "somewhere" not in " ".join(
        " ".join(map(image.attributes.__getitem__, data.columns)) for image in data.images
    )
    (tmp_path / "images").mkdir()
    Image.new("RGB", (5, 5)).save(tmp_path / "images" / "OP_2.jpg")
    assert _open("visogender", tmp_path).images[1].load().size == (5, 5)


def test_visogender_oo(tmp_path: Path) -> None:
    head = (
        OP.replace("Participant\t", "Object\t")
        .replace("Licence", "LICENSE OK?")
        .replace("Participant_perceived_gender\t", "")
    )
    (tmp_path / "OO_Visogender_10052025.tsv").write_text(
        head + "OO_1\tmedical\thospital\tdoctor\tclipboard\tsomewhere\tYes\tfeminine\t\tA\n"
    )
    data = _open("visogender-oo", tmp_path)
    assert (data.column("object"), data.column("gender")) == (["clipboard"], ["feminine"])
