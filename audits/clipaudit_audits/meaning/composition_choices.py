"""From rows to choices: which of its two captions the model takes, and which one takes who has not seen the image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from clipaudit_audits.meaning.composition_texts import Fluency, words
from clipaudit_audits.meaning.meaning_shares import chosen

if TYPE_CHECKING:
    import pyarrow as pa

Floats = NDArray[np.float64]

BLIND = {  # the same choice made without the image: name -> what it takes
    "length": "the caption with fewer words",
    "fluency": "the caption that reads better, by word pairs in the captions of other images",
    "text tower": "the caption nearer to the mean caption of other images, by the model's own texts",
    "average image": "the caption nearer to the mean of the other images, by the model itself",
}


@dataclass(frozen=True)
class Choices:
    """Pairs in the order of their ids. `model` (n,): chosen by the model, NaN where no image was at hand; `blind`: by
    fluency, and by each other chooser of BLIND that can judge every pair and does not tie on all of them."""

    rows: Sequence[Mapping[str, Any]]
    model: Floats
    blind: Mapping[str, Floats] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: pa.Table) -> Choices:
        """The rows that have no error."""
        good = sorted((row for row in rows.to_pylist() if row["error"] is None), key=lambda row: str(row["item"]))
        blind = {"length": _by_length(good), "fluency": _by_fluency(good)}
        for name, column in (("text tower", "typical"), ("average image", "average")):
            blind[name] = chosen(_column(good, f"{column}_true"), _column(good, f"{column}_false"))
        kept = {name: found for name, found in blind.items() if name == "fluency" or _judges(found)}
        return cls(good, chosen(_column(good, "true"), _column(good, "false")), kept)

    @cached_property
    def images(self) -> list[str]:
        return [row["image"] for row in self.rows]

    @property
    def seen(self) -> bool:
        """Whether the images were at hand."""
        return bool(self.rows) and not np.isnan(self.model).any()

    @property
    def kinds(self) -> list[str]:
        return sorted({row["kind"] for row in self.rows})

    def only(self, kind: str | None) -> Choices:
        """The pairs of one kind; None: all."""
        if kind is None:
            return self
        at = [i for i, row in enumerate(self.rows) if row["kind"] == kind]
        return Choices([self.rows[i] for i in at], self.model[at], {n: found[at] for n, found in self.blind.items()})

    def best(self) -> str:
        """The chooser without the image that is right most often on these pairs."""
        return max(self.blind, key=lambda name: float(self.blind[name].mean()))


def _judges(found: Floats) -> bool:
    """Whether a chooser has a view of every pair, and not always a tie."""
    return not np.isnan(found).any() and bool((found != 0.5).any())


def _column(rows: Sequence[Mapping[str, Any]], name: str) -> Floats:
    return np.array([np.nan if row[name] is None else row[name] for row in rows], dtype=np.float64)


def _by_length(rows: Sequence[Mapping[str, Any]]) -> Floats:
    true, false = (np.array([-len(words(row[name])) for row in rows], float) for name in ("caption", "negative"))
    return chosen(true, false)


def _by_fluency(rows: Sequence[Mapping[str, Any]]) -> Floats:
    captions: dict[str, set[str]] = {}
    for row in rows:
        captions.setdefault(row["image"], set()).add(row["caption"])
    fluency = Fluency(captions)
    true, false = ([fluency.of(row[name], row["image"]) for row in rows] for name in ("caption", "negative"))
    return chosen(np.array(true), np.array(false))
