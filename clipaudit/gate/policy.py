"""A policy: the rules of `gate.toml`, and who waived what until when."""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from clipaudit.errors import UsageError, nearest
from clipaudit.gate.results import Severity
from clipaudit.reading import read_text, toml_values

OVERALL, WORST, ANY = "overall", "worst annotated group", "any"
Worse = Literal["higher", "lower", "away from null"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, str_strip_whitespace=True)


class _Rule(_Part):
    """What every rule has. It covers all that it selects: PASS needs all of it, FAIL any of it.

    subgroup: "overall" (the estimate of everything), "worst annotated group" (each group that the data card names),
    "any" (every subgroup), or a table of keys and values, where "*" is any value.
    """

    id: str = Field(min_length=1, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    audit: str
    metric: str
    data: str | None = None
    params: Mapping[str, Any] = Field(default_factory=dict)
    subgroup: Literal["overall", "worst annotated group", "any"] | Mapping[str, str] = "overall"
    severity: Severity = "major"
    too_small: Literal["inconclusive", "leave out"] = "inconclusive"


class Absolute(_Rule):
    """The whole interval lies at or above `min` and at or below `max`, in the metric's unit."""

    kind: Literal["absolute"] = "absolute"
    min: float | None = None
    max: float | None = None

    @model_validator(mode="after")
    def _some_bound(self) -> Self:
        if self.min is None and self.max is None:
            raise ValueError("give max, min or both")
        if self.min is not None and self.max is not None and self.min >= self.max:
            raise ValueError("min must be below max")
        return self


class Change(_Rule):
    """Not worse than the baseline by more than `margin`. `worse`: only where the metric does not say which way is."""

    kind: Literal["change"] = "change"
    margin: float = Field(gt=0)
    worse: Worse | None = None


class Equivalence(_Rule):
    """Within `margin` of the baseline, either way (two one-sided tests, Schuirmann 1987)."""

    kind: Literal["equivalence"] = "equivalence"
    margin: float = Field(gt=0)


Rule = Absolute | Change | Equivalence


class Waiver(_Part):
    """Lets one rule through for one model until a day (that day included)."""

    rule: str
    model: str = Field(pattern=r"^[0-9a-f]{12,64}$", description="The model's fingerprint, or its first 12 digits.")
    reason: str = Field(min_length=1)
    owner: str = Field(min_length=1)
    expires: datetime.date


class Policy(_Part):
    """The rules, in order. alpha: chance of going red although nothing is worse than allowed, over all rules."""

    title: str = ""
    alpha: float = Field(default=0.05, gt=0, lt=0.5)
    rules: tuple[Annotated[Rule, Field(discriminator="kind")], ...] = Field(alias="rule", min_length=1)
    waivers: tuple[Waiver, ...] = Field(default=(), alias="waiver")

    @property
    def level(self) -> float:
        """One-sided: an interval of level 1 - alpha has alpha / 2 on each side."""
        return self.alpha / 2

    @property
    def digest(self) -> str:
        """sha256 hex over the policy's content."""
        return hashlib.sha256(json.dumps(self.model_dump(mode="json"), sort_keys=True).encode()).hexdigest()

    @model_validator(mode="after")
    def _named(self) -> Self:
        ids = [rule.id for rule in self.rules]
        twice = next((name for name in ids if ids.count(name) > 1), None)
        if twice:
            raise ValueError(f"two rules have the id {twice!r}; an id names one rule")
        for waiver in self.waivers:
            if waiver.rule not in ids:
                raise ValueError(
                    f"a waiver is for rule {waiver.rule!r}, which is not here; {nearest(waiver.rule, ids)}"
                )
        return self


def load_policy(path: Path) -> Policy:
    """The policy in a TOML file. UsageError naming file, rule, key and allowed names."""
    return parse_policy(read_text(path, UsageError, f"policy {path}"), f"policy {path}")


def parse_policy(text: str, where: str) -> Policy:
    """The policy in TOML text; `where` opens the message of an error."""
    content = toml_values(text, UsageError, where)
    try:
        return Policy.model_validate(content)
    except ValidationError as error:
        raise UsageError(f"{where}: {_problem(error, content)}") from error


def _problem(error: ValidationError, content: Mapping[str, Any]) -> str:
    """The first fault in one line, with the part of the file that it is in."""
    fault = error.errors()[0]
    place = list(fault["loc"])
    where, model = _place(place, content)
    key = ".".join(str(part) for part in place)
    start = f"{where}: " if where else ""
    if fault["type"] == "extra_forbidden":
        return f"{start}unknown key {key!r}; {nearest(str(place[-1]), _keys(model))}"
    if fault["type"] == "missing":
        return f"{start}key {key!r} is missing"
    if fault["type"] == "union_tag_invalid":
        return f"{start}kind must be 'absolute', 'change' or 'equivalence', not {fault['ctx']['tag']!r}"
    if fault["type"] == "union_tag_not_found":
        return f"{start}key 'kind' is missing: 'absolute', 'change' or 'equivalence'"
    message = fault["msg"].removeprefix("Value error, ")
    got = "" if fault["type"] == "value_error" else f" (got {fault['input']!r:.80})"
    return f"{start}{key + ': ' if key else ''}{message}{got}"


def _place(place: list[Any], content: Mapping[str, Any]) -> tuple[str, type[BaseModel]]:
    """Takes the way to a rule or waiver off `place`; gives it in words, and the type it should have."""
    kinds: Mapping[str, type[BaseModel]] = {"absolute": Absolute, "change": Change, "equivalence": Equivalence}
    if len(place) < 2 or place[0] not in ("rule", "waiver") or not isinstance(place[1], int):
        return "", Policy
    what, number = place[0], place[1]
    del place[:2]
    entry = content[what][number]
    name = entry.get("id" if what == "rule" else "rule", "") if isinstance(entry, dict) else ""
    where = f"{what} {number + 1}" + (f" ({name})" if name else "")
    if what == "waiver":
        return where, Waiver
    model = kinds.get(str(place[0]), _Rule) if place else _Rule
    if place and place[0] in kinds:
        del place[0]
    return where, model


def _keys(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]
