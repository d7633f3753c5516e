"""What the retrieval audit found, in words. Groups are annotations by others, or what was drawn."""

from __future__ import annotations

from math import exp

from clipaudit.numbers import counted, fixed
from clipaudit.results import Estimate, Status
from clipaudit_audits.social_bias.chance_sentences import beside_chance, measured
from clipaudit_audits.wording import percent

CAVEAT = "It says nothing about queries that name a group, nor about other pools of images."


def skew_sentence(estimate: Estimate, grouping: str, group: str, k: int, queries: int, target: str) -> str:
    """MaxSkew, MinSkew: `group` is the one most often at that end; `target` is how the shares are compared."""
    way, name = ("over", "MaxSkew") if estimate.metric == "max_skew" else ("under", "MinSkew")
    times = f"{_times(estimate)} its share of {'the pool' if target == 'pool' else 'an even split'}"
    return (
        f"{_top(k, queries)}, the group by {grouping} that is most {way}-represented holds on average {times} "
        f"({measured(estimate, f'{name}@{k}')}). Most often that is '{group}'.{beside_chance(estimate)} {CAVEAT}"
    )


def ndkl_sentence(estimate: Estimate, grouping: str, queries: int) -> str:
    return (
        f"Along the whole ranking for {counted(queries, 'neutral query')}, the mix of groups by {grouping} departs "
        f"from the one it is compared with ({measured(estimate, 'NDKL')}; 0 would be the same mix at every rank)."
        f"{beside_chance(estimate)} {CAVEAT}"
    )


def bias_sentence(estimate: Estimate, first: str, second: str, k: int, queries: int) -> str:
    """Of two groups: (first - second) / both."""
    value = estimate.value or 0.0
    leader, other = (first, second) if value >= 0 else (second, first)
    return (
        f"{_top(k, queries)}, '{leader}' makes up {percent(0.5 + abs(value) / 2)} on average and '{other}' the rest "
        f"({measured(estimate, f'Bias@{k}, {first} minus {second} over both:')}).{beside_chance(estimate)} {CAVEAT}"
    )


def group_sentence(estimate: Estimate, grouping: str, group: str, k: int, queries: int) -> str:
    if estimate.status is Status.TOO_SMALL:
        few = "is too few" if estimate.n == 1 else "are too few"
        return f"{grouping} '{group}': {counted(estimate.n, 'readable image')} {few} to judge; left out of the pool."
    return (
        f"{_top(k, queries)}, '{group}' ({grouping}) holds on average {_times(estimate)} its share of the pool "
        f"({measured(estimate, f'skew@{k}')}).{beside_chance(estimate)}"
    )


def _top(k: int, queries: int) -> str:
    return f"Among the first {counted(k, 'image')} for {counted(queries, 'neutral query')}"


def _times(estimate: Estimate) -> str:
    """A mean of logarithms of shares as a factor.

    >>> _times(Estimate(metric="max_skew", title="t", value=0.88, n=10))
    '2.41 times'
    """
    return f"{fixed(exp(estimate.value or 0.0), 2)} times"


def excess_sentence(estimate: Estimate, grouping: str, mean: float) -> str:
    return (
        f"By {grouping}, labels dealt out at random give {fixed(mean, 3)} on average; what is more than that "
        f"({measured(estimate, 'excess')}) would be 0 for a ranking that does not look at the groups."
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
