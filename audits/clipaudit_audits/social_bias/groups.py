"""Annotated groups and their pairs, as numbers; which are large enough to be judged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from clipaudit.data.dataset import Dataset
from clipaudit.errors import DataError
from clipaudit.results import GroupsAre


@dataclass(frozen=True)
class Grouping:
    """One column of annotations, or several together.

    columns: their names. values: the judged groups, sorted. codes: (n,) number of each item's group, -1 for items
    without annotation or in a group that is too small. small: images of the groups that are too small to be judged.
    basis: what the groups are, as the card says.
    """

    columns: tuple[str, ...]
    values: tuple[str, ...]
    codes: NDArray[np.int64]
    small: Mapping[str, int]
    basis: GroupsAre = "annotated"

    @property
    def name(self) -> str:
        return " x ".join(self.columns)

    @property
    def label(self) -> str:
        """As reports name it: "race x gender (annotated)", "tone (drawn)"."""
        return f"{self.name} ({self.basis})"


def usable_columns(dataset: Dataset, asked: Sequence[str], audit: str) -> tuple[str, ...]:
    """The columns asked for, else the card's groups that have several values.

    DataError for a missing column, one with a single value, or values that differ only by case or blanks.
    """
    columns = tuple(dict.fromkeys(asked)) or dataset.info.groups
    if not columns:
        raise DataError(f"{audit}: data set {dataset.id!r} names no groups in its card; set groups to its columns")
    dataset.require(*columns)
    kept = []
    for column in columns:
        values = {value for value in dataset.column(column) if value.strip()}
        spelled_once(dataset.id, column, values)
        if len(values) > 1:
            kept.append(column)
        elif asked:
            raise DataError(f"{audit}: column {column!r} of data set {dataset.id!r} has a single value: {values}")
    if not kept:
        raise DataError(f"{audit}: no group column of data set {dataset.id!r} has more than one value")
    return tuple(kept)


def spelled_once(data_id: str, column: str, values: Iterable[str]) -> None:
    """DataError naming two values that differ only by case or blanks."""
    seen: dict[str, str] = {}
    for value in sorted(values):
        first = seen.setdefault(" ".join(value.casefold().split()), value)
        if first != value:
            raise DataError(
                f"data set {data_id!r}, column {column!r}: {first!r} and {value!r} differ only by case or blanks; "
                "spell them alike"
            )


def groupings(
    columns: Mapping[str, Sequence[str]],
    readable: NDArray[np.bool_],
    least: int,
    pairs: bool = True,
    whole: bool = False,
    basis: GroupsAre = "annotated",
) -> list[Grouping]:
    """Each column, then each pair of columns, then (`whole`) all of them where they are three or more.

    Only readable items count; groupings with fewer than two groups are kept.
    """
    names: list[tuple[str, ...]] = [(name,) for name in columns]
    names += list(combinations(columns, 2)) if pairs else []
    names += [tuple(columns)] if whole and len(columns) > 2 else []
    return [_grouping(combined, columns, readable, least, basis) for combined in names]


def _grouping(
    names: tuple[str, ...],
    columns: Mapping[str, Sequence[str]],
    readable: NDArray[np.bool_],
    least: int,
    basis: GroupsAre,
) -> Grouping:
    parts = zip(*(columns[name] for name in names), strict=True)
    values = [", ".join(part) if all(piece.strip() for piece in part) else "" for part in parts]
    counts = Counter({value: 0 for value in values if value})
    counts.update(value for value, ok in zip(values, readable, strict=True) if ok and value)
    large = sorted(value for value, count in counts.items() if count >= least)
    number = {value: i for i, value in enumerate(large)}
    codes = np.array([number.get(value, -1) for value in values], dtype=np.int64)
    codes[~readable] = -1
    small = {value: count for value, count in sorted(counts.items()) if count < least}
    return Grouping(names, tuple(large), codes, small, basis)
