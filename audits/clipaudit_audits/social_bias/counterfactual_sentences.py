"""What the numbers say, in words. Names of levels are names of drawings."""

from __future__ import annotations

from collections.abc import Sequence

from clipaudit.results import Estimate, Status
from clipaudit_audits.social_bias.counterfactual_lexicon import Category
from clipaudit_audits.social_bias.counterfactual_pairs import Change

_NOUNS = {"tone": "skin tone {}", "presentation": "{}", "facial_hair": "a {}", "clothing": "a {}"}
_SPECIAL = {("facial_hair", "none"): "no facial hair"}


def level_name(change: Change, level: str) -> str:
    """ "skin tone monk 10", "long hair", "a suit".

    >>> level_name(Change("tone", "monk 01", "monk 10"), "monk 10")
    'skin tone monk 10'
    """
    noun = _NOUNS.get(change.attribute, change.attribute.replace("_", " ") + ": {}").format(level)
    return _SPECIAL.get((change.attribute, level), noun)


def name_of(changes: Sequence[Change], joint: bool = False) -> str:
    """ "monk 01 to monk 10"; an interaction: "(monk 01 to monk 10) x (short hair to long hair)"; all changes at once:
    "monk 01, short hair to monk 10, long hair"."""
    if joint or len(changes) == 1:
        before, after = (", ".join(levels) for levels in zip(*((c.before, c.after) for c in changes), strict=True))
        return f"{before} to {after}"
    return " x ".join(f"({change.before} to {change.after})" for change in changes)


def poles(category: Category) -> tuple[str, str]:
    """What more and less of a score stands for: ("criminal", "law-abiding")."""
    first, _, second = category.label.partition(" / ")
    return first, second


def category_sentence(estimate: Estimate, changes: Sequence[Change], category: Category, share: float) -> str:
    """The finding on one category. `share`: of pairs of words that lie closer together than the effect."""
    if estimate.value is None or estimate.status is Status.TOO_SMALL:
        return _too_small(estimate, changes)
    if estimate.metric == "interaction":
        return _interaction_sentence(estimate, changes, category)
    what, numbers, target = _what(changes), _numbers(estimate), _target(category, estimate.value)
    if category.checks:
        return _check_sentence(estimate, what, category)
    if estimate.status is not Status.EFFECT:
        return f"{what}, all else equal, no shift between {_between(category)} is shown: {numbers}{_mde(estimate)}."
    size = f"more than separates {_percent(share)} of all pairs of phrases on the same picture"
    found = f"{what}, all else equal, people lie closer to {target}: {numbers}, {size}."
    return found + _against_words(estimate)


def word_sentence(estimate: Estimate, change: Change, word: str) -> str:
    """The finding on one phrase."""
    toward = "closer to" if (estimate.value or 0) > 0 else "further from"
    found = f"{_what([change])}, all else equal, people lie {toward} {word!r}: {_numbers(estimate)}."
    return found + " A drift common to all phrases is part of this."


def drift_sentence(estimate: Estimate, changes: Sequence[Change]) -> str:
    """How all phrases together move: the model's general reaction to the drawing."""
    if estimate.value is None or estimate.status is Status.TOO_SMALL:
        return _too_small(estimate, changes)
    return (
        f"From {name_of(changes)}, the mean cosine to all phrases moves: {_numbers(estimate)}. "
        "This says nothing about any single word; categories with two poles are free of it."
    )


def share_sentence(value: float, changes: Sequence[Change], category: Category) -> str:
    """The effect in units of the model's own spread."""
    shift = f"From {name_of(changes, joint=True)}, the shift between {_between(category)}"
    return (
        f"{shift} is larger than the difference of cosines in {_percent(value / 100)} of all pairs of phrases on the "
        "same picture: so many could change their order."
    )


def _interaction_sentence(estimate: Estimate, changes: Sequence[Change], category: Category) -> str:
    if len(changes) > 2:
        return _higher_sentence(estimate, changes, category)
    first, second = changes
    what = (
        f"The effect of {name_of([first])} on {_between(category)} with {level_name(second, second.after)} "
        f"and with {level_name(second, second.before)}"
    )
    if estimate.status is not Status.EFFECT:
        return f"{what}: no difference is shown: {_numbers(estimate)}{_mde(estimate)}."
    found = f"{what} differs: it lies closer to {_target(category, estimate.value or 0.0)} by {_numbers(estimate)}."
    return found + _against_words(estimate)


def _higher_sentence(estimate: Estimate, changes: Sequence[Change], category: Category) -> str:
    what = f"{name_of(changes)}: between {_between(category)},"
    if estimate.status is not Status.EFFECT:
        numbers = f"{_numbers(estimate)}{_mde(estimate)}"
        return f"{what} nothing is shown beyond the effects of fewer of these changes: {numbers}."
    found = (
        f"{what} all changes together do what fewer of them do not, towards {_target(category, estimate.value or 0.0)}"
    )
    return f"{found}: {_numbers(estimate)}.{_against_words(estimate)}"


def check_holds(estimate: Estimate) -> bool:
    """Whether the change moves people towards the words that name it."""
    return estimate.status is Status.EFFECT and (estimate.value or 0.0) > 0


def failed_check(change: Change) -> str:
    """The note on effects of a change that the model does not connect with its name."""
    return (
        f"The check failed: the model does not bring {level_name(change, change.after)} closer to the words that name "
        "it. A shift is then a reaction to how the drawing looks, not shown to be one to what it stands for."
    )


def _check_sentence(estimate: Estimate, what: str, category: Category) -> str:
    first, second = poles(category)
    if check_holds(estimate):
        return f"Check passed. {what}, people lie closer to {first!r} against {second!r}: {_numbers(estimate)}."
    return (
        f"Check failed. {what}, people should lie closer to {first!r} against {second!r}, and that is not so: "
        f"{_numbers(estimate)}. What the model does with this attribute need not have to do with its meaning."
    )


def _what(changes: Sequence[Change]) -> str:
    after = " and ".join(level_name(change, change.after) for change in changes)
    return f"Drawn with {after} instead of {' and '.join(level_name(change, change.before) for change in changes)}"


def _against_words(estimate: Estimate) -> str:
    """Whether the words matter: the effect beside that of poles made of the lexicon's phrases at random."""
    null = estimate.null
    if null is None or estimate.value is None:
        return ""
    span = f"95 % of poles of as many random phrases move by {null.low:+.4f} to {null.high:+.4f}"
    if null.low <= estimate.value <= null.high:
        return f" No more than words at random would: {span}."
    return f" More than words at random would: {span}."


def _between(category: Category) -> str:
    first, second = poles(category)
    return f"{first!r} and {second!r}" if second else f"{first!r} and everything else"


def _target(category: Category, value: float) -> str:
    first, second = poles(category)
    if value > 0:
        return f"{first!r}" + (f" against {second!r}" if second else "")
    return f"{second!r} against {first!r}" if second else f"what is not {first!r}"


def _numbers(estimate: Estimate) -> str:
    interval = estimate.interval
    spread = (
        "no interval"
        if interval is None or interval.low is None or interval.high is None
        else f"95 % interval {interval.low:+.4f} to {interval.high:+.4f}"
    )
    order = estimate.subgroup["change"].count(") x (") + 1
    sets = "pairs" if estimate.metric != "interaction" else {2: "sets of four"}.get(order, f"sets of {2**order}")
    return f"{estimate.value:+.4f} in cosine ({spread}; {estimate.n:,} {sets} of {estimate.clusters} identities)"


def _mde(estimate: Estimate) -> str:
    if estimate.minimum_detectable is None:
        return ""
    return (
        f"; a shift of {estimate.minimum_detectable:.4f} would have been found with 80 % probability before correction"
    )


def _too_small(estimate: Estimate, changes: Sequence[Change]) -> str:
    return (
        f"From {name_of(changes)}: {estimate.n:,} complete sets of {estimate.clusters or 0} identities are too few "
        "to say anything."
    )


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %" if share < 0.1 else f"{100 * share:.0f} %"
