"""What opening a source gives, before the card's columns are applied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from clipaudit.errors import DataError
from clipaudit.images import ImageRef
from clipaudit.paths import inside
from clipaudit.text import printable


@dataclass(frozen=True)
class Place:
    """Where a card's relative paths begin, and the place the user gave instead (--data ID=PATH). `installed`: the card
    came with a package, and its data are somewhere else."""

    base: Path
    given: Path | None = None
    offline: bool = False
    installed: bool = False

    def below(self, path: str) -> Path:
        """A path that the card names, in the user's place or else the card's folder. Raises DataError where a link
        leads out of it."""
        folder = self.given or self.base
        if not inside(folder / path, folder):
            raise DataError(
                f"{printable(folder / path)}: leads out of {printable(folder)}; put the card into a folder that holds "
                "the data"
            )
        return folder / path


@dataclass(frozen=True)
class Loaded:
    """Items in a fixed order.

    Attributes:
        source: how they were loaded, for reports: no paths of this machine.
        resources: files beside the items, by name.
        identity: what the items' content depends on beyond their files (a hub revision).
        notes: what a reader must know (files left out); they join the card's limits.
    """

    items: Sequence[ImageRef]
    source: str
    resources: Mapping[str, Path] = field(default_factory=dict)
    identity: str = ""
    notes: tuple[str, ...] = ()
