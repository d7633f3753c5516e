"""Correction of a family of tests. Both p values are kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clipaudit.results import Estimate, Status

_UNJUDGED = (Status.TOO_SMALL, Status.INCONCLUSIVE)
ALONE = "one test, not corrected"
Method = Literal["holm", "benjamini-hochberg"]
_NAMES: dict[Method, str] = {"holm": "Holm", "benjamini-hochberg": "Benjamini-Hochberg"}


def adjusted(p: ArrayLike, method: Method) -> NDArray[np.float64]:
    """(m,) corrected p values of a family.

    Holm 1979 is written out: statsmodels collects all garbage for each family, a third of a second beside a loaded
    model. Benjamini and Hochberg 1995 is scipy's.

    >>> adjusted([0.01, 0.04, 0.03], "holm").tolist()
    [0.03, 0.06, 0.06]
    """
    from scipy.stats import false_discovery_control

    raw = np.asarray(p, dtype=np.float64)
    if method == "benjamini-hochberg":
        return np.asarray(false_discovery_control(raw))
    order = np.argsort(raw, kind="stable")
    steps = np.maximum.accumulate(raw[order] * np.arange(raw.size, 0, -1))
    result = np.empty_like(raw)
    result[order] = np.minimum(steps, 1.0)
    return result


def correct(estimates: Sequence[Estimate], method: Method, family: str, alpha: float = 0.05) -> list[Estimate]:
    """The estimates in their order; those with a test get `p_adjusted`, `correction` and a status.

    Status is EFFECT if p_adjusted <= alpha, else NO_EFFECT. Estimates without a test, and those marked TOO_SMALL or
    INCONCLUSIVE, are not in the family and stay as they are. `family` names the members: "tests" gives "Holm over 39
    tests"; for a family of one p stays as it is, and `correction` says so.
    """
    members = [i for i, e in enumerate(estimates) if e.test is not None and e.status not in _UNJUDGED]
    result = list(estimates)
    if not members:
        return result
    raw = [test.p for e in estimates if e.status not in _UNJUDGED and (test := e.test) is not None]
    for i, p in zip(members, adjusted(raw, method).tolist(), strict=True):
        test = estimates[i].test
        assert test is not None
        how = f"{_NAMES[method]} over {len(members):,} {family}" if len(members) > 1 else ALONE
        corrected = test.model_copy(update={"p_adjusted": p, "correction": how})
        status = Status.EFFECT if p <= alpha else Status.NO_EFFECT
        result[i] = estimates[i].model_copy(update={"test": corrected, "status": status})
    return result
