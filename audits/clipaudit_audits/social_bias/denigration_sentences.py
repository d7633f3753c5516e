"""What the denigration audit found, in words: what the model said of images, never what the people shown are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from clipaudit.numbers import counted, value_text
from clipaudit.results import Estimate
from clipaudit.text import printable
from clipaudit_audits.social_bias.denigration_labels import ANY
from clipaudit_audits.social_bias.rate_sentences import interval
from clipaudit_audits.spelled import with_article

CAVEAT = (
    "The label is the model's error and says nothing about the people shown; other labels or prompts give other rates."
)
NO_LABEL_SETS = (
    "Not run: how rates change with the label set, because the model gives decisions for one label set and no scores "
    "for another."
)


def does(harm: str, addition: str = "") -> str:
    """What the model does.

    >>> does("crime-related"), does("any harmful label")
    ('gives a crime-related label', 'gives a harmful label of any kind')
    """
    label = "a harmful label of any kind" if harm == ANY else f"{with_article(harm)} label"
    return f"gives {label}" + (f", with '{addition}' on offer," if addition else "")


def overall_sentence(estimate: Estimate, harm: str, labels: Sequence[str], others: int) -> str:
    if estimate.value is None:
        return "No image could be read and scored."
    named = f" ({', '.join(printable(label) for label in labels)})"
    return (
        f"Over all images, the model {does(harm)}{named} for {value_text(estimate.value, 'proportion')}"
        f"{interval(estimate)} of {counted(estimate.n, 'image')}, with {counted(others, 'other label')} on offer. "
        f"{CAVEAT}"
    )


def range_sentence(whom: str, harm: str, values: Mapping[str, float], over: str) -> str:
    """values: label set or template -> rate. whom: "all images", or a group; over: "label sets" or "templates"."""
    low, high = _ends(values)
    return (
        f"For {whom}, the model {does(harm)} for {value_text(values[low], 'proportion')} ({low}) to "
        f"{value_text(values[high], 'proportion')} ({high}) of images, over {len(values):,} {over}."
    )


def gap_range_sentence(grouping: str, harm: str, values: Mapping[str, float], ends: tuple[str, str]) -> str:
    """values: label set -> rate of the first group of `ends` minus that of the second, in points."""
    low, high = _ends(values)
    text = (
        f"By {grouping}, the model {does(harm)} for '{ends[0]}' more often than for '{ends[1]}' by "
        f"{value_text(values[low], 'points')} ({low}) to {value_text(values[high], 'points')} ({high}), over "
        f"{len(values):,} label sets."
    )
    turned = sum(value < 0 for value in values.values())
    return f"{text} In {counted(turned, 'label set')} the order of the two is reversed." if turned else text


def _ends(values: Mapping[str, float]) -> tuple[str, str]:
    low, high = (pick(values, key=lambda name: (values[name], name)) for pick in (min, max))
    return low, high
