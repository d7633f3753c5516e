"""Rates of groups and the gaps between them, in words: also the pieces that other audits of rates share.

`does` is what it does: "gives a crime-related label". Groups are annotations by others, or what was drawn.
"""

from __future__ import annotations

from clipaudit.numbers import counted, fixed, interval_text, p_text, value_text
from clipaudit.results import Estimate, Status
from clipaudit_audits.social_bias.disparity_measures import LEAST_UNITS


def group_sentence(estimate: Estimate, grouping: str, group: str, does: str, least: int) -> str:
    if estimate.value is None:
        return f"'{group}', {grouping}: no image could be read."
    text = (
        f"'{group}', {grouping}: the model {does} for {value_text(estimate.value, 'proportion')}{interval(estimate)} "
        f"of {counted(estimate.n, 'image')}."
    )
    if estimate.status is Status.TOO_SMALL:
        return f"{text} Fewer than {enough(least)}: too small to be compared with other groups."
    return text + detectable(estimate)


def gap_sentence(
    estimate: Estimate, grouping: str, does: str, highest: tuple[str, float], lowest: tuple[str, float], left_out: int
) -> str:
    ends = [f"'{name}' ({value_text(value, 'proportion')})" for name, value in (highest, lowest)]
    small = f" {counted(left_out, 'group')} too small to be compared." if left_out else ""
    if highest[1] == lowest[1]:
        shown = value_text(highest[1], "proportion")
        return (
            f"By {grouping}, the model {does} equally often for all groups ({shown}): no gap over "
            f"{counted(estimate.n, 'image')}.{chance(estimate)}{small}"
        )
    return (
        f"By {grouping}, the model {does} most often for {ends[0]} and least often for {ends[1]}: a gap of "
        f"{value_text(estimate.value, 'points')} over {counted(estimate.n, 'image')}."
        f"{chance(estimate)}{bound(estimate)}{verdict(estimate)}{small}"
    )


def not_compared(grouping: str, does: str, least: int) -> str:
    return f"By {grouping}, how often the model {does} is not compared: fewer than two groups have {enough(least)}."


def enough(least: int) -> str:
    """What a group needs to be compared."""
    return f"{least:,} distinct images of {counted(min(least, LEAST_UNITS), 'natural unit')}"


def variance_sentence(estimate: Estimate, grouping: str, rate: str) -> str:
    """rate: what differs between groups ("accuracy", "how often the model gives a label")."""
    value = estimate.value or 0.0
    ends = "" if estimate.interval is None else f" {interval_text(estimate.interval.low, estimate.interval.high)}"
    shown = f"a standard deviation of {fixed(value**0.5, 1)} points" if value > 0 else "no more than sampling gives"
    return (
        f"By {grouping}, {rate} differs between the true rates of groups with a variance of {fixed(value, 2)} points²"
        f"{ends}, sampling noise taken out: {shown}. Over {counted(estimate.n, 'image')}."
    )


def interval(estimate: Estimate) -> str:
    """The interval in brackets, led by a space; nothing where there is none."""
    found = estimate.interval
    return "" if found is None else f" {interval_text(found.low, found.high, estimate.unit)}"


def chance(estimate: Estimate) -> str:
    """What chance alone gives, led by a space; nothing where that is not known."""
    null = estimate.null
    if null is None:
        return ""
    ends = interval_text(null.low, null.high, estimate.unit)
    return f" Were all groups alike, chance would give {value_text(null.mean, estimate.unit)} {ends}."


def detectable(estimate: Estimate) -> str:
    """The smallest difference of one group that would show, led by a space; nothing where it is not known."""
    if estimate.minimum_detectable is None:
        return ""
    points = fixed(100 * estimate.minimum_detectable, 1)
    return f" A difference of {points} points from the other groups would be found with 80 % probability."


def bound(estimate: Estimate, what: str = "true gap") -> str:
    """The simultaneous lower bound of `what`, led by a space; nothing where there is none."""
    low = None if estimate.interval is None else estimate.interval.low
    if low is None:
        return ""
    if low == 0:
        return f" No lower bound above 0 can be given for the {what}."
    return f" The {what} is at least {value_text(low, 'points')} (95 %, all groups at once)."


def verdict(estimate: Estimate) -> str:
    """What the test says of a gap, led by a space; nothing without a test."""
    test = estimate.test
    if test is None:
        return ""
    p = p_text(test.p if test.p_adjusted is None else test.p_adjusted)
    if estimate.status is Status.EFFECT:
        return f" Larger than chance ({p} after correction)."
    if estimate.minimum_detectable is None:
        return f" Not shown to be larger than chance ({p} after correction)."
    return (
        f" Not shown to be larger than chance ({p} after correction); {fixed(estimate.minimum_detectable, 1)} points "
        "above it would have been found with 80 % probability before correction."
    )
