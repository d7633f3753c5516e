"""Which classes an audit uses, where it cannot use all, and which items it shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np


def largest_classes(labels: Sequence[str], most: int, seed: int, enough: int | None = None) -> list[str]:
    """At most `most` classes, sorted: those with most items, ties broken with `seed`.

    Args:
        labels: class of each item.
        most: number of classes.
        seed: of the tie-break.
        enough: more items than this count as this many, so that large classes are not preferred for nothing.

    >>> largest_classes(["b", "a", "a", "c", "c"], 2, seed=0)
    ['a', 'c']
    """
    counts = Counter(labels)
    names = sorted(counts)
    tie = dict(zip(names, np.random.default_rng(seed).random(len(names)).tolist(), strict=True))
    ranked = sorted(names, key=lambda name: (-min(counts[name], enough or counts[name]), tie[name]))
    return sorted(ranked[:most])


def spread(labels: Sequence[str], most: int, seed: int) -> list[int]:
    """Positions of at most `most` items, as evenly over the classes as they allow, drawn with `seed`, ascending.

    >>> spread(["a", "a", "a", "b"], 2, seed=0)
    [1, 3]
    """
    if len(labels) <= most:
        return list(range(len(labels)))
    rng = np.random.default_rng(seed)
    names = np.array(labels)
    turn = np.empty(len(labels))
    for name in np.unique(names):
        members = np.flatnonzero(names == name)
        turn[members] = rng.permutation(len(members))
    order = np.lexsort((rng.random(len(labels)), turn))
    return sorted(order[:most].tolist())


def first_of_each(ranked: Iterable[Mapping[str, Any]], column: str, most: int) -> list[Mapping[str, Any]]:
    """The first rows in rank order, at most `most`, no two with the same value in `column`.

    >>> [row["n"] for row in first_of_each([{"k": "a", "n": 1}, {"k": "a", "n": 2}, {"k": "b", "n": 3}], "k", 2)]
    [1, 3]
    """
    found: dict[Any, Mapping[str, Any]] = {}
    for row in ranked:
        if len(found) == most:
            break
        found.setdefault(row[column], row)
    return list(found.values())
