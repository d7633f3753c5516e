"""How alike a group's images are, and how far its label lies from the unmarked one: what only embeddings can say."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from clipaudit.results import Estimate, Status
from clipaudit.stats.multiple import correct
from clipaudit.stats.power import mde_null
from clipaudit_audits.social_bias import markedness_sentences as say
from clipaudit_audits.social_bias.markedness_similarity import jackknife, with_t
from clipaudit_audits.social_bias.markedness_study import Study
from clipaudit_audits.social_bias.rate_estimates import Rate
from clipaudit_audits.template_sensitivity import marked, sensitivity


def similarities(study: Study) -> list[Estimate]:
    """Differences from the groups' mean, corrected over all; then each group's own value."""
    if study.answers.similar is None:
        return []
    numbers = range(len(study.groupings))
    tested = [estimate for number in numbers for estimate in _differences(study, number)]
    spoken = [
        _said(estimate, say.difference_sentence(estimate, *_group(estimate)))
        for estimate in correct(tested, "benjamini-hochberg", "differences in self-similarity")
    ]
    return [*spoken, *(estimate for number in numbers for estimate in _values(study, number))]


def _group(estimate: Estimate) -> tuple[str, str]:
    (found,) = estimate.subgroup.items()
    return found


def _rate(study: Study) -> Rate:
    params = study.params
    return Rate(study.spec, "self_similarity", "", "", params.min_group, params.cluster or None)


def _values(study: Study, number: int) -> Iterator[Estimate]:
    grouping, found, rate = study.groupings[number], study.similarity(number), _rate(study)
    assert found is not None, "asked only with embeddings"
    large = study.large(grouping)
    for i, group in enumerate(grouping.values):
        units, value = int(found.units[i]), float(found.value[i])
        defined = units > 1 and np.isfinite(value)
        interval = None
        if units > 2:
            interval = with_t(value, jackknife(_present(found.left_out[:, i])), units)[0]
            ends = [float(np.clip(end, -1, 1)) for end in (interval.low or 0.0, interval.high or 0.0)]
            interval = interval.model_copy(update={"low": ends[0], "high": ends[1]})
        made = rate.make(
            "self_similarity", rate.title("self_similarity", f"{group} ({grouping.name})"), value if defined else None,
            {grouping.label: group}, role="secondary", n=int(found.n[i]), clusters=units, interval=interval,
            status=Status.DESCRIBED if large[i] and defined else Status.TOO_SMALL,
        )  # fmt: skip
        yield _said(made, say.similarity_sentence(made, grouping.label, group))


def _present(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return values[np.isfinite(values)]


def _differences(study: Study, number: int) -> Iterator[Estimate]:
    """Each group that is large enough against the mean of these, by a jackknife over the units of all of them."""
    grouping, found, rate = study.groupings[number], study.similarity(number), _rate(study)
    similar = study.answers.similar
    assert found is not None, "asked only with embeddings"
    assert similar is not None, "the same"
    large = np.flatnonzero(study.large(grouping) & (found.units > 2))
    if len(large) < 2:
        return
    inside = np.isin(grouping.codes, large) & np.isfinite(similar[:, number])
    value, left_out = found.value[large], found.left_out[:, large]
    for i, group in enumerate(large if len(large) > 2 else large[:1]):  # of two, the other is its mirror image
        difference = float(value[i] - value.mean())
        error = jackknife(left_out[:, i] - left_out.mean(axis=1))
        units = len(np.unique(study.answers.clusters[inside]))
        interval, test = with_t(difference, error, units)
        name = grouping.values[group]
        yield rate.make(
            "self_similarity_difference", rate.title("self_similarity_difference", f"{name} ({grouping.name})"),
            difference, {grouping.label: name}, role="primary" if len(grouping.columns) == 1 else "secondary",
            n=int(found.n[group]), clusters=int(found.units[group]), interval=interval, test=test,
            minimum_detectable=mde_null(error) or None,
        )  # fmt: skip


def distances(study: Study) -> list[Estimate]:
    """Of each group's label; a note where a single template would place it on the other side of the column's mean."""
    found: list[Estimate] = []
    params = study.params
    for column in params.groups:
        there = study.answers.distances
        known = {value: there[label] for value, label in study.named(column).items() if label in there}
        if not known:
            continue
        means = {value: float(one.mean()) for value, one in known.items()}
        middle = float(np.mean(list(means.values())))
        per_template = np.mean(list(known.values()), axis=0)
        ends = (params.terms[pick(means, key=lambda value: (means[value], value))] for pick in (min, max))
        nearest, furthest = ends
        rate = Rate(study.spec, "text_distance", "", "", params.min_group, None, {"labels": column})
        for value, one in known.items():
            label = params.terms[value]
            made = rate.make(
                "text_distance", rate.title("text_distance", label), means[value], {"label": label}, role="secondary",
                n=len(one), status=Status.DESCRIBED,
            )  # fmt: skip
            sides = dict(zip(params.templates, (one - per_template + middle).tolist(), strict=False))
            sentence = say.distance_sentence(made, params.unmarked, label, nearest, furthest, column)
            found.append(marked(_said(made, sentence), sensitivity(sides, means[value], middle)))
    return found


def _said(estimate: Estimate, sentence: str) -> Estimate:
    return estimate.model_copy(update={"sentence": sentence})
