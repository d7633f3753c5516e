"""Ids of a data set and of a recording that differ only in leading folders: "val/1.jpg" and "1.jpg"."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence


class SameItems:
    """Finds the recorded name of each item: the same, or the only one that equals it but for leading folders.

    Two items never get one recorded name: where that is not clear, an item keeps its own name, which is then reported
    as not recorded.
    """

    def __init__(self, recorded: Callable[[], Iterable[str]]) -> None:
        self._recorded = recorded
        self._exact: frozenset[str] | None = None
        self._by_file: dict[str, list[str]] = {}
        self._owner: dict[str, str] = {}  # recorded name -> the item that it stands for

    def names(self, ids: Sequence[str]) -> list[str]:
        """The recorded name of each of `ids`; the id itself where there is none."""
        exact = self._known()
        for name in ids:
            if name in exact:
                self._owner.setdefault(name, name)
        return [name if name in exact else self._near(name) for name in ids]

    def _known(self) -> frozenset[str]:
        if self._exact is None:
            self._exact = frozenset(self._recorded())
            for name in self._exact:
                self._by_file.setdefault(_file(name), []).append(name)
        return self._exact

    def _near(self, name: str) -> str:
        candidates = [other for other in self._by_file.get(_file(name), ()) if _same_end(name, other)]
        if len(candidates) == 1 and self._owner.setdefault(candidates[0], name) == name:
            return candidates[0]
        return name


def _file(name: str) -> str:
    return name.rsplit("/", 1)[-1]


def _same_end(one: str, other: str) -> bool:
    """Whether one is the other with folders before it.

    >>> _same_end("val/1.jpg", "1.jpg"), _same_end("val/1.jpg", "train/1.jpg"), _same_end("val/1.jpg", "11.jpg")
    (True, False, False)
    """
    longer, shorter = (one, other) if len(one) > len(other) else (other, one)
    return longer.endswith(f"/{shorter}")
