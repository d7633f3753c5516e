"""Rows to what happened to each base image under each condition. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from clipaudit_audits.robustness.typographic_rows import WORD

if TYPE_CHECKING:
    import pyarrow as pa

Choice = Literal["label-set", "two-way"]
Condition = tuple[str, float | None]  # kind (with factor and level where one differs) and note area
Flags = NDArray[np.bool_]
COLUMN: Mapping[Choice, str] = {"label-set": "prediction", "two-way": "two_way"}
ANYWHERE = ("clean", "real", "synthetic")  # kinds that have no note area of ours
_KEPT = ("base", "cluster", "kind", "factor", "level", "area", "label", "written", "whole", "error")


@dataclass(frozen=True)
class Outcome:
    """One condition over all n base images: shown and readable, the right class chosen, the written one chosen."""

    seen: Flags
    right: Flags
    wrote: Flags


@dataclass(frozen=True)
class Outcomes:
    """clusters: (n,) unit of each base image. conditions: by (kind, area)."""

    bases: tuple[str, ...]
    clusters: tuple[str, ...]
    conditions: Mapping[Condition, Outcome]

    def areas(self) -> list[float]:
        """Note areas of the attack, ascending."""
        return sorted(area for kind, area in self.conditions if kind == "wrong" and area is not None)

    def named(self, kind: str) -> list[Condition]:
        """Conditions of that kind."""
        return [condition for condition in self.conditions if condition[0] == kind]


def condition_of(kind: str, factor: str | None, level: str | None) -> str:
    """The kind of a condition, with what differs in it from the main result."""
    return f"{kind}, {factor} {level}" if factor else kind


def outcomes(rows: pa.Table, choice: Choice, plain: bool = False) -> Outcomes:
    """What the model chose, among all classes or between the two, per base image and condition.

    Rows with an error are not seen, nor are those whose classes were not all scored where the choice is among all.
    `plain`: the choices without the prefix. The order of the rows changes nothing but the order of the bases.
    """
    column = f"plain_{COLUMN[choice]}" if plain else COLUMN[choice]
    records = [row for row in rows.select([*_KEPT, column]).to_pylist() if row["kind"] != WORD]
    cluster = {record["base"]: record["cluster"] for record in records}
    number = {base: i for i, base in enumerate(cluster)}
    conditions: dict[Condition, Outcome] = {}
    for record in records:
        kind = condition_of(record["kind"], record["factor"], record["level"])
        key = (kind, None if kind in ANYWHERE else record["area"])
        if key not in conditions:
            conditions[key] = Outcome(*(np.zeros(len(number), dtype=np.bool_) for _ in range(3)))
        if _seen(record, choice):
            i, chosen = number[record["base"]], record[column]
            conditions[key].seen[i] = True
            conditions[key].right[i] = chosen == record["label"]
            conditions[key].wrote[i] = chosen == record["written"]
    return Outcomes(tuple(cluster), tuple(cluster.values()), conditions)


def _seen(record: Mapping[str, Any], choice: Choice) -> bool:
    return record["error"] is None and (choice == "two-way" or bool(record["whole"]))
