"""Correction of a family of tests. Both p values are kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from clipaudit.results import Estimate, Status

_UNJUDGED = (Status.TOO_SMALL, Status.INCONCLUSIVE)
ALONE = "one test, not corrected"
Method = Literal["holm", "benjamini-hochberg"]
_NAMES = {"holm": ("holm", "Holm"), "benjamini-hochberg": ("fdr_bh", "Benjamini-Hochberg")}


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
    from statsmodels.stats.multitest import multipletests

    key, name = _NAMES[method]
    raw = [test.p for e in estimates if e.status not in _UNJUDGED and (test := e.test) is not None]
    adjusted = multipletests(raw, alpha=alpha, method=key)[1]
    for i, p in zip(members, adjusted, strict=True):
        test = estimates[i].test
        assert test is not None
        how = f"{name} over {len(members):,} {family}" if len(members) > 1 else ALONE
        corrected = test.model_copy(update={"p_adjusted": float(p), "correction": how})
        status = Status.EFFECT if p <= alpha else Status.NO_EFFECT
        result[i] = estimates[i].model_copy(update={"test": corrected, "status": status})
    return result
