"""Cards from files: `card.md` (YAML front matter) and the short form `clipaudit.toml`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from clipaudit.data.card import DataCard
from clipaudit.data.problems import problem
from clipaudit.data.short import ShortCard, to_card
from clipaudit.errors import DataError, nearest
from clipaudit.paths import leaves
from clipaudit.reading import read_text, toml_values
from clipaudit.text import printable

# Field of DataCard -> key of the front matter, for messages.
_FRONT = {"title": "pretty_name", "licence": "license"}
_BLOCK = {field: f"clipaudit.{field}" for field in DataCard.model_fields if field not in _FRONT}


def load_card(path: Path, *, trusted: bool = False) -> DataCard:
    """The card in a `.md` or `.toml` file. Raises DataError with one line naming file and key.

    Args:
        path: the file.
        trusted: it came with an installed package, and may name a reader and paths of the system.
    """
    text = read_text(path, DataError, printable(path))
    card = parse_toml(text, path) if path.suffix == ".toml" else parse_markdown(text, path)
    if not trusted:
        _refuse_privileges(card, path)
        _refuse_leaving(card, path)
    return card


def parse_markdown(text: str, path: Path) -> DataCard:
    """The card in the text of a `card.md`; `path` is for messages."""
    front, body = _split(text, path)
    block = front.get("clipaudit")
    if not isinstance(block, dict):
        raise DataError(f"{printable(path)}: the front matter has no `clipaudit:` block of keys")
    values: dict[str, Any] = {str(key): value for key, value in block.items()}
    for field, key in _FRONT.items():
        if field in values:
            raise DataError(f"{printable(path)}: write '{key}' outside the clipaudit block, not 'clipaudit.{field}'")
    if isinstance(values.get("source"), dict):
        values["source"] = [values["source"]]
    values |= {"title": front.get("pretty_name"), "licence": _licence(front, path), "text": body.strip()}
    if values["title"] is None:
        values["title"] = values.get("id")
    try:
        return DataCard.model_validate(values)
    except ValidationError as error:
        raise problem(path, error, DataCard, _FRONT | _BLOCK) from error


def parse_toml(text: str, path: Path) -> DataCard:
    """The card in the text of a `clipaudit.toml`; `path` is for messages."""
    values = toml_values(text, DataError, printable(path))
    if "license" in values:  # both spellings of the word are meant
        values.setdefault("licence", values.pop("license"))
    try:
        return to_card(ShortCard.model_validate(values))
    except ValidationError as error:
        raise problem(path, error, ShortCard, {}) from error


def _split(text: str, path: Path) -> tuple[Mapping[str, Any], str]:
    """Front matter and body."""
    import yaml

    class Plain(yaml.SafeLoader):
        """Without aliases: a few lines of them stand for more than any memory holds."""

        def compose_node(self, parent: Any, index: Any) -> Any:
            if self.check_event(yaml.events.AliasEvent):
                raise yaml.YAMLError("aliases (*name) are not read in a card; write the value again")
            return super().compose_node(parent, index)

    lines = text.splitlines(keepends=True)
    fences = [i for i, line in enumerate(lines) if line.rstrip() == "---"]
    if len(fences) < 2 or fences[0] != 0:
        raise DataError(f"{printable(path)}: no YAML front matter; a card begins with a block between two lines ---")
    try:
        front = Plain("".join(lines[1 : fences[1]])).get_single_data()
    except (yaml.YAMLError, RecursionError, ValueError, OverflowError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 2}" if mark else ""
        what = getattr(error, "problem", None) or str(error)
        raise DataError(f"{printable(path)}: malformed YAML{where}: {printable(what)}") from error
    if not isinstance(front, dict):
        raise DataError(f"{printable(path)}: the front matter must be a block of keys and values")
    return front, "".join(lines[fences[1] + 1 :])


def _licence(front: Mapping[str, Any], path: Path) -> Any:
    """The hub's `license`: a name, a list of names, or `other` with `license_name`."""
    licence = front.get("license")
    if licence is None:
        near = nearest("license", [str(key) for key in front])
        hint = f" ({near})" if near.startswith("did") else ""
        raise DataError(
            f"{printable(path)}: key 'license' is missing{hint}: without a licence and a consent statement "
            "there is no run"
        )
    if isinstance(licence, list):
        return ", ".join(str(name) for name in licence)
    if licence == "other":
        return front.get("license_name") or front.get("license_link") or licence
    return licence


def _refuse_privileges(card: DataCard, path: Path) -> None:
    used = [f"source.{key}" for key in ("reader", "system_paths") for s in card.source if getattr(s, key, None)]
    used += ["refine"] if card.refine else []
    if used:
        raise DataError(
            f"{printable(path)}: key '{used[0]}' is for cards of installed packages (entry point "
            "clipaudit.data_cards); use a pattern and put the card into the folder"
        )


def _refuse_leaving(card: DataCard, path: Path) -> None:
    """The paths that a card names lie in its folder."""
    for source in card.source:
        named = [getattr(source, key, None) for key in ("path", "root", "image")]
        named += list(getattr(source, "resources", {}).values())
        outside = next((text for text in named if text and leaves(text)), None)
        if outside:
            raise DataError(
                f"{printable(path)}: the path '{printable(outside)}' leaves the card's folder; put the card into a "
                "folder that holds the data"
            )
