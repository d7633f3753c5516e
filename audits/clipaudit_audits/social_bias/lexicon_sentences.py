"""What the lexicon audit found, in words. Groups are annotations by others, or what was drawn."""

from __future__ import annotations

from math import exp

from clipaudit.numbers import counted, fixed
from clipaudit.results import Estimate
from clipaudit_audits.social_bias.chance_sentences import beside_chance, measured
from clipaudit_audits.wording import between, percent

CAVEAT = "It says what this pool gives for these words, not why: clothes and places can be the reason."


def category_sentence(estimate: Estimate, grouping: str, k: int) -> str:
    """Evenness or a group's skew over the words of one category."""
    top = f"Among the first {counted(k, 'image')} for {estimate.subgroup['words']}"
    if estimate.metric == "entropy":
        text = f"{top}, the mix of groups by {grouping} is set beside that of the pool"
        return f"{text} ({measured(estimate, 'evenness')}; 1 is the same mix).{beside_chance(estimate)} {CAVEAT}"
    times = f"{fixed(exp(estimate.value or 0.0), 2)} times"
    return (
        f"{top}, '{estimate.subgroup['group']}' ({grouping}) holds on average {times} its share of the pool "
        f"({measured(estimate, 'skew')}).{beside_chance(estimate)} {CAVEAT}"
    )


def word_sentence(estimate: Estimate, grouping: str) -> str:
    """One group under one word."""
    way = "over" if (estimate.value or 0.0) > (estimate.null_value or 0.0) else "under"
    return (
        f"'{estimate.subgroup['group']}' ({grouping}) holds {percent(estimate.value or 0.0)}"
        f"{between(estimate.interval, 100)} of the first {estimate.n} images for '{estimate.subgroup['word']}' and "
        f"{percent(estimate.null_value or 0.0)} of the pool: {way}-represented, after correction over all words and "
        f"groups. {CAVEAT}"
    )
