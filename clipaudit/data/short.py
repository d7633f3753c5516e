"""The short form of a card, for one's own data: a few lines of TOML in the folder of images or beside a table."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from clipaudit.data.card import ID_PATTERN, DataCard, FolderSource, Statement, TableSource, Text, _Block
from clipaudit.results import GroupsAre

FILE = "clipaudit.toml"


class ShortCard(_Block):
    """Keys of `clipaudit.toml`. Paths are relative to it."""

    id: str = Field(pattern=ID_PATTERN)
    title: Text
    licence: Statement
    consent: Statement
    images: str | None = None  # pattern of the images' paths, e.g. "{label}/{file}"
    folder: str = "."  # where the images lie
    table: str | None = None  # CSV, TSV or Parquet, instead of a pattern
    item: str | None = None  # the table's column with the items' ids
    image: str | None = None  # the table's column with the images' paths
    columns: Mapping[str, str] = Field(default_factory=dict)
    groups: tuple[str, ...] = ()
    groups_are: GroupsAre = "annotated"
    cluster: str | None = None
    thumbnails: bool = False
    citation: str = ""
    limits: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.images is None) == (self.table is None):
            raise ValueError('give either images = "{label}/{file}" or table = "labels.csv"')
        if self.table is None and (self.item or self.image):
            raise ValueError("item and image are columns of a table; with images there is none")
        return self


def to_card(short: ShortCard) -> DataCard:
    """The full card. Raises pydantic's ValidationError for a malformed pattern."""
    source: FolderSource | TableSource
    if short.table is not None:
        source = TableSource(kind="table", path=short.table, id=short.item, image=short.image, root=short.folder)
    else:
        source = FolderSource(kind="folder", pattern=short.images or "", path=short.folder)
    shared = short.model_dump(include={*DataCard.model_fields} & {*ShortCard.model_fields})
    return DataCard(source=(source,), **shared)


def template(path: Path) -> str:
    """The five lines to write for a folder without a card, joined by " | "... one a line."""
    name = "".join(char if char.isalnum() else "-" for char in path.name.lower()).strip("-") or "my-data"
    lines = (
        f'id = "{name if name.isascii() else "my-data"}"',
        f'title = "{name}"',
        'licence = "who may use the images, and how"',
        'consent = "who is shown, and on what basis"',
        'images = "{label}/{file}"',
    )
    return "\n".join(lines)
