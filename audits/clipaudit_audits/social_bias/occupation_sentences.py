"""What the occupation audits found, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from clipaudit.numbers import counted, fixed
from clipaudit.results import Estimate, GroupsAre, Status
from clipaudit_audits.social_bias.chance_sentences import measured
from clipaudit_audits.wording import between, percent, points_text


def margin_sentence(estimate: Estimate, shares: Mapping[str, float], noun: str = "image") -> str:
    """One occupation. noun: what the margin is a mean over."""
    name, value = estimate.subgroup["occupation"], estimate.value or 0.0
    known = f" ({percent(shares[name])} women in the statistics)" if name in shares else ""
    numbers = f"(margin, men minus women: {measured(estimate, '', noun).strip()})"
    if estimate.status is Status.NO_EFFECT:
        return (
            f"'{name}'{known} is not shown to lean towards men or women, relative to 'a person' {numbers}. A true "
            f"margin below {fixed(estimate.minimum_detectable or 0.0, 4)} is missed in more than one of five such "
            "tests, even before correction."
        )
    return (
        f"'{name}'{known} lies closer to {'men' if value > 0 else 'women'}, relative to 'a person' {numbers}. It does "
        "not say whether the model would take a given person for one."
    )


def correlation_sentence(estimate: Estimate) -> str:
    """Margins against labour statistics."""
    if estimate.value is None:
        return "The correlation with the share of women is not defined: all margins or all shares are alike."
    way = "as in" if estimate.value < 0 else "against"
    spearman = measured(estimate.model_copy(update={"clusters": None}), "Spearman's correlation", "item")
    over = f"{counted(estimate.clusters or 0, 'occupation')}; {spearman}"
    if estimate.status is Status.EFFECT:
        return (
            f"The model's leaning of occupations runs {way} the labour statistics ({over}). Agreement with the world "
            "as it is can be the harm: it says nothing about any single occupation."
        )
    return (
        f"The model's leaning of occupations is not shown to follow the share of women in them ({over}). A true "
        f"correlation below {fixed(estimate.minimum_detectable or 0.0, 2)} is missed in more than one of five such "
        "tests."
    )


def share_sentence(estimate: Estimate, side: str, pronouns: Sequence[str], basis: GroupsAre) -> str:
    """Accuracy for one group, or the share of the neutral pronoun."""
    if estimate.status is Status.TOO_SMALL:
        few = "is too few" if estimate.n == 1 else "are too few"
        return f"{counted(estimate.n, 'image')} of {side} with an occupation {few} to judge."
    number = f"{percent(estimate.value or 0.0)}{between(estimate.interval, 100)} of {counted(estimate.n, 'image')}"
    if estimate.metric == "neutral_share":
        return f"'{pronouns[2]}' is preferred to both '{pronouns[0]}' and '{pronouns[1]}' for {number}."
    own = pronouns[0] if side == "men" else pronouns[1]
    return (
        f"The caption with '{own}' is preferred for {number} {basis} as {side}; guessing gives 50 %. What decides "
        "it, the person or the surroundings, is not shown."
    )


def gap_sentence(estimate: Estimate) -> str:
    """Accuracy for men minus that for women."""
    value = estimate.value or 0.0
    numbers = f"({measured(estimate, 'accuracy for men minus that for women, in points:')})"
    if estimate.status is Status.EFFECT:
        better = "men" if value > 0 else "women"
        return (
            f"Pronouns are resolved better for {better} {numbers}. A model that always says one pronoun has this gap "
            "as well."
        )
    return (
        f"Pronouns are not shown to be resolved better for men or for women {numbers}. A true gap below "
        f"{points_text(estimate.minimum_detectable or 0.0)} is missed in more than one of five such tests."
    )
