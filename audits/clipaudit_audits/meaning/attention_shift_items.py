"""Rows gathered by image, and what follows for each of them. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from clipaudit_audits.meaning import attention_shift_measures as measures
from clipaudit_audits.meaning.attention_shift_choices import ACCURATE

if TYPE_CHECKING:
    import pyarrow as pa

Floats = NDArray[np.float64]
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Item:
    """One image; `rows` by role."""

    name: str
    rows: Mapping[str, Row]

    @property
    def cluster(self) -> str:
        return str(self.rows[ACCURATE]["cluster"])

    @property
    def label(self) -> str:
        return str(self.rows[ACCURATE]["label"])

    @property
    def paraphrases(self) -> list[str]:
        return [role for role in self.rows if role.startswith(f"{ACCURATE}-")]

    @property
    def mask(self) -> Floats | None:
        return grid_of(self.rows[ACCURATE]["mask"])

    def relevance(self, role: str) -> Floats:
        found = grid_of(self.rows[role]["relevance"])
        assert found is not None
        return found

    def share(self, role: str) -> Floats | None:
        return measures.share(self.relevance(role))

    # --- between prompts --------------------------------------------------------------------------------------

    def between(self, measure: Callable[[Floats, Floats], float], role: str) -> float | None:
        """`measure` of the accurate prompt's share and another's; None where either has no positive relevance."""
        a, b = self.share(ACCURATE), self.share(role)
        return None if a is None or b is None else measure(a, b)

    def divergence(self, role: str) -> float | None:
        return self.between(measures.divergence, role)

    def distance(self, role: str) -> float | None:
        return self.between(measures.distance, role)

    def rank_correlation(self, role: str) -> float | None:
        return measures.rank_correlation(self.relevance(ACCURATE), self.relevance(role))

    def mass(self, role: str) -> float | None:
        """None without a mask or without positive relevance."""
        mask, share = self.mask, self.share(role)
        return None if mask is None or share is None else measures.mass(share, mask)

    def excess(self, measure: Callable[[str], float | None], role: str) -> float | None:
        """`measure` of a role, less its mean over the paraphrases."""
        base = [measure(paraphrase) for paraphrase in self.paraphrases]
        value = measure(role)
        known = [b for b in base if b is not None]
        return None if value is None or len(known) < len(base) or not known else value - float(np.mean(known))

    # --- checks -----------------------------------------------------------------------------------------------

    def hit(self, role: str) -> bool | None:
        mask = self.mask
        return None if mask is None else measures.hit(self.relevance(role), mask)

    def gain(self, role: str) -> float | None:
        """Area won over random orders, mean of deletion and insertion; None where the map was not checked."""
        row = self.rows[role]
        if row["deletion"] is None:
            return None
        patches = len(row["relevance"])

        def area(name: str) -> float:
            ends = (row["cosine"], row["blank"]) if name.endswith("deletion") else (row["blank"], row["cosine"])
            return measures.area(ends[0], row[name], ends[1], patches)

        return (area("random_deletion") - area("deletion") + area("insertion") - area("random_insertion")) / 2

    def agreement(self, other: str, measure: Callable[[Floats, Floats], float | None]) -> float | None:
        """`measure` of the accurate prompt's map and its column `other`; None where there is none."""
        found = grid_of(self.rows[ACCURATE][other])
        return None if found is None else measure(self.relevance(ACCURATE), found)


def items(rows: pa.Table) -> list[Item]:
    """Readable images in the order of their ids."""
    by_name: dict[str, dict[str, Row]] = {}
    for row in rows.to_pylist():
        if row["error"] is None:
            by_name.setdefault(row["item"], {})[row["role"]] = row
    return [Item(name, dict(sorted(by_name[name].items()))) for name in sorted(by_name)]


def grid_of(flat: list[float] | None) -> Floats | None:
    """(G, G)."""
    if flat is None:
        return None
    side = round(len(flat) ** 0.5)
    return np.array(flat, np.float64).reshape(side, side)
