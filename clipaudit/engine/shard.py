"""Shares of a run: `--shard 2/4` runs the second of four shares of the cells, `merge` makes the whole of them.

Who runs what is decided by the plan alone: neither the machine, nor the model, nor what is cached has a say, so jobs
that know nothing of each other deal alike. A cell weighs what it shows the model, and goes, heaviest first, to the
share whose load stays smallest; images that a share shows the model already weigh next to nothing there.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Self, TypeVar

from clipaudit.contract import Need
from clipaudit.engine.plan import Plan, PlannedCell
from clipaudit.errors import UsageError

# In forward passes of one image. What they are worth differs between models; for dealing the order is enough.
_TEXT = 1 / 8  # a prompt cut at its length (measured on ViT-B/32: 20.8 images/s, 155 texts/s)
_STATISTICS = 1 / 20  # per item of a cell, cached or not: rows, bootstrap
_ATTACK = 100  # per image of a cell that needs gradients: some fifty steps forward and backward

_T = TypeVar("_T")


@dataclass(frozen=True)
class Shard:
    """Share `index` (from 1) of `of`."""

    index: int
    of: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """From "2/4"; UsageError in one line where it is not of that form."""
        match = re.fullmatch(r"([0-9]{1,6})/([0-9]{1,6})", text.strip())
        if match is None:
            raise UsageError(f"--shard {text!r}: write I/N, as in 2/4 for the second of four shares")
        index, of = int(match[1]), int(match[2])
        if not 1 <= index <= of:
            raise UsageError(f"--shard {text!r}: shares are numbered from 1 to N, as in 1/4, 2/4, 3/4 and 4/4")
        return cls(index, of)

    def __str__(self) -> str:
        return f"{self.index}/{self.of}"

    def items(self, items: Sequence[_T]) -> Sequence[_T]:
        """This share of a list: every `of`-th.

        >>> Shard(2, 3).items("abcdefgh")
        'beh'
        """
        return items[self.index - 1 :: self.of]

    def plan(self, plan: Plan) -> Plan:
        """This share of a plan. What cannot be run at all is the first share's to tell."""
        dealt = deal(plan.cells, self.of)
        cells = tuple(c for c, index in zip(plan.cells, dealt, strict=True) if index == self.index)
        return replace(plan, cells=cells, unrun=plan.unrun if self.index == 1 else ())


def cell_names(plan: Plan, fingerprint: str) -> tuple[str, ...]:
    """The name, "<slug>-<key>", of every cell in the order of the result, those that cannot be run last."""
    planned = (f"{p.cell.slug}-{p.cell.key(fingerprint)}" for p in plan.cells)
    return (*planned, *(f"{unrun.slug}-{unrun.key}" for unrun in plan.unrun))


@dataclass
class _Share:
    load: float = 0.0
    shown: set[str] = field(default_factory=set)


def deal(cells: Sequence[PlannedCell], of: int) -> list[int]:
    """The share, from 1, of each cell. A cell that is asked for twice is dealt once."""
    shares = [_Share() for _ in range(of)]
    content = [_shown(planned) for planned in cells]
    base = [_base(planned) for planned in cells]
    dealt: dict[str, int] = {}
    for place in sorted(range(len(cells)), key=lambda i: (-base[i] - len(content[i]), i)):
        name = cells[place].cell.key("")
        if name in dealt:
            continue
        loads = [share.load + base[place] + len(content[place] - share.shown) for share in shares]
        best = loads.index(min(loads))
        shares[best].load = loads[best]
        shares[best].shown |= content[place]
        dealt[name] = best + 1
    return [dealt[planned.cell.key("")] for planned in cells]


def weight(planned: PlannedCell) -> float:
    """What a cell weighs by itself, in forward passes of one image."""
    return _base(planned) + len(_shown(planned))


def _shown(planned: PlannedCell) -> set[str]:
    scope = planned.cell.data.id if planned.cell.data else planned.cell.slug
    return {f"{scope}/{image.id}" for image in planned.workload.images}


def _base(planned: PlannedCell) -> float:
    """The weight of a cell whose images are all embedded."""
    images, texts = len(planned.workload.images), len(planned.workload.texts)
    attack = _ATTACK * images if Need.GRADIENTS in planned.cell.spec.needs else 0
    return _TEXT * texts + _STATISTICS * (images + texts) + attack
