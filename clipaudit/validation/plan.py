"""What an audit declares in order to be validated: effects of known size, and the estimate that should find them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from clipaudit.errors import ImageError

if TYPE_CHECKING:
    from PIL import Image

    from clipaudit.data.dataset import Dataset
    from clipaudit.models.protocol import Model


@dataclass(frozen=True)
class Planted:
    """One size of effect.

    Attributes:
        model: the words behind `control:` with {seed} where the seed goes, "classifier?accuracy=0.7&seed={seed}"; or
            what makes the model of a seed, where no control will do. Another seed must be another draw of the model.
        effect: the planted size, on the horizontal axis of the curves.
        truth: what the estimate should be, in the metric's unit. None where there is no closed form: then the mean of
            all runs of this level stands in, which says nothing of bias, and the page says so.
    """

    model: str | Callable[[int], Model]
    effect: float
    truth: float | None = None


@dataclass(frozen=True)
class Validation:
    """One estimate of an audit against effects of known size.

    Attributes:
        metric: name of the metric. The first estimate of it (of `subgroup`) counts.
        title: what is planted and what should find it, in one line.
        data: the items, without pixels as a rule (`items`); None for audits without data. Called once per process.
        levels: sizes of effect, in order. With `null` the first plants nothing: what is rejected there is false.
        params: of the audit, as in a suite.
        subgroup: a value in the estimate's `subgroup`, or several, where the metric is estimated for many.
        x_label: what `effect` is, with its unit.
        null: False for a metric that has no value of "nothing there": no false positives and no power are drawn.
        seeds: at most so many seeds per level, for an audit that is slow.

    Plans with the same `data`, `params` and models are measured on the same runs: give one plan for each estimate.
    """

    metric: str
    title: str
    data: Callable[[], Dataset | None]
    levels: tuple[Planted, ...]
    params: Mapping[str, Any] = field(default_factory=dict)
    subgroup: str | tuple[str, ...] | None = None
    x_label: str = "planted effect"
    null: bool = True
    seeds: int | None = None

    @property
    def values(self) -> tuple[str, ...]:
        """Of `subgroup`."""
        return (self.subgroup,) if isinstance(self.subgroup, str) else self.subgroup or ()


@dataclass(frozen=True)
class PlantedItem:
    """An image known by its attributes alone."""

    id: str
    attributes: Mapping[str, str]

    @property
    def digest(self) -> str:
        """sha256 hex of the id: there is no other content."""
        return hashlib.sha256(self.id.encode()).hexdigest()

    def load(self) -> Image.Image:
        """There are no pixels: raises ImageError."""
        raise ImageError(f"{self.id}: planted for a control model, and has no pixels")


def items(
    attributes: Sequence[Mapping[str, str]],
    *,
    groups: tuple[str, ...] = (),
    cluster: str | None = None,
    id: str = "planted",
) -> Dataset:
    """A data set of items without pixels, "00000" and on; all have the same columns. Groups count as drawn."""
    from clipaudit.data.dataset import Dataset
    from clipaudit.results import DataInfo

    info = DataInfo(
        id=id, title="Planted items", digest="planted", items=len(attributes), licence="CC0-1.0",
        consent="nobody is shown", groups=groups, groups_are="drawn",
    )  # fmt: skip
    images = [PlantedItem(f"{i:05d}", values) for i, values in enumerate(attributes)]
    return Dataset(info, images, tuple(attributes[0]), cluster)
