"""The words that drawn people are held against: categories of two poles, from TOML."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from importlib import resources
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from clipaudit.errors import UsageError, nearest
from clipaudit.reading import toml_values
from clipaudit_audits.wording import repeated

PRESETS = ("people",)
Phrases = tuple[str, ...]


class Category(BaseModel):
    """Phrases of two poles: an image's score is its mean cosine to `plus` minus its mean cosine to `minus`.

    Without `minus` it is the mean cosine to `plus`, and a drift towards all text is part of it. `checks` names the
    attribute that the words describe: then the category tells whether the model sees what was drawn, for a change from
    the reference to one of `levels` (to any level, if empty) should move it towards `plus`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1)
    title: str = ""
    plus: Phrases = Field(min_length=1)
    minus: Phrases = ()
    checks: str = ""
    levels: Phrases = ()

    @property
    def label(self) -> str:
        return self.title or self.name

    @model_validator(mode="after")
    def _distinct(self) -> Category:
        words = (*self.plus, *self.minus)
        if not all(word.strip() for word in words):
            raise ValueError(f"category {self.name!r} holds a blank phrase")
        if twice := repeated(words):
            raise ValueError(f"category {self.name!r} holds {twice[0]!r} twice ({twice[1]!r}); keep one")
        return self

    def without(self, refused: Collection[str]) -> Category | None:
        """The category without these phrases; None where a pole is left with none."""
        plus, minus = (tuple(word for word in pole if word not in refused) for pole in (self.plus, self.minus))
        if not plus or (self.minus and not minus):
            return None
        return self.model_copy(update={"plus": plus, "minus": minus})


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str = ""
    categories: tuple[Category, ...] = Field(min_length=1)


def load_lexicon(name: str) -> tuple[Category, ...]:
    """The categories of a preset or of a TOML file. Raises UsageError in one line."""
    if name in PRESETS:
        text = (resources.files(__package__) / "counterfactual_lexicons" / f"{name}.toml").read_text(encoding="utf-8")
    elif Path(name).suffix != ".toml":
        raise UsageError(
            f"counterfactual: unknown lexicon {name!r}; {nearest(name, PRESETS)}, or the path of a .toml file"
        )
    else:
        text = _read(name)
    try:
        categories = _File.model_validate(toml_values(text, UsageError, name)).categories
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(str(part) for part in problem["loc"])
        raise UsageError(f"{name}: {where}: {problem['msg'].removeprefix('Value error, ')}") from error
    return check_names(categories)


def check_names(categories: tuple[Category, ...]) -> tuple[Category, ...]:
    """The same categories; UsageError if two share a name."""
    names = [category.name for category in categories]
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise UsageError(f"counterfactual: two categories are called {repeated[0]!r}")
    return categories


def words_of(categories: Sequence[Category]) -> list[str]:
    """Every phrase once, in order of first use: the order of the cosines in the rows."""
    return list(dict.fromkeys(word for category in categories for word in (*category.plus, *category.minus)))


def _read(name: str) -> str:
    try:
        return Path(name).read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise UsageError(f"counterfactual: there is no file {name!r}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"counterfactual: cannot read {name!r}: {error}") from error
