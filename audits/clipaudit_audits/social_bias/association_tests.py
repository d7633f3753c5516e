"""What an association test compares: two target sets X, Y and two attribute sets A, B, of words or of images.

A file of tests (TOML) names its sets once and its tests by the sets' names:

    [[tests]]
    name = "Flowers / insects, pleasantness"
    X = "flowers"
    Y = "insects"
    A = "pleasant"
    B = "unpleasant"

    [sets.flowers]
    images = { concept = "flower" }     # items of the data set, by the values of its columns
    [sets.pleasant]
    words = ["joy", "love"]             # each filled into every template

`templates` replaces the usual ones; `like = "weat"` takes over the word sets, and without tests the tests, of a preset;
`countable` and `plural` list the words that templates with {a}, or with a second form after " | ", treat as such.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from clipaudit.data.dataset import Dataset
from clipaudit.errors import DataError, UsageError, nearest
from clipaudit.reading import toml_values
from clipaudit_audits.social_bias.association_catalogue import (
    IEAT,
    PRESETS,
    WITHOUT_DATA,
    inherited,
    of_data,
    packaged,
)
from clipaudit_audits.wording import repeated

TEMPLATES = ("{}", "This is {}.", "a photo of {}.")
SIDES = ("X", "Y", "A", "B")
_IEAT_PAPER = "Steed and Caliskan 2021, FAccT, doi:10.1145/3442188.3445932"


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class StimulusSet(_Strict):
    """Either words, or images chosen by column values. `label` is how reports name it."""

    label: str = ""
    words: tuple[str, ...] = ()
    images: Mapping[str, str | tuple[str, ...]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_kind(self) -> StimulusSet:
        if bool(self.words) == bool(self.images):
            raise ValueError("needs either words = [...] or images = {column = value}")
        if not all(word.strip() for word in self.words):
            raise ValueError("holds a blank word")
        if twice := repeated(self.words):
            raise ValueError(f"holds {twice[0]!r} twice ({twice[1]!r}); keep one")
        return self


class Published(_Strict):
    """The published result of a test: d and its one-sided p, for one model."""

    model: str
    d: float
    p: float
    source: str


class TestDefinition(_Strict):
    """One test. Role "control": an association that is expected, as a check that the measurement works."""

    __test__ = False  # not a pytest class

    name: str = Field(min_length=1)
    X: str
    Y: str
    A: str
    B: str
    role: Literal["primary", "control"] = "primary"
    published: Published | None = None


class TestFile(_Strict):
    """A family of tests. Raises ValidationError where a test names a set that is not defined."""

    __test__ = False

    title: str = ""
    citation: str = ""
    templates: tuple[str, ...] = Field(default=TEMPLATES, min_length=1)
    countable: tuple[str, ...] = ()
    plural: tuple[str, ...] = ()
    tests: tuple[TestDefinition, ...] = Field(min_length=1)
    sets: Mapping[str, StimulusSet]

    @model_validator(mode="after")
    def _names(self) -> TestFile:
        names = [test.name for test in self.tests]
        if repeated := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two tests are called {repeated[0]!r}")
        for test in self.tests:
            for side in SIDES:
                name = getattr(test, side)
                if name not in self.sets:
                    raise ValueError(f"test {test.name!r}: no set {name!r} for {side}; {nearest(name, self.sets)}")
            for one, other in (("X", "Y"), ("A", "B")):
                shared = set(self.sets[getattr(test, one)].words) & set(self.sets[getattr(test, other)].words)
                if shared:
                    raise ValueError(f"test {test.name!r}: {min(shared)!r} is in both {one} and {other}")
        return self

    @property
    def used(self) -> dict[str, StimulusSet]:
        """The sets that a test names, in order of first use; others may stand beside them."""
        return {name: self.sets[name] for test in self.tests for side in SIDES if (name := getattr(test, side))}

    @property
    def uses_images(self) -> bool:
        return any(chosen.images for chosen in self.used.values())

    @property
    def digest(self) -> str:
        """sha256 hex (16 digits) of what is tested: an edited file is another cell."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]


def load_tests(name: str, dataset: Dataset | None) -> TestFile:
    """The tests called `name`: a preset, "auto" (the preset of the data set; words without data), or a TOML file.

    Raises UsageError for an unknown preset, a missing or malformed file, or images without a data set.
    """
    if name == "auto":
        name = _preset_of(dataset)
    if name == IEAT:
        tests = _published(dataset)
    elif name in PRESETS:
        tests = _made(packaged(name), f"preset {name!r}")
    else:
        tests = parse_tests(_read(name), name)
    if tests.uses_images and dataset is None:
        raise UsageError(f"association: tests {name!r} compare images; give the audit a data set (data = ...)")
    return tests


def parse_tests(text: str, source: str) -> TestFile:
    """Tests from TOML text; `source` names it in errors. Raises UsageError with one line."""
    return _made(toml_values(text, UsageError, source), source)


def _made(content: Mapping[str, Any], source: str) -> TestFile:
    try:
        return TestFile.model_validate(inherited(content, source))
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(str(part) for part in problem["loc"])
        what = problem["msg"].removeprefix("Value error, ")
        raise UsageError(f"{source}: {where + ': ' if where else ''}{what}") from error


def _preset_of(dataset: Dataset | None) -> str:
    if dataset is None:
        return WITHOUT_DATA
    name = of_data(dataset.id)
    if name is None:
        raise UsageError(
            f"association: there is no preset for data set {dataset.id!r}; set preset to your own TOML file of tests, "
            f"or to one of {', '.join(PRESETS)}"
        )
    return name


def _read(name: str) -> str:
    path = Path(name)
    if path.suffix != ".toml":
        raise UsageError(
            f"association: unknown preset {name!r}; {nearest(name, ('auto', *PRESETS))}, or the path of a .toml file"
        )
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise UsageError(f"association: there is no file {name!r}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"association: cannot read {name!r}: {error}") from error


def _published(dataset: Dataset | None) -> TestFile:
    """The definitions that come with the iEAT data: a CSV with columns test, X, Y, A, B; sets are "category/concept".

    Where the data set also has a resource "published" (columns Test, Model, d, p), those results go with the tests.
    """
    path = None if dataset is None else dataset.resources.get("tests")
    if dataset is None or path is None:
        raise UsageError(
            "association: tests 'ieat' are defined by the data set 'ieat'; run the audit with data = 'ieat'"
        )
    dataset.require("category", "concept")
    published = _results(dataset.resources.get("published"))
    lines = _table(path, ("test", *SIDES))
    tests = [
        {"name": line["test"], "published": published.get(line["test"]), **{side: line[side] for side in SIDES}}
        for line in lines
    ]
    sets = {line[side]: _by_path(line[side]) for line in lines for side in SIDES}
    try:
        return TestFile.model_validate({"title": "iEAT", "citation": _IEAT_PAPER, "tests": tests, "sets": sets})
    except ValidationError as error:
        raise DataError(f"{path}: {error.errors()[0]['msg']}") from error


def _results(path: Path | None) -> dict[str, dict[str, str]]:
    """Published results by the test's name."""
    if path is None:
        return {}
    lines = _table(path, ("Test", "Model", "d", "p"))
    return {
        line["Test"]: {"model": line["Model"], "d": line["d"], "p": line["p"], "source": _IEAT_PAPER} for line in lines
    }


def _table(path: Path, columns: tuple[str, ...]) -> list[dict[str, str]]:
    """The lines of a CSV file. DataError where it cannot be read or lacks a column."""
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            lines = list(csv.DictReader(stream))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: cannot be read as CSV ({type(error).__name__})") from error
    for number, line in enumerate(lines, start=2):
        for column in columns:
            if not line.get(column):
                raise DataError(f"{path}: line {number} has no {column!r}; needs the columns {', '.join(columns)}")
    return lines


def _by_path(name: str) -> dict[str, object]:
    category, _, concept = name.partition("/")
    return {"label": f"{name} (annotated)", "images": {"category": category, "concept": concept}}
