"""One error level over all rules: Holm's correction of every p value that could turn the gate red."""

from __future__ import annotations

from collections.abc import Sequence

from clipaudit.gate.rules import Weighed
from clipaudit.stats.multiple import adjusted


def over_all(rules: Sequence[Sequence[Weighed]]) -> list[list[float | None]]:
    """Holm-adjusted `p_fail` of every estimate of every rule, in the same shape.

    Red once in a family means red: all estimates of all rules are one family (Holm 1979).
    """
    raw = [each.p_fail for rule in rules for each in rule if each.p_fail is not None]
    corrected = iter(adjusted(raw, "holm").tolist() if raw else [])
    return [[None if each.p_fail is None else next(corrected) for each in rule] for rule in rules]
