"""What a validation found, in words."""

from __future__ import annotations

from collections.abc import Sequence

from clipaudit import numbers
from clipaudit.validation.judge import Proportion, Standing, proportions
from clipaudit.validation.results import AuditValidation

_WORST = (Standing.OUTSIDE, Standing.CAUTIOUS, Standing.INSIDE)


def share(found: Proportion) -> str:
    """Share, its 95 % interval, and of how many runs: "94.5 % [90.4, 97.2] of 200 runs"."""
    return f"{bare_share(found)} of {numbers.counted(found.n, 'run')}"


def bare_share(found: Proportion) -> str:
    """Share and interval alone."""
    value = numbers.value_text(found.share, "proportion")
    return f"{value} {numbers.interval_text(found.low, found.high, 'proportion')}"


def summary(audit: AuditValidation) -> str:
    """One line: coverage and false positives over all curves, and where they leave their bands."""
    found = proportions(audit)
    parts = []
    for kind in ("coverage", "false positives"):
        overall = [one for one in found if one.kind == kind and (kind != "coverage" or one.overall)]
        if overall:
            parts.append(f"{kind} {_span(overall)}")
    counts = {standing: sum(one.standing is standing for one in found) for standing in Standing}
    said = [
        f"{counts[standing]} of {len(found)} figures {words}"
        for standing, words in (
            (Standing.OUTSIDE, "outside the binomial band"),
            (Standing.CAUTIOUS, "beyond the binomial band on the cautious side"),
        )
        if counts[standing]
    ]
    verdict = ", ".join(said) or "all inside the binomial band"
    return f"{numbers.counted(len(audit.curves), 'curve')}: {'; '.join([*parts, verdict])}"


def _span(found: Sequence[Proportion]) -> str:
    """One share, or the least and the greatest."""
    if len(found) == 1:
        return share(found[0])
    ordered = sorted(found, key=lambda one: one.share)
    if ordered[0].share == ordered[-1].share:
        return f"{share(ordered[0])} in each"
    return f"from {share(ordered[0])} to {share(ordered[-1])}"


def worst(found: Sequence[Proportion]) -> Standing:
    """The standing that most needs saying."""
    return next((standing for standing in _WORST if any(one.standing is standing for one in found)), Standing.INSIDE)


def caution(found: Proportion) -> str:
    """What a finding must say where a figure of its metric lies outside its band."""
    where = "" if found.level is None else f" (planted effect {numbers.plain(found.curve.levels[found.level].effect)})"
    outside = found.standing is Standing.OUTSIDE
    if found.kind == "coverage":
        meaning = "it is too narrow" if outside else "it is wider than it need be"
        return (
            f"Validation: on models with a known effect{where} the 95 % interval of this metric held the truth in "
            f"{share(found)}: {meaning}."
        )
    meaning = "it rejects too often" if outside else "it is cautious, and misses what a sharper test would find"
    rejected = "the test of this metric rejected at .05 in"
    return f"Validation: on models without any effect {rejected} {share(found)}: {meaning}."


def cautions(audit: AuditValidation) -> dict[str, tuple[str, ...]]:
    """By metric, what its findings must say: for each kind of figure the one furthest outside its band."""
    found: dict[str, dict[str, Proportion]] = {}
    for one in proportions(audit):
        if one.standing is Standing.INSIDE:
            continue
        kinds = found.setdefault(one.curve.metric, {})
        if one.kind not in kinds or _weight(one) < _weight(kinds[one.kind]):
            kinds[one.kind] = one
    return {metric: tuple(caution(one) for one in kinds.values()) for metric, kinds in found.items()}


def _weight(found: Proportion) -> tuple[int, float]:
    """Smaller: says more."""
    edge = found.band[0] if found.share < found.band[0] else found.band[1]
    return _WORST.index(found.standing), -abs(found.share - edge)
