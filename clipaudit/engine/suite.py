"""A suite: which audits, on which data, with which parameters. A TOML file, or one audit by its id."""

from __future__ import annotations

import hashlib
import json
import os
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from clipaudit import plugins
from clipaudit.errors import UsageError, nearest
from clipaudit.paths import inside, leaves
from clipaudit.reading import read_text, toml_values
from clipaudit.text import printable


class SuiteEntry(BaseModel):
    """One audit on one data set (or on none, for audits of texts alone)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    data: str | None = None
    params: Mapping[str, Any] = Field(default_factory=dict)


class Suite(BaseModel):
    """An ordered list of entries. In a file, `include = ["social-bias", ...]` puts the entries of packaged suites
    before its own, each once."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    title: str = ""
    description: str = ""
    audits: tuple[SuiteEntry, ...] = Field(min_length=1)

    @property
    def digest(self) -> str:
        """sha256 hex over the suite's content."""
        return hashlib.sha256(json.dumps(self.model_dump(mode="json"), sort_keys=True).encode()).hexdigest()

    def only(self, globs: Sequence[str]) -> Suite:
        """Entries whose audit id, or "audit.data", matches one of `globs`; UsageError if none does."""
        if not globs:
            return self
        kept = tuple(
            entry
            for entry in self.audits
            if any(fnmatchcase(entry.id, glob) or fnmatchcase(f"{entry.id}.{entry.data}", glob) for glob in globs)
        )
        if not kept:
            known = {entry.id for entry in self.audits}
            raise UsageError(
                f"--audit {' '.join(globs)} matches nothing in suite {self.id!r}; {nearest(globs[0], known)}"
            )
        return self.model_copy(update={"audits": kept})

    def with_params(self, overrides: Mapping[str, Mapping[str, Any]]) -> Suite:
        """`overrides[audit][param]` replaces the parameter in every entry of that audit."""
        known = {entry.id for entry in self.audits}
        for audit in overrides:
            if audit not in known:
                raise UsageError(f"--set {audit}...: suite {self.id!r} has no audit {audit!r}; {nearest(audit, known)}")
        entries = tuple(
            entry.model_copy(update={"params": {**entry.params, **overrides.get(entry.id, {})}})
            for entry in self.audits
        )
        return self.model_copy(update={"audits": entries})


def builtin_suites() -> dict[str, Any]:
    """Packaged suites by name: resources of the packages registered under `clipaudit.suites`."""
    found = {}
    for point in plugins.names(plugins.SUITES).values():
        for resource in files(point.value).iterdir():
            if resource.name.endswith(".toml"):
                found[resource.name.removesuffix(".toml")] = resource
    return dict(sorted(found.items()))


def load_suite(name: str, data: Sequence[str] = ()) -> Suite:
    """A packaged suite, a TOML file, or one audit by id (then on `data`, or on the first set it is made for)."""
    path = Path(name)
    if path.suffix == ".toml" or path.is_file():
        suite = parse_suite(read_text(path, UsageError, f"suite file {name}"), str(path))
        _refuse_leaving(suite, path)
        return suite
    packaged = builtin_suites()
    if name in packaged:
        return parse_suite(packaged[name].read_text(encoding="utf-8"), f"suite {name}")
    audits = plugins.names(plugins.AUDITS)
    if name in audits:
        return _single(name, data)
    raise UsageError(f"unknown suite or audit {name!r}; {nearest(name, [*packaged, *audits])}, or give a .toml file")


def _refuse_leaving(suite: Suite, path: Path) -> None:
    """A suite file names files (of words, of tests) below the working directory or its own folder only."""
    for number, entry in enumerate(suite.audits, start=1):
        for value in _strings(list(entry.params.values())):
            linked = os.path.islink(value) or ("/" in value and os.path.exists(value))
            if leaves(value) or (linked and not (inside(Path(value), Path()) or inside(Path(value), path.parent))):
                raise UsageError(
                    f"suite file {path}: entry {number}: {printable(value)!r} leads out of the folder; copy the file "
                    f"there, or give it on the command line (--set {entry.id}.NAME=PATH)"
                )


def _strings(values: Sequence[Any]) -> Iterator[str]:
    for value in values:
        if isinstance(value, str):
            yield value
        elif isinstance(value, Mapping):
            yield from _strings(list(value.values()))
        elif isinstance(value, list | tuple):
            yield from _strings(value)


def parse_suite(text: str, where: str) -> Suite:
    """Suite from TOML; UsageError naming file, key and allowed keys."""
    content = _whole(toml_values(text, UsageError, where), where)
    try:
        return Suite.model_validate(content)
    except ValidationError as error:
        raise UsageError(f"{where}: {first_problem(error, Suite, SuiteEntry)}") from error


def _whole(content: dict[str, Any], where: str, within: tuple[str, ...] = ()) -> dict[str, Any]:
    """A suite file's content with the entries of the suites that it includes, before its own and each once."""
    names = content.pop("include", [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise UsageError(f"{where}: include: write a list of names of suites, as in include = ['social-bias']")
    packaged, entries = builtin_suites(), []
    for name in names:
        if name in within:
            raise UsageError(f"{where}: include: {' includes '.join((*within, name))}")
        if name not in packaged:
            raise UsageError(f"{where}: include: no suite {name!r}; {nearest(name, packaged)}")
        included = _whole(tomllib.loads(packaged[name].read_text(encoding="utf-8")), f"suite {name}", (*within, name))
        entries += included["audits"]
    own = content.get("audits", [])
    if entries and isinstance(own, list):
        every = [*entries, *own]
        content["audits"] = [entry for place, entry in enumerate(every) if entry not in every[:place]]
    return content


def _single(audit: str, data: Sequence[str]) -> Suite:
    spec = plugins.load_audit(audit).spec
    chosen: list[str | None] = list(data) or list(spec.data[:1]) or [None]
    return Suite(id=audit, title=spec.title, audits=tuple(SuiteEntry(id=audit, data=one) for one in chosen))


def parse_overrides(settings: Sequence[str]) -> dict[str, dict[str, Any]]:
    """["typographic.items=50", ...] to {"typographic": {"items": 50}}; values are TOML, else plain text."""
    overrides: dict[str, dict[str, Any]] = {}
    for setting in settings:
        target, equals, value = setting.partition("=")
        audit, dot, param = target.partition(".")
        if not (equals and dot and audit and param):
            raise UsageError(f"--set {setting!r}: write AUDIT.PARAM=VALUE, for example typographic.preset=two-way")
        overrides.setdefault(audit.strip(), {})[param.strip()] = _toml_value(value.strip())
    return overrides


def _toml_value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def first_problem(error: ValidationError, *models: type[BaseModel]) -> str:
    """The first fault that pydantic found, as one line with the key and, for an unknown key, the nearest names."""
    fault = error.errors()[0]
    key = ".".join(str(part) for part in fault["loc"])
    if fault["type"] == "extra_forbidden":
        last = str(fault["loc"][-1])
        known = {name for model in models for name in model.model_fields}
        return f"unknown key {key!r}; {nearest(last, known)}"
    if fault["type"] == "missing":
        return f"key {key!r} is missing"
    return f"{key}: {fault['msg'].removeprefix('Value error, ')} (got {fault['input']!r:.80})"
