"""What the retrieval audit found, in words. Groups are annotations by others, or what was drawn."""

from __future__ import annotations

from math import exp

from clipaudit.numbers import counted, fixed, half_width, plain, value_text
from clipaudit.results import Estimate, Status

CAVEAT = "It says nothing about queries that ask for a group, nor about other pools of images."


def skew_sentence(estimate: Estimate, grouping: str, group: str, k: int, queries: int, target: str) -> str:
    """MaxSkew, MinSkew: `group` is the one most often at that end; `target` is how the shares are compared."""
    way, name = ("over", "MaxSkew") if estimate.metric == "max_skew" else ("under", "MinSkew")
    value = estimate.value or 0.0
    times = f"{fixed(exp(value), 2)} times its share of {'the pool' if target == 'pool' else 'an even split'}"
    return (
        f"In the first {counted(k, 'image')} for {counted(queries, 'neutral query')}, the group most {way}-represented "
        f"({grouping}) holds on average {times}; most often it is '{group}'. {name}@{k} is {_numbers(estimate)}."
        f"{_chance(estimate)}{_verdict(estimate)} {CAVEAT}"
    )


def ndkl_sentence(estimate: Estimate, grouping: str, queries: int) -> str:
    return (
        f"Over the whole ranking for {counted(queries, 'neutral query')}, the mix of groups ({grouping}) departs from "
        f"the target by an NDKL of {_numbers(estimate)}.{_chance(estimate)}{_verdict(estimate)} {CAVEAT}"
    )


def bias_sentence(estimate: Estimate, first: str, second: str, k: int, queries: int) -> str:
    leader = first if (estimate.value or 0.0) > 0 else second
    return (
        f"In the first {counted(k, 'image')} for {counted(queries, 'neutral query')}, '{leader}' leads: "
        f"('{first}' minus '{second}') / both = {_numbers(estimate)}.{_chance(estimate)}{_verdict(estimate)} {CAVEAT}"
    )


def group_sentence(estimate: Estimate, grouping: str, group: str, k: int, queries: int) -> str:
    if estimate.status is Status.TOO_SMALL:
        return (
            f"{grouping} '{group}': {counted(estimate.n, 'readable image')} are too few to judge; left out of the pool."
        )
    return (
        f"'{group}' ({grouping}) holds {fixed(exp(estimate.value or 0.0), 2)} times its share of the pool among the "
        f"first {counted(k, 'image')} for {counted(queries, 'neutral query')}: {_numbers(estimate)}."
        f"{_chance(estimate)}{_verdict(estimate)}"
    )


def excess_sentence(estimate: Estimate, grouping: str, mean: float) -> str:
    return (
        f"{grouping}: above what permuted labels give on average ({fixed(mean, 3)}) lie {_numbers(estimate)}; "
        "0 would be a ranking that does not look at the groups."
    )


def template_sentence(estimate: Estimate, grouping: str, means: dict[str, float], leaders: str) -> str:
    low, high = min(means, key=means.__getitem__), max(means, key=means.__getitem__)
    return (
        f"{grouping}: from template to template the mean MaxSkew runs from {fixed(means[low], 3)} ('{low}') to "
        f"{fixed(means[high], 3)} ('{high}'). {leaders}"
    )


def too_few_expected(grouping: str, group: str, k: int) -> str:
    return (
        f"{grouping} '{group}': less than one of the first {counted(k, 'image')} would be of this group by its share "
        "of the pool, too few to judge; a larger k can."
    )


def not_judged(grouping: str, k: int) -> str:
    return (
        f"{grouping}: no pool holds more than {counted(k, 'image')} and every group, and the first {k} of {k} are the "
        "same whatever the model ranks first: not judged."
    )


def _numbers(estimate: Estimate) -> str:
    interval = estimate.interval
    spread = _spread(estimate)
    text = value_text(estimate.value, estimate.unit, spread=spread)
    if interval is not None and interval.low is not None and interval.high is not None:
        text += f" (95 % interval {plain(interval.low, spread)} to {plain(interval.high, spread)})"
    return f"{text}, {counted(estimate.n, 'image')}"


def _chance(estimate: Estimate) -> str:
    null = estimate.null
    if null is None or estimate.value is None:
        return ""
    mean, low, high, excess = (
        plain(value, _spread(estimate)) for value in (null.mean, null.low, null.high, estimate.value - null.mean)
    )
    return f" Chance alone gives {mean} (95 %: {low} to {high}); the excess is {excess}."


def _spread(estimate: Estimate) -> float | None:
    interval = estimate.interval
    return None if interval is None else half_width(interval.low, interval.high)


def _verdict(estimate: Estimate) -> str:
    if estimate.status is Status.EFFECT:
        return " That differs from chance, after correction."
    if estimate.status is Status.NO_EFFECT and estimate.minimum_detectable is not None:
        return (
            f" Not shown to differ from chance; an excess of {plain(estimate.minimum_detectable)} would have been "
            "found with 80 % probability before correction."
        )
    return ""
