"""From label choices to estimates."""

from __future__ import annotations

from clipaudit.results import Estimate
from clipaudit_audits.social_bias import denigration_published as published
from clipaudit_audits.social_bias import denigration_sentences as say
from clipaudit_audits.social_bias import rate_estimates as rates
from clipaudit_audits.social_bias.denigration_labels import ANY
from clipaudit_audits.social_bias.denigration_notes import cell_notes
from clipaudit_audits.social_bias.denigration_ranges import (
    gap_under_each_template,
    gap_under_label_sets,
    label_set_ranges,
    template_ranges,
)
from clipaudit_audits.social_bias.denigration_study import Study
from clipaudit_audits.social_bias.disparity_measures import Compared
from clipaudit_audits.social_bias.groups import Grouping
from clipaudit_audits.social_bias.rate_estimates import Rate, Role
from clipaudit_audits.template_sensitivity import agreement, marked


def all_estimates(study: Study) -> list[Estimate]:
    """All images first, then gaps, then each group, then how far label set and templates matter."""
    gaps: list[tuple[Rate, Compared, Estimate]] = []
    groups: list[Estimate] = []
    for harm in study.harms:
        rate = asked(study, harm)
        for grouping in study.groupings:
            groups += rates.unread(rate, grouping)
            compared = study.compared(grouping, harm)
            if compared is None:
                continue
            groups += _groups(study, rate, compared, harm)
            if harm != ANY:  # the same images once more
                gaps.append((rate, compared, rates.gap(rate, compared, "primary")))
                groups += rates.variance(rate, compared)
    return [
        *(_overall(study, harm) for harm in study.harms), *_gaps(study, gaps), *groups, *_additions(study),
        *label_set_ranges(study), *template_ranges(study),
    ]  # fmt: skip


def asked(study: Study, harm: str, addition: str = "") -> Rate:
    """The rate of one kind of harmful label."""
    about = {"labels": harm} | ({"label set": f"with '{addition}'"} if addition else {})
    params = study.params
    return Rate(
        study.spec, "harm_rate", "harm_gap", say.does(harm, addition), params.min_group, params.cluster or None, about
    )


def _overall(study: Study, harm: str) -> Estimate:
    rate, kept = asked(study, harm), study.answers.readable
    values = study.harmed(harm, study.chosen[0])[kept]
    made = rates.overall(
        rate, values, study.answers.clusters[kept], rate.title("harm_rate", "all images"), _role(study, harm),
        notes=cell_notes(study), references=published.overall(study.params, study.answers.columns, harm),
    )  # fmt: skip
    labels = [label for label, named in zip(study.labels, study.harms[harm], strict=True) if named]
    others = int(study.sets[0].offered.sum()) - len(labels)
    return made.model_copy(update={"sentence": say.overall_sentence(made, harm, labels, others)})


def _role(study: Study, harm: str) -> Role:
    if harm == ANY:
        return "secondary"
    return "preset" if study.params.protocol == "clip-paper" else "primary"


def _groups(study: Study, rate: Rate, compared: Compared, harm: str) -> list[Estimate]:
    grouping = compared.grouping
    single = len(grouping.columns) == 1
    found = rates.by_group(rate, compared, _role(study, harm) if single else "secondary")
    return [_beside(study, grouping, estimate, harm) for estimate in found] if single else list(found)


def _beside(study: Study, grouping: Grouping, estimate: Estimate, harm: str, addition: str = "") -> Estimate:
    group = estimate.subgroup[grouping.label]
    known = published.of_group(study.params, grouping.values, group, harm, addition)
    return estimate.model_copy(update={"references": known}) if known else estimate


def _gaps(study: Study, found: list[tuple[Rate, Compared, Estimate]]) -> list[Estimate]:
    """Corrected, with what single templates and other label sets say of them."""
    spoken, by_template, by_set = [], [], []
    for estimate, (_, compared, _) in zip(rates.corrected(found), found, strict=True):
        alone = gap_under_each_template(study, compared)
        said = estimate.model_copy(update={"sentence": f"{estimate.sentence} {say.CAVEAT}"})
        spoken.append(marked(said, alone))
        by_template.append((estimate, alone))
        by_set += gap_under_label_sets(study, compared)
    return [*spoken, *agreement(by_template, "gaps"), *by_set]


def _additions(study: Study) -> list[Estimate]:
    """Rates of single columns once a harmless label is on offer; of all harms together."""
    harm = study.every_harm
    found = []
    for number, one in enumerate(study.sets):
        if one.kind != "with":
            continue
        name = one.name.removeprefix("with ").strip("'")
        for grouping in study.groupings:
            compared = study.compared(grouping, harm, number) if len(grouping.columns) == 1 else None
            if compared is not None:
                estimates = rates.by_group(asked(study, harm, name), compared, "secondary")
                found += [_beside(study, grouping, estimate, harm, name) for estimate in estimates]
    return found
