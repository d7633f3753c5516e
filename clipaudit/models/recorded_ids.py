"""Ids of a data set and of a recording that differ only in leading folders or an image's suffix: "val/1.jpg" and
"1.jpg" or "val/1"."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

_SUFFIXES = frozenset({"jpg", "jpeg", "png", "webp", "gif", "bmp", "tif", "tiff", "ppm"})


class SameItems:
    """Finds the recorded name of each item: the same, or the only one that is the same but for folders and suffix.

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
    return _plain(name).rsplit("/", 1)[-1]


def _plain(name: str) -> str:
    """
    >>> _plain("label=U.S. flag_text=cup.JPG"), _plain("vol. 1"), _plain("a.b.png")
    ('label=U.S. flag_text=cup', 'vol. 1', 'a.b')
    """
    stem, dot, suffix = name.rpartition(".")
    return stem if dot and stem and suffix.lower() in _SUFFIXES else name


def _same_end(one: str, other: str) -> bool:
    """Whether one is the other with folders before it, or without its suffix; two suffixes that differ are no match.

    >>> _same_end("val/1.jpg", "1.jpg"), _same_end("val/1.jpg", "train/1.jpg"), _same_end("val/1.jpg", "11.jpg")
    (True, False, False)
    >>> _same_end("val/1.jpg", "1"), _same_end("1", "val/1.jpg"), _same_end("1.png", "1.jpg")
    (True, True, False)
    """
    stems = _plain(one), _plain(other)
    if one != stems[0] and other != stems[1] and one[len(stems[0]) :] != other[len(stems[1]) :]:
        return False
    longer, shorter = stems if len(stems[0]) > len(stems[1]) else stems[::-1]
    return longer == shorter or longer.endswith(f"/{shorter}")
