"""The words that images of groups are ranked by: categories of phrases, from TOML."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from clipaudit.errors import UsageError, nearest
from clipaudit.reading import toml_values
from clipaudit_audits.wording import repeated

PRESETS = ("people",)


class WordCategory(BaseModel):
    """Phrases that belong together; each fills the templates as it stands."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1)
    title: str = ""
    words: tuple[str, ...] = Field(min_length=1)

    @property
    def label(self) -> str:
        return self.title or self.name


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str = ""
    categories: tuple[WordCategory, ...] = Field(min_length=1)


def load_words(name: str) -> tuple[WordCategory, ...]:
    """The categories of a preset or of a TOML file. Raises UsageError in one line."""
    if name in PRESETS:
        text = (resources.files(__package__) / "lexicons" / f"{name}.toml").read_text(encoding="utf-8")
    elif Path(name).suffix != ".toml":
        raise UsageError(f"lexicon: unknown lexicon {name!r}; {nearest(name, PRESETS)}, or the path of a .toml file")
    else:
        try:
            text = Path(name).read_text(encoding="utf-8")
        except FileNotFoundError as error:
            raise UsageError(f"lexicon: there is no file {name!r}") from error
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"lexicon: cannot read {name!r}: {error}") from error
    try:
        return checked(_File.model_validate(toml_values(text, UsageError, name)).categories, name)
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(str(part) for part in problem["loc"])
        raise UsageError(f"{name}: {where}: {problem['msg']}") from error


def checked(categories: tuple[WordCategory, ...], source: str) -> tuple[WordCategory, ...]:
    """The same; UsageError where a name or a word occurs twice, be it in other case or with other blanks."""
    names = [category.name for category in categories]
    words = [word for category in categories for word in category.words]
    for what, found in (("category", names), ("word", words)):
        if not all(text.strip() for text in found):
            raise UsageError(f"{source}: a {what} is blank")
        if twice := repeated(found):
            raise UsageError(f"{source}: the {what} {twice[0]!r} occurs twice ({twice[1]!r}); keep one")
    return categories
