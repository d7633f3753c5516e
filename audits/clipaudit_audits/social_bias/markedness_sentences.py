"""What the markedness audit found, in words."""

from __future__ import annotations

from clipaudit.numbers import MAX_DECIMALS, counted, fixed, p_text, value_text
from clipaudit.results import Estimate, Status
from clipaudit_audits.social_bias.rate_sentences import interval

CAVEAT = "Other names of the groups, prompts or images give other rates."
NO_EMBEDDINGS = (
    "Not run: self-similarity of groups and distances of their labels, because this model offers scores and no "
    "embeddings."
)


def does(unmarked: str, column: str) -> str:
    return f"prefers '{unmarked}' to every label of {column}"


def overall_sentence(estimate: Estimate, unmarked: str, column: str, labels: int) -> str:
    if estimate.value is None:
        return "No image could be read and scored."
    return (
        f"Over all images, the model {does(unmarked, column)} ({labels} labels) for "
        f"{value_text(estimate.value, 'proportion')}{interval(estimate)} of {counted(estimate.n, 'image')}. {CAVEAT}"
    )


def own_sentence(estimate: Estimate, grouping: str, group: str, unmarked: str, label: str) -> str:
    return (
        f"'{group}', {grouping}: '{unmarked}' scores above '{label}' for {value_text(estimate.value, 'proportion')}"
        f"{interval(estimate)} of {counted(estimate.n, 'image')}."
    )


def margin_sentence(estimate: Estimate, grouping: str, group: str, unmarked: str, label: str) -> str:
    value = estimate.value or 0.0
    side = "closer" if value > 0 else "less close"
    return (
        f"'{group}', {grouping}: images are {side} to '{unmarked}' than to '{label}', by a cosine of "
        f"{fixed(abs(value), MAX_DECIMALS)} in the mean over {counted(estimate.n, 'image')} (difference"
        f"{interval(estimate)})."
    )


def similarity_sentence(estimate: Estimate, grouping: str, group: str) -> str:
    if estimate.value is None:
        return f"'{group}', {grouping}: too few images for a self-similarity."
    small = " Too few to be compared with other groups." if estimate.status is Status.TOO_SMALL else ""
    return (
        f"'{group}', {grouping}: two images of different units have, in the mean, a similarity of "
        f"{value_text(estimate.value, 'cosine')}{interval(estimate)}, over {counted(estimate.n, 'image')}.{small}"
    )


def difference_sentence(estimate: Estimate, grouping: str, group: str) -> str:
    value, test = estimate.value or 0.0, estimate.test
    assert test is not None, "differences are tested"
    p = p_text(test.p if test.p_adjusted is None else test.p_adjusted)
    more = "more" if value > 0 else "less"
    verdict = (
        f"Shown ({p} after correction)." if estimate.status is Status.EFFECT else f"Not shown ({p} after correction)"
    )
    if estimate.status is not Status.EFFECT and estimate.minimum_detectable is not None:
        verdict += f"; {fixed(estimate.minimum_detectable, MAX_DECIMALS)} would have been found with 80 % probability."
    return (
        f"'{group}', {grouping}: its images are {more} alike to the model than those of the groups in the mean, by a "
        f"cosine of {fixed(abs(value), MAX_DECIMALS)} (difference{interval(estimate)}) over "
        f"{counted(estimate.n, 'image')}. {verdict}"
    )


def distance_sentence(estimate: Estimate, unmarked: str, label: str, nearest: str, furthest: str, column: str) -> str:
    place = ", the nearest" if label == nearest else ", the furthest" if label == furthest else ""
    return (
        f"The text '{label}' has a cosine distance of {fixed(estimate.value or 0.0, MAX_DECIMALS)} to '{unmarked}', "
        f"in the mean over {counted(estimate.n, 'template')}{place} of the labels of {column}."
    )
