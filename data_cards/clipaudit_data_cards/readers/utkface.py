"""UTKFace: annotations from file names, `AGE_GENDER_RACE_DATE.jpg` (with `.chip` for the aligned faces)."""

from __future__ import annotations

import os
import re
from bisect import bisect_right
from collections.abc import Mapping
from pathlib import Path

from clipaudit.data.files import FileImage, NamedItem
from clipaudit.data.order import natural_key, portable
from clipaudit.data.sources_folder import scan
from clipaudit.errors import DataError
from clipaudit.images import ImageRef
from clipaudit.text import printable

GENDERS = ("Male", "Female")
RACES = ("White", "Black", "Asian", "Indian", "Others")
# FairFace's ranges, so that the two sets can be compared: the first year of each.
AGES = {
    0: "0-2", 3: "3-9", 10: "10-19", 20: "20-29", 30: "30-39", 40: "40-49", 50: "50-59", 60: "60-69",
    70: "more than 70",
}  # fmt: skip
OLDEST = 116  # as the authors say
_NAME = re.compile(r"(?P<years>\d{1,3})_(?P<gender>[01])_(?P<race>[0-4])_(?P<date>\d+)")
_FAULT = "the file's name is not AGE_GENDER_RACE_DATE.jpg (gender 0 or 1, race 0 to 4)"
_UNKNOWN = {"race": "", "gender": "", "age": "", "years": ""}


def read_faces(folder: Path) -> list[ImageRef]:
    """Every image file below `folder`, with the columns race, gender, age and years.

    A malformed name makes an item that cannot be read. Raises DataError if there are no image files.
    """
    items: list[ImageRef] = []
    for path in sorted(scan(folder), key=natural_key):
        name = portable(path.replace(os.sep, "/"))
        known = annotated(name)
        items.append(
            NamedItem(name, _UNKNOWN, _FAULT) if known is None else FileImage(name, known, folder / path, within=folder)
        )
    if not items:
        raise DataError(f"{printable(folder)}: holds no image files")
    return items


def annotated(path: str) -> Mapping[str, str] | None:
    """What a file's name says; None where it is malformed.

    >>> annotated("part1/25_1_2_20170116174525125.jpg.chip.jpg")
    {'race': 'Asian', 'gender': 'Female', 'age': '20-29', 'years': '25'}
    >>> annotated("61_1_20170109142408075.jpg") is None
    True
    """
    name = path.rsplit("/", 1)[-1]
    stem = re.sub(r"(\.chip)?\.jpe?g$", "", re.sub(r"\.jpe?g\.chip\.jpe?g$", "", name))
    found = _NAME.fullmatch(stem)
    if found is None or int(found["years"]) > OLDEST:
        return None
    years = int(found["years"])
    age = AGES[list(AGES)[bisect_right(list(AGES), years) - 1]]
    return {
        "race": RACES[int(found["race"])],
        "gender": GENDERS[int(found["gender"])],
        "age": age,
        "years": str(years),
    }
