"""A labelled set as the audits of this package show it: which images, and among which classes the model chooses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from clipaudit.data.dataset import Dataset
from clipaudit.errors import DataError
from clipaudit.images import ImageRef
from clipaudit.results import GroupsAre
from clipaudit_audits.choosing import largest_classes, spread

GROUP = "group: "  # before the names of the columns of rows that hold annotated groups


@dataclass(frozen=True)
class Labelled:
    """n images with their labels and natural units, and the classes (m,), sorted, among which the model chooses."""

    images: tuple[ImageRef, ...]
    labels: tuple[str, ...]
    clusters: tuple[str, ...]
    classes: tuple[str, ...]


def labelled(dataset: Dataset, audit: str, *, target: str, classes: int, images: int, seed: int) -> Labelled:
    """At most `images` images of at most `classes` classes, as evenly over the classes as these allow.

    Args:
        dataset: any with a column of classes; images without a value in it are left out.
        audit: its id, for messages.
        target: the column that holds the class.
        classes: most classes; the largest are kept.
        images: most images.
        seed: of the choice.

    Raises DataError without that column, or with fewer than two classes in it.
    """
    dataset.require(target)
    names = dataset.column(target)
    chosen = largest_classes([name for name in names if name.strip()], classes, seed, enough=images // classes + 1)
    if len(chosen) < 2:
        raise DataError(
            f"{audit}: data set {dataset.id!r} has fewer than two classes in its column {target!r}: there is no choice"
        )
    known = set(chosen)
    used = [i for i, name in enumerate(names) if name in known]
    kept = [used[i] for i in spread([names[i] for i in used], images, seed)]
    cluster = dataset.cluster if dataset.cluster in dataset.columns else None
    found = [dataset.images[i] for i in kept]
    return Labelled(
        images=tuple(found),
        labels=tuple(names[i] for i in kept),
        clusters=tuple(image.attributes[cluster] if cluster else image.id for image in found),
        classes=tuple(chosen),
    )


def group_columns(dataset: Dataset, asked: Sequence[str], target: str) -> tuple[str, ...]:
    """The columns of annotated groups asked for, else the card's; constant ones, and the class itself, are left out.

    Raises DataError for a column that is missing.
    """
    columns = tuple(dict.fromkeys(asked or dataset.info.groups))
    dataset.require(*columns)
    return tuple(c for c in columns if c != target and len({value for value in dataset.column(c) if value.strip()}) > 1)


def heading(column: str, groups_are: GroupsAre) -> str:
    """How results name the groups in a column of rows.

    >>> heading("group: gender", "annotated")
    'gender (annotated)'
    """
    return f"{column.removeprefix(GROUP)} ({groups_are})"
