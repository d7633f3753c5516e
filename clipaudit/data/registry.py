"""All data sets that can be named: those of installed packages, and the user's own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from clipaudit.data.card import DataCard
from clipaudit.data.dataset import Dataset
from clipaudit.data.digest import dataset_digest
from clipaudit.data.loaded import Loaded
from clipaudit.data.locate import Entry, installed_cards, installed_entry, parse_data_option, user_entry
from clipaudit.data.sources import open_source, refined, source_reach
from clipaudit.errors import DataError, DataUnavailable, UsageError, nearest
from clipaudit.images import ImageRef
from clipaudit.results import DataInfo
from clipaudit.text import printable

__all__ = ["DataRegistry", "parse_data_option"]

_NOTHING = frozenset({"nan", "null", "n/a", "#n/a", "<na>"})  # not "none": that is what some drawings show


class DataRegistry:
    """Data sets by id.

    Args:
        overrides: id -> a card, a folder or table with a card, or the place of a set known by its installed card (None:
            where that card looks).
        offline: the network is not to be used.

    Raises UsageError or DataError at once if a place of `overrides` cannot be used.
    """

    def __init__(self, overrides: Mapping[str, Path | None] | None = None, offline: bool = False) -> None:
        self._offline = offline
        self._entries, self.broken = _installed()
        for data_id, path in (overrides or {}).items():
            if path is None:  # an installed card as it is
                continue
            entry = self._placed(data_id, path)
            if entry.card.id != data_id:
                raise UsageError(
                    f"--data {data_id}={printable(path)}: the card there is of '{entry.card.id}'; "
                    f"write --data {printable(path)}"
                )
            self._entries[data_id] = entry

    def _placed(self, data_id: str, path: Path) -> Entry:
        """The entry for a place; where there is no card, a slip of the pen in the id is the likelier mistake."""
        try:
            return user_entry(path, self._entries.get(data_id))
        except DataError as error:
            near = nearest(data_id, self._entries)
            if error.example and near.startswith("did"):
                raise UsageError(f"--data {data_id}=...: unknown data set '{data_id}'; {near}") from error
            raise

    broken: Mapping[str, str]  # id -> why the card of an installed package cannot be used

    def ids(self) -> list[str]:
        """Ids of all usable cards, sorted."""
        return sorted(self._entries)

    def card(self, data_id: str) -> DataCard:
        """The card. Raises UsageError with the nearest names for an unknown id, DataError for a broken card."""
        return self._entry(data_id).card

    def reach(self, data_id: str) -> str | None:
        """Why the set cannot be opened here, in one line; None if it can. Cheap: no image is read."""
        entry = self._entry(data_id)
        reasons = [source_reach(source, entry.place) for source in entry.card.source]
        return None if None in reasons else _named(_joined(map(str, reasons)), data_id)

    def downloads(self, data_id: str) -> bool:
        """Whether opening the set would fetch it from the hub: it is in reach with the network only."""
        entry = self._entry(data_id)
        alone = replace(entry.place, offline=True)
        return self.reach(data_id) is None and all(source_reach(source, alone) for source in entry.card.source)

    def open(self, data_id: str) -> Dataset:
        """The set from the first of its sources that is in reach.

        Raises DataUnavailable if none is, DataError if the data contradict the card (columns, checksum, no items).
        """
        entry = self._entry(data_id)
        return _dataset(entry.card, self._load(entry))

    def _load(self, entry: Entry) -> Loaded:
        failures: list[DataError] = []
        for source in entry.card.source:
            try:
                loaded = open_source(source, entry.place)
            except DataError as error:
                failures.append(error)
            else:
                return loaded if entry.card.refine is None else refined(loaded, entry.card.refine)
        damaged = [error for error in failures if not isinstance(error, DataUnavailable)]
        if damaged:
            raise damaged[0]
        reasons = _named(_joined(map(str, failures)), entry.card.id)
        raise DataUnavailable(f"data set '{entry.card.id}': {reasons}")

    def _entry(self, data_id: str) -> Entry:
        if data_id in self.broken:
            raise DataError(self.broken[data_id])
        if data_id not in self._entries:
            raise UsageError(
                f"unknown data set '{printable(data_id)}'; {nearest(data_id, self._entries)}, or bring your own with "
                "--data PATH"
            )
        entry = self._entries[data_id]
        return replace(entry, place=replace(entry.place, offline=self._offline))


def _installed() -> tuple[dict[str, Entry], dict[str, str]]:
    entries: dict[str, Entry] = {}
    broken: dict[str, str] = {}
    for name, file in installed_cards():
        if name in entries:
            continue  # the first package wins
        try:
            entries[name] = installed_entry(name, file)
        except DataError as error:
            broken[name] = str(error)
    return entries, broken


def _joined(reasons: Iterable[str]) -> str:
    """The reasons of all sources, each once."""
    return "; or ".join(dict.fromkeys(reasons))


def _named(reason: str, data_id: str) -> str:
    return reason.replace("--data ID=", f"--data {data_id}=")


def _dataset(card: DataCard, loaded: Loaded) -> Dataset:
    columns = _columns(card, loaded.items)
    digest = dataset_digest(loaded.items, columns, loaded.identity)
    if card.checksum is not None and card.checksum != digest:
        raise DataError(
            f"data set '{card.id}': the items are not those of the card (digest {digest}, card {card.checksum}); "
            "get the data again, or correct the card's checksum"
        )
    info = DataInfo(
        id=card.id,
        title=card.title,
        digest=digest,
        items=len(loaded.items),
        licence=card.licence,
        consent=card.consent,
        source=loaded.source,
        citation=card.citation,
        groups=card.groups,
        groups_are=card.groups_are,
        thumbnails=card.thumbnails,
        limits=(*card.limits, *loaded.notes),
    )
    cluster = None if card.cluster == "id" else card.cluster
    return Dataset(info, loaded.items, columns, cluster, loaded.resources)


def _columns(card: DataCard, items: Sequence[ImageRef]) -> tuple[str, ...]:
    """The columns that every item has; with a card that names columns, those. Checks ids, groups and cluster."""
    if not items:
        raise DataError(f"data set '{card.id}' holds no items")
    seen: set[str] = set()
    for item in items:
        if item.id in seen:
            raise DataError(f"data set '{card.id}': two items have the id '{printable(item.id)}'; ids must be unique")
        seen.add(item.id)
    shared = dict.fromkeys(items[0].attributes)
    for item in items:
        if item.attributes.keys() != shared.keys():
            shared = {name: None for name in shared if name in item.attributes}
    wanted = [*card.columns, *card.groups, *([card.cluster] if card.cluster not in (None, "id") else [])]
    for name in wanted:
        if name not in shared:
            raise DataError(f"data set '{card.id}' has no column '{printable(name)}'; {nearest(str(name), shared)}")
    for name in card.groups:
        _annotated(card.id, name, items)
    return tuple(card.columns or shared)


def _annotated(data_id: str, group: str, items: Sequence[ImageRef]) -> None:
    """Raises DataError where a program's word for nothing stands as a group."""
    blank = [item for item in items if item.attributes[group].strip().lower() in _NOTHING]
    if blank:
        value = printable(blank[0].attributes[group])
        raise DataError(
            f"data set '{data_id}', column '{printable(group)}': '{value}' is no group (first: "
            f"{printable(blank[0].id)}, {len(blank)} in all); leave the cell empty where there is no annotation"
        )
