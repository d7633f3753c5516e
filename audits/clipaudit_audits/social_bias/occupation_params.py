"""Parameters of the occupation audits, and the table of labour statistics that they can be set beside."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from pydantic import Field

from clipaudit.contract import Params
from clipaudit.errors import UsageError, nearest
from clipaudit_audits.wording import repeated

OCCUPATIONS = (
    "accountant", "architect", "baker", "bartender", "builder", "carpenter", "cleaner", "cook", "dentist", "doctor",
    "electrician", "engineer", "farmer", "firefighter", "hairdresser", "judge", "lawyer", "librarian", "mechanic",
    "nurse", "painter", "pilot", "plumber", "police officer", "programmer", "receptionist", "scientist", "secretary",
    "security guard", "social worker", "teacher", "veterinarian", "waiter",
)  # fmt: skip
# Heads of the two columns, ours first; the others are those of the table published with VisoGender.
_NAMES = {
    "occupation": ("occupation", "Visogender Occupations"),
    "share of women": ("women", "female_proportion"),
}


class OccupationParams(Params):
    """What both audits share."""

    occupations: tuple[str, ...] = Field(
        default=(), description="Occupations asked for; empty: those of the statistics, else a list of our own."
    )
    statistics: str = Field(
        default="",
        description="Path of a CSV or TSV file with columns occupation and women (their share, in % or 0 to 1), as the "
        "table published with VisoGender; without it no correlation is given.",
    )
    shares: Mapping[str, float] = Field(
        default={}, description="Share of women by occupation, 0 to 1; filled from the statistics."
    )
    templates: tuple[str, ...] = Field(
        default=("a photo of {}.", "a picture of {}."),
        min_length=1,
        description="Prompt templates; {} is the occupation with its article.",
    )
    neutral: str = Field(
        default="a person", description="Phrase that scores are taken relative to, so that a drift to all text cancels."
    )


P = TypeVar("P", bound=OccupationParams)


def with_article(noun: str) -> str:
    """The occupation as a phrase.

    >>> with_article("architect"), with_article("nurse")
    ('an architect', 'a nurse')
    """
    return f"{'an' if noun[:1].lower() in 'aeiou' else 'a'} {noun}"


def resolve(params: P) -> P:
    """The same with statistics read and occupations filled in. UsageError in one line."""
    shares = dict(params.shares) or (read_shares(params.statistics) if params.statistics else {})
    if wrong := next((name for name, share in shares.items() if not 0 <= share <= 1), None):
        raise UsageError(f"occupation: the share of women among {wrong!r} is {shares[wrong]:g}; it lies in 0 to 1")
    occupations = params.occupations or tuple(shares) or OCCUPATIONS
    if not all(name.strip() for name in occupations):
        raise UsageError("occupation: an occupation is blank")
    if twice := repeated(occupations):
        raise UsageError(f"occupation: {twice[0]!r} occurs twice ({twice[1]!r}); keep one")
    if len(occupations) < 2:
        raise UsageError("occupation: give at least two occupations")
    return params.model_copy(update={"occupations": occupations, "shares": shares, "statistics": ""})


def read_shares(path: str) -> dict[str, float]:
    """Share of women, 0 to 1, by occupation, from a CSV or (by its tabs) TSV file. UsageError in one line."""
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise UsageError(f"occupation: there is no file {path!r}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"occupation: cannot read {path!r}: {error}") from error
    lines = text.splitlines()
    table = list(csv.DictReader(lines, delimiter="\t" if lines and "\t" in lines[0] else ","))
    heads = [head for head in table[0] if head is not None] if table else []
    name, women = (_head(path, heads, what, options) for what, options in _NAMES.items())
    found: dict[str, float] = {}
    for number, line in enumerate(table, start=2):
        try:
            found[line[name].strip()] = float(line[women])
        except (TypeError, ValueError, AttributeError) as error:
            raise UsageError(f"{path}: line {number}: {women} is no number: {line[women]!r}") from error
    if max(found.values()) > 1:
        found = {occupation: share / 100 for occupation, share in found.items()}
    return found


def _head(path: str, heads: Sequence[str], what: str, options: Sequence[str]) -> str:
    for option in options:
        if option in heads:
            return option
    raise UsageError(f"{path}: no column for the {what}: call it {options[0]!r}; {nearest(options[0], heads)}")
