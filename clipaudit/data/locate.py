"""Where cards are: in installed packages, and where the user says (--data ID=PATH, --data PATH)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path

from clipaudit.data.card import ID_PATTERN, DataCard, FolderSource, Source, TableSource
from clipaudit.data.loaded import Place
from clipaudit.data.parse import load_card
from clipaudit.data.short import FILE, template
from clipaudit.data.sources_table import SUFFIXES
from clipaudit.errors import DataError, UsageError
from clipaudit.paths import inside
from clipaudit.text import printable

GROUP = "clipaudit.data_cards"
CARD = "card.md"


@dataclass(frozen=True)
class Entry:
    """A card, and where its sources are looked for."""

    card: DataCard
    place: Place


def installed_cards() -> Iterator[tuple[str, Path]]:
    """(id, card file) of every `<id>/card.md` in the packages of the entry-point group; nothing is imported."""
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        try:
            spec = find_spec(point.value)
        except (ImportError, ValueError):  # a broken package offers no cards
            continue
        for folder in (spec.submodule_search_locations or []) if spec else []:
            for file in sorted(Path(folder).glob(f"*/{CARD}")):
                yield file.parent.name, file


def installed_entry(name: str, file: Path) -> Entry:
    """Raises DataError if the card is broken, or calls itself otherwise than its folder."""
    card = load_card(file, trusted=True)
    if card.id != name:
        raise DataError(
            f"{printable(file)}: the id is '{card.id}', the folder's name '{printable(name)}'; make them one"
        )
    return Entry(card, Place(file.parent, installed=True))


def user_entry(path: Path, known: Entry | None = None) -> Entry:
    """The entry for a place the user gave: a card file, a folder or table with a card, or the place of a `known` set.

    Raises UsageError where there is nothing, DataError where there is no card or no use for the place.
    """
    if not path.exists():
        raise UsageError(f"--data {printable(path)}: no such file or folder")
    file = _card_of(path)
    if file is not None:
        card = load_card(file)
        return Entry(card, Place(file.parent)) if path.is_dir() or path == file else _tabled(card, file, path)
    if known is None:
        raise _without_card(path)
    return _placed(known, path)


def parse_data_option(option: str) -> tuple[str, Path | None]:
    """ "id=path", "path" whose card gives the id, or the id of an installed card, which needs no place.

    Raises UsageError or DataError in one line.
    """
    left, equals, right = option.partition("=")
    if not Path(option).exists():
        if equals and right and re.fullmatch(ID_PATTERN, left):
            return left, Path(right).expanduser()
        if any(option == name for name, _ in installed_cards()):
            return option, None
    path = Path(option).expanduser()
    return user_entry(path).card.id, path


def _card_of(path: Path) -> Path | None:
    """The card file that belongs to a place: itself, in the folder, or beside the table."""
    if path.is_file() and path.suffix.lower() in (".md", ".toml"):
        return path
    folder = path if path.is_dir() else path.parent
    names = (CARD, FILE) if path.is_dir() or path.suffix.lower() in SUFFIXES else ()
    found = next((folder / name for name in names if (folder / name).is_file()), None)
    if found is not None and not inside(found, folder):
        raise DataError(f"{printable(found)}: a link out of the folder; give the card itself, or copy it there")
    return found


def _tabled(card: DataCard, file: Path, table: Path) -> Entry:
    """The card beside a table, if it is about this table."""
    for source in card.source:
        if isinstance(source, TableSource) and (file.parent / source.path).resolve() == table.resolve():
            return Entry(card, Place(file.parent))
    raise DataError(
        f'{printable(file)}: the card there is not about {printable(table.name)}; write table = "{table.name}"'
    )


def _placed(known: Entry, path: Path) -> Entry:
    """A known set with the user's folder, or with a table of ids and columns for recorded models."""
    card = known.card
    sources: tuple[Source, ...]
    if path.is_dir():
        sources = tuple(source for source in card.source if isinstance(source, (FolderSource, TableSource)))
        if not sources:
            raise DataError(f"data set '{card.id}' is not read from a folder; leave out '={printable(path)}'")
    elif path.suffix.lower() in SUFFIXES:
        own = tuple(source for source in card.source if isinstance(source, TableSource))
        sources = own or (TableSource(kind="table", path=path.name, id="id"),)
    else:
        raise DataError(
            f"--data {card.id}={printable(path)}: give a folder, a card, or a table ({', '.join(SUFFIXES)})"
        )
    return Entry(card.model_copy(update={"source": sources}), replace(known.place, given=path))


def _without_card(path: Path) -> DataError:
    if path.is_file() and path.suffix.lower() not in SUFFIXES:
        return DataError(
            f"--data {printable(path)}: give a folder, a card (.md, .toml), or a table ({', '.join(SUFFIXES)})"
        )
    folder = path if path.is_dir() else path.parent
    lines = template(folder.absolute())
    if path.is_file():
        lines = lines.replace('images = "{label}/{file}"', f'table = "{path.name}"')
    return DataError(
        f"{printable(folder)} has no card; write these lines into {printable(folder / FILE)}:", example=lines
    )
