"""File names and item ids of the published iEAT embeddings (Steed and Caliskan 2021, github.com/ryansteed/ieat).

One CSV per concept, `<category>_<concept>_<model>_<...>.csv` ("age_old_igpt_l_32.csv"): an unnamed running index,
one column per dimension (0, 1, ...), and `img`, the stimulus' file name. Names of categories and concepts hold no
underscore. An item's id is "category/concept/img" ("age/old/om2.jpg").
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from clipaudit.data.files import NamedItem
from clipaudit.errors import DataError, DataUnavailable
from clipaudit.images import ImageRef

_NAME = re.compile(r"(?P<category>[^_]+)_(?P<concept>[^_]+)_(?P<model>.+)\.csv")


@dataclass(frozen=True)
class IeatFile:
    """One concept's file. `model` is the rest of the file name ("igpt_l_32"); `dim` the embedding's dimension."""

    category: str
    concept: str
    model: str
    dim: int
    path: Path

    def item_id(self, img: str) -> str:
        """The id of the stimulus called `img` in this file: "age/old/om2.jpg"."""
        return f"{self.category}/{self.concept}/{img}"


def list_files(folder: Path) -> list[IeatFile]:
    """The embedding files in `folder`, sorted by category and concept; empty where there are none.

    Files with such a name but another header (test definitions, results) are passed over.
    Raises DataError if the folder holds two models' embeddings of one concept.
    """
    found: dict[tuple[str, str], IeatFile] = {}
    for path in sorted(folder.glob("*.csv")):
        match = _NAME.fullmatch(path.name)
        dim = _dimension(path) if match else 0
        if match is None or dim == 0:
            continue
        file = IeatFile(match["category"], match["concept"], match["model"], dim, path)
        other = found.setdefault((file.category, file.concept), file)
        if other is not file:
            raise DataError(
                f"{folder}: {other.path.name} and {path.name} both hold {file.category}/{file.concept}; "
                "put each model's embeddings into a folder of its own"
            )
    return [found[key] for key in sorted(found)]


def read_ids(file: IeatFile) -> list[str]:
    """The item ids of one file, in the file's order. Raises DataError where a row has no file name."""
    ids = []
    for number, row in enumerate(_lines(file.path), start=2):
        if len(row) != file.dim + 2 or not row[-1]:
            raise DataError(
                f"{file.path}: line {number} has {len(row)} fields instead of {file.dim + 2}; the file is damaged"
            )
        ids.append(file.item_id(row[-1]))
    return ids


def _lines(path: Path) -> Iterator[list[str]]:
    """The lines below the header. Raises DataError where they cannot be read."""
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            rows = csv.reader(stream)
            next(rows, None)
            yield from rows
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: cannot be read as CSV ({error})") from error


def read_items(folder: Path) -> list[ImageRef]:
    """All stimuli of a folder of embedding files, known by name only, with the columns category and concept.

    Raises DataUnavailable where the folder holds no such files.
    """
    items: list[ImageRef] = []
    for file in list_files(folder):
        columns = {"category": file.category, "concept": file.concept}
        items += [NamedItem(item, columns) for item in read_ids(file)]
    if not items:
        raise DataUnavailable(f"{folder}: holds no embedding files named CATEGORY_CONCEPT_MODEL.csv")
    return items


def _dimension(path: Path) -> int:
    """Number of dimension columns if the header is that of an embedding file, else 0."""
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            header = next(csv.reader(stream), [])
    except (OSError, UnicodeDecodeError, csv.Error):
        return 0
    dimensions = header[1:-1]
    if len(header) < 3 or header[-1] != "img" or dimensions != [str(i) for i in range(len(dimensions))]:
        return 0
    return len(dimensions)
