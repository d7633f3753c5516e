"""The data card: Markdown with YAML front matter in the Hugging Face dataset-card form plus a `clipaudit:` block.

---
pretty_name: RTA-100
license: mit
clipaudit:
  id: rta100
  source: {kind: folder, pattern: "label={label}_text={written}.jpg"}
  columns: {label: class of the object, written: word on the note}
  cluster: id
  consent: photographs of objects; no people
  thumbnails: true
---
What it is, how it was made, what it does not show.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, field_validator

from clipaudit.data.pattern import compile_pattern
from clipaudit.errors import DataError
from clipaudit.results import GroupsAre

ID_PATTERN = r"^[a-z0-9][a-z0-9_.-]*$"
_NO_STATEMENT = frozenset({"", "...", "?", "-", "n/a", "tba", "tbd", "todo", "unknown"})


def _statement(text: Any) -> Any:
    if isinstance(text, str) and text.strip().lower() in _NO_STATEMENT:
        raise ValueError(f"{text!r} says nothing; without licence and consent statement there is no run")
    return text


Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Statement = Annotated[str, BeforeValidator(_statement), StringConstraints(strip_whitespace=True)]


class _Block(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class BuiltinSource(_Block):
    """Drawn at run time by `clipaudit.stimuli.<generator>`."""

    kind: Literal["builtin"]
    generator: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    options: Mapping[str, str | int | float | bool] = Field(default_factory=dict)


class FolderSource(_Block):
    """Image files below one folder. Columns come from the path by `pattern`: each {name} matches a piece of
    it ("{label}/{file}", "label={label}_text={written}.jpg"). The path is the user's unless `path` is given,
    relative to the card; `system_paths` are tried last (data that a system package installs).

    `system_paths` and `reader` are for cards that came with an installed package, not for a user's own."""

    kind: Literal["folder"]
    pattern: str = "{label}/{file}"
    path: str | None = None
    system_paths: tuple[str, ...] = ()
    package: str | None = None  # the system package that brings it, for the message when it is absent
    reader: str | None = None  # "module:function" for folders whose columns a pattern cannot say
    resources: Mapping[str, str] = Field(default_factory=dict)  # name -> glob

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, pattern: str) -> str:
        try:
            compile_pattern(pattern)
        except DataError as error:
            raise ValueError(str(error)) from error
        return pattern


class TableSource(_Block):
    """A CSV, TSV or Parquet table. `image` names the column with paths relative to `root`, or with the images
    themselves (Parquet), or says the paths by columns in braces ("images/{IDX}.jpg"); None, or none of the files there:
    ids only. `id` names the column with the items' ids; None: the image paths, else the rows' numbers.

    `path` is relative to the card, or to the folder the user gives; * in it stands for any text of a file's name."""

    kind: Literal["table"]
    path: str
    id: str | None = None
    image: str | None = None
    root: str = "."
    rename: Mapping[str, str] = Field(default_factory=dict)  # column in the table -> column of the card


class HubSource(_Block):
    """A data set on the Hugging Face hub, at a pinned revision, read through `datasets`."""

    kind: Literal["hub"]
    repo: str = Field(pattern=r"^[\w.-]+/[\w.-]+$")
    revision: str = Field(pattern=r"^[0-9a-f]{40}$")  # a commit: a branch or tag can move
    split: str
    config: str | None = None
    files: str | None = None  # glob of the split's own files; None: `datasets` fetches those of all splits
    image: str = "image"
    id: str | None = None  # None: the file name stored with the image, else the row's number in its split
    rename: Mapping[str, str] = Field(default_factory=dict)


Source = Annotated[BuiltinSource | FolderSource | TableSource | HubSource, Field(discriminator="kind")]


class DataCard(_Block):
    """What is known about a data set. No licence or no consent statement, no run."""

    id: str = Field(pattern=ID_PATTERN)
    title: Text
    licence: Statement
    consent: Statement
    source: tuple[Source, ...] = Field(min_length=1)  # tried in order
    columns: Mapping[str, str] = Field(default_factory=dict)  # name -> meaning; empty: every column there is
    groups: tuple[str, ...] = ()
    groups_are: GroupsAre = "annotated"  # "drawn": of drawings, where whoever made them decided
    cluster: str | None = None
    thumbnails: bool = False
    refine: str | None = None  # "module:function", Loaded -> Loaded, for what no pattern can say; installed cards only
    checksum: str | None = None  # digest of the loaded items, checked when given
    citation: str = ""
    limits: tuple[str, ...] = ()
    text: str = ""  # the Markdown below the front matter
