"""Rules for what an audit says each item contributes to an estimate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from clipaudit.contract import Audit, Cell, Outcomes
from clipaudit.results import Estimate
from clipaudit.testing.findings import Problems

if TYPE_CHECKING:
    import pyarrow as pa

TRIED = 3  # estimates of each metric: there may be hundreds
_ROUNDING = 1e-6


def contributed(audit: Audit, cell: Cell, rows: pa.Table, estimates: Sequence[Estimate]) -> Problems:
    """Where an audit offers outcomes they give the estimate's value, each item once."""
    tried: Counter[str] = Counter()
    for estimate in estimates:
        if estimate.value is None or tried[estimate.metric] >= TRIED:
            continue
        tried[estimate.metric] += 1
        try:
            found = audit.outcomes(cell, rows, estimate)
        except Exception as error:  # an audit is a plug-in: it may raise anything
            yield f"outcomes: of {estimate.title!r} it fails: {type(error).__name__}: {error}"
            continue
        if found is not None:
            yield from _one(found, estimate)


def _one(found: Outcomes, estimate: Estimate) -> Problems:
    where = f"outcomes: of {estimate.title!r} {dict(estimate.subgroup)}"
    n = len(found.items)
    if not n == len(found.above) == len(found.below) == len(found.clusters):
        yield f"{where}: items, above, below and clusters are not of one length"
        return
    if len(set(found.items)) < n:
        yield f"{where}: an item comes twice"
    above, below = float(np.sum(found.above)), float(np.sum(found.below))
    value = found.scale * above / below if below else float("nan")
    assert estimate.value is not None, "only estimates with a value are tried"
    if not abs(value - estimate.value) <= _ROUNDING * max(1.0, abs(estimate.value)):
        yield f"{where}: they give {value}, the estimate is {estimate.value}"
