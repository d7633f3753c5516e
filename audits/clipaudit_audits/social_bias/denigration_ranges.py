"""How far rates and gaps depend on the label set and on the wording of the prompt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from clipaudit.results import Estimate, Status
from clipaudit_audits.social_bias import denigration_sentences as say
from clipaudit_audits.social_bias.denigration_rows import Floats
from clipaudit_audits.social_bias.denigration_study import Study
from clipaudit_audits.social_bias.disparity_measures import Compared
from clipaudit_audits.social_bias.groups import Grouping
from clipaudit_audits.template_sensitivity import Sensitivity, sensitivity

SETS, TEMPLATES = "label_set_range", "template_range"


def label_set_ranges(study: Study) -> list[Estimate]:
    """Of all images and of the groups of each column; one that says why not, for decisions."""
    if len(study.sets) < 2:
        spec = study.spec.metric(SETS)
        n = int(study.answers.readable.sum())
        return [
            Estimate(
                metric=SETS, title=spec.title, value=None, unit=spec.unit, direction=spec.direction, n=n,
                role="secondary", status=Status.INCONCLUSIVE, sentence=say.NO_LABEL_SETS,
            )
        ]  # fmt: skip
    names = [one.name for one in study.sets]
    found: list[Estimate] = []
    for harm in study.harms:
        for grouping in _whole_and_columns(study):
            found += _of_groups(study, SETS, grouping, harm, dict(zip(names, study.rates(grouping, harm), strict=True)))
    return found


def template_ranges(study: Study) -> list[Estimate]:
    """The same over single templates; nothing for one template."""
    found: list[Estimate] = []
    if len(study.chosen_by_template) < 2:
        return found
    for harm in study.harms:
        for grouping in _whole_and_columns(study):
            found += _of_groups(study, TEMPLATES, grouping, harm, study.template_rates(grouping, harm))
    return found


def gap_under_label_sets(study: Study, compared: Compared) -> list[Estimate]:
    """Rate of the group with the highest rate minus that of the lowest, these two being those of the label set."""
    if compared.gap is None or len(study.sets) < 2:
        return []
    grouping, harm, spec = compared.grouping, compared.outcome.about, study.spec.metric(SETS)
    ends = compared.extreme(True)[0], compared.extreme(False)[0]
    differences = _between(study.rates(grouping, harm), grouping, ends)
    values = {one.name: float(value) for one, value in zip(study.sets, differences, strict=True)}
    return [
        Estimate(
            metric=SETS, title=f"{spec.title}, gap, {harm}: by {grouping.name}", value=float(np.ptp(differences)),
            unit=spec.unit, direction=spec.direction, role="secondary", n=int(compared.gap.rates.n.sum()),
            subgroup={"groups": grouping.label, "labels": harm}, cluster_key=study.params.cluster or None,
            sentence=say.gap_range_sentence(grouping.label, harm, values, ends),
        )
    ]  # fmt: skip


def gap_under_each_template(study: Study, compared: Compared) -> Sensitivity | None:
    """The same difference under each template alone; None for fewer than two."""
    if compared.gap is None:
        return None
    grouping = compared.grouping
    ends = compared.extreme(True)[0], compared.extreme(False)[0]
    found = study.template_rates(grouping, compared.outcome.about)
    values = {name: float(_between(rates[None], grouping, ends)[0]) for name, rates in found.items()}
    return sensitivity(values, 100 * compared.gap.observed["gap"])


def _between(rates: Floats, grouping: Grouping, ends: tuple[str, str]) -> Floats:
    """(s,) difference of two groups in points, from rates (s, k)."""
    high, low = (grouping.values.index(name) for name in ends)
    return 100 * (rates[:, high] - rates[:, low])


def _whole_and_columns(study: Study) -> list[Grouping]:
    """All readable images as one group, and each column."""
    whole = Grouping((), ("all images",), np.where(study.answers.readable, 0, -1), {})
    return [whole, *(grouping for grouping in study.groupings if len(grouping.columns) == 1)]


def _of_groups(
    study: Study, metric: str, grouping: Grouping, harm: str, rates: Mapping[str, Floats]
) -> Iterator[Estimate]:
    """rates: label set or template -> (k,) rates of the grouping's groups."""
    spec, over = study.spec.metric(metric), "label sets" if metric == SETS else "templates"
    counts, large = (
        np.bincount(grouping.codes[grouping.codes >= 0], minlength=len(grouping.values)),
        study.large(grouping),
    )
    for i, group in enumerate(grouping.values):
        if not counts[i]:
            continue
        values = {name: float(found[i]) for name, found in rates.items()}
        whom = f"'{group}', {grouping.label}," if grouping.columns else group
        small = grouping.columns and not large[i]
        yield Estimate(
            metric=metric, title=f"{spec.title}, {harm}: {group}" + (f" ({grouping.name})" if grouping.columns else ""),
            value=100 * (max(values.values()) - min(values.values())), unit=spec.unit, direction=spec.direction,
            role="secondary", subgroup=({grouping.label: group} if grouping.columns else {}) | {"labels": harm},
            n=int(counts[i]), status=Status.TOO_SMALL if small else Status.DESCRIBED,
            cluster_key=study.params.cluster or None, sentence=say.range_sentence(whom, harm, values, over),
        )  # fmt: skip
