"""What the disparity audit found, in words. Groups and classes are annotations by others, or what was drawn."""

from __future__ import annotations

from clipaudit.numbers import counted, fixed, value_text
from clipaudit.results import Estimate, GroupsAre, Status
from clipaudit_audits.social_bias import rate_sentences as rates

CAVEAT = "It says nothing about other labels, prompts or images."
_RATE_OF = {
    "accuracy_gap": "accuracy",
    "demographic_parity_difference": "the share of images given {}",
    "true_positive_gap": "the share of {} images recognised as such",
    "false_positive_gap": "the share of other images given {}",
}


def truth(basis: GroupsAre) -> str:
    """What a class that was given is set beside."""
    return "the annotation" if basis == "annotated" else "what was drawn"


def overall_sentence(estimate: Estimate, target: str, classes: int, basis: GroupsAre) -> str:
    return (
        f"Asked for {target} among {classes} classes, the model agrees "
        f"with {truth(basis)} on {value_text(estimate.value, 'proportion')}{rates.interval(estimate)} of "
        f"{counted(estimate.n, 'image')}. {CAVEAT}"
    )


def group_sentence(estimate: Estimate, grouping: str, group: str, about: str, least: int, basis: GroupsAre) -> str:
    what = {
        "accuracy": f"agrees with {truth(basis)}",
        "selection_rate": f"gives '{about}'",
        "true_positive_rate": f"gives '{about}' where that is {basis}",
        "false_positive_rate": f"gives '{about}' where something else is {basis}",
    }[estimate.metric]
    if estimate.value is None:
        return f"'{group}' ({grouping}): no image could be read."
    share = value_text(estimate.value, "proportion")
    of = f"{rates.interval(estimate)} of {counted(estimate.n, 'image')}."
    text = f"'{group}' ({grouping}): the model {what} on {share}{of}"
    if estimate.status is Status.TOO_SMALL:
        return f"{text} Too small to be compared with other groups (fewer than {rates.enough(least)})."
    return text + rates.detectable(estimate)


def gap_sentence(
    estimate: Estimate,
    grouping: str,
    about: str,
    highest: tuple[str, float],
    lowest: tuple[str, float],
    left_out: int,
    own: tuple[float, float] | None,
    basis: GroupsAre,
) -> str:
    """own: for a selection rate, the shares of the two groups' images that are of the class."""
    rate = _RATE_OF[estimate.metric].format(f"'{about}'")
    ends = [f"'{name}' ({value_text(value, 'proportion')})" for name, value in (highest, lowest)]
    shares = ""
    if own is not None:
        of_class = " and ".join(value_text(share, "proportion") for share in own)
        shares = f" Of their images, {of_class} are {basis} as '{about}'."
    small = f" {counted(left_out, 'group')} too small to be compared." if left_out else ""
    return (
        f"By {grouping}, {rate} is highest for {ends[0]} and lowest for {ends[1]}: a gap of "
        f"{value_text(estimate.value, 'points')} over {counted(estimate.n, 'image')}.{shares}"
        f"{rates.chance(estimate)}{rates.bound(estimate)}{rates.verdict(estimate)}{small} {CAVEAT}"
    )


def odds_sentence(estimate: Estimate, grouping: str, about: str) -> str:
    return (
        f"By {grouping}, true or false positive rates of '{about}' differ by up to "
        f"{value_text(estimate.value, 'points')} between groups, over {counted(estimate.n, 'image')}."
        f"{rates.chance(estimate)}{rates.bound(estimate)}{rates.verdict(estimate)} {CAVEAT}"
    )


def ratio_sentence(estimate: Estimate, grouping: str, rate: str) -> str:
    null = estimate.null
    chance = (
        ""
        if null is None
        else f" Chance alone gives {fixed(null.mean, 2)} ({fixed(null.low, 2)} to {fixed(null.high, 2)})."
    )
    return (
        f"By {grouping}, {rate} of the lowest group is {fixed(estimate.value or 0.0, 2)} times that of the highest, "
        f"over {counted(estimate.n, 'image')}.{chance}"
    )


def shortfall_sentence(estimate: Estimate, grouping: str, worst: str) -> str:
    return (
        f"By {grouping}, accuracy of '{worst}' lies {value_text(estimate.value, 'points')} below the mean of the "
        f"groups, over {counted(estimate.n, 'image')}.{rates.chance(estimate)}"
        f"{rates.bound(estimate, 'shortfall of the worst group')}"
    )


def worst_sentence(estimate: Estimate, grouping: str, worst: str, images: int) -> str:
    return (
        f"By {grouping}, the group recognised worst is '{worst}': {value_text(estimate.value, 'proportion')} of "
        f"{counted(images, 'image')}. Over all groups at once, the lowest true accuracy lies in"
        f"{rates.interval(estimate)} with 95 %."
    )


def not_compared(grouping: str, what: str, least: int) -> str:
    return f"By {grouping}, {what} is not compared: fewer than two groups have {rates.enough(least)} or more."
