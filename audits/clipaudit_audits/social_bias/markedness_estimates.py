"""From preferences, similarities and distances to estimates."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from clipaudit.numbers import counted
from clipaudit.results import Estimate, Reference, Status
from clipaudit.stats.bootstrap import bca_mean
from clipaudit.text import printable
from clipaudit_audits.social_bias import markedness_sentences as say
from clipaudit_audits.social_bias import rate_estimates as rates
from clipaudit_audits.social_bias.disparity_measures import Compared
from clipaudit_audits.social_bias.groups import Grouping
from clipaudit_audits.social_bias.markedness_closeness import distances, similarities
from clipaudit_audits.social_bias.markedness_study import Mask, Study
from clipaudit_audits.social_bias.rate_estimates import Rate, Role, rates_by_group
from clipaudit_audits.template_sensitivity import Sensitivity, agreement, marked, sensitivity

_PAPER = "Wolfe and Caliskan 2022 (FairFace, other prompts for groups: context, not a target)"
_KNOWN = {"White": 0.479, "Male": 0.267, "Female": 0.152}  # for race and for gender; of other races "5.0 % or less"


def all_estimates(study: Study) -> list[Estimate]:
    """Preferences by column, then the own group's label, then embeddings."""
    found: list[tuple[Rate, Compared, Estimate]] = []
    whole: list[Estimate] = []
    groups: list[Estimate] = []
    for column in study.judged:
        rate, values = asked(study, column), study.unmarked(column)
        whole.append(_overall(study, rate, values, column))
        for grouping in study.groupings:
            if column not in grouping.columns:
                continue
            groups += rates.unread(rate, grouping)
            compared = study.compared(grouping, values, column, "unmarked_rate")
            if compared is None:
                continue
            role: Role = "secondary" if len(grouping.columns) > 1 else _role(study)
            groups += [_beside(estimate, grouping) for estimate in rates.by_group(rate, compared, role)]
            groups += rates.variance(rate, compared)
            found.append((rate, compared, rates.gap(rate, compared, "primary" if role != "secondary" else role)))
    closeness = [*similarities(study), *distances(study)]
    return [
        *whole, *_not_run(study), *_gaps(study, found), *groups, *(e for c in study.judged for e in _own(study, c)),
        *closeness,
    ]  # fmt: skip


def asked(study: Study, column: str) -> Rate:
    """How often the unmarked label is preferred to those of a column."""
    params = study.params
    return Rate(
        study.spec, "unmarked_rate", "unmarked_gap", say.does(params.unmarked, column), params.min_group,
        params.cluster or None, {"labels": column},
    )  # fmt: skip


def _role(study: Study) -> Role:
    return "primary" if study.params.protocol == "default" else "preset"


def _overall(study: Study, rate: Rate, values: Mask, column: str) -> Estimate:
    kept = study.answers.readable
    made = rates.overall(
        rate, values[kept], study.answers.clusters[kept], rate.title("unmarked_rate", "all images"), "secondary",
        notes=_notes(study),
    )  # fmt: skip
    sentence = say.overall_sentence(made, study.params.unmarked, column, len(study.named(column)))
    return made.model_copy(update={"sentence": sentence})


def _notes(study: Study) -> tuple[str, ...]:
    answers = study.answers
    notes = [f"The unmarked label was asked for as {printable(answers.matched)!r}."] if answers.matched else []
    unread = int((~answers.readable).sum())
    if unread:
        notes.append(f"{counted(unread, 'image')} could not be read or scored: left out.")
    if answers.similar is None:
        notes.append(say.NO_EMBEDDINGS)
    return tuple(notes)


def _not_run(study: Study) -> Iterator[Estimate]:
    """Columns that lack a label: without it the unmarked one would seem to be preferred."""
    n = int(study.answers.readable.sum())
    for column in study.params.groups:
        if not (missing := study.missing(column)):
            continue
        label = missing[0]
        why = study.answers.refused.get(label, "no scores are recorded for it")
        rate = asked(study, column)
        sentence = f"Not run: labels of {column}, because '{printable(label)}' cannot be used: {why}."
        yield rate.make(
            "unmarked_rate", rate.title("unmarked_rate", "all images"), None, {}, n=n, role="secondary",
            status=Status.INCONCLUSIVE, sentence=sentence, notes=_notes(study),
        )  # fmt: skip


def _beside(estimate: Estimate, grouping: Grouping) -> Estimate:
    """With the published rate, where the column is FairFace's."""
    known = _KNOWN.get(estimate.subgroup[grouping.label]) if len(grouping.columns) == 1 else None
    published = {"Black", "Indian", "White"} <= set(grouping.values) or set(grouping.values) == {"Male", "Female"}
    if known is None or not published:
        return estimate
    reference = Reference(label=_PAPER, value=known, source="Wolfe and Caliskan 2022, abstract")
    return estimate.model_copy(update={"references": (reference,)})


def _gaps(study: Study, found: list[tuple[Rate, Compared, Estimate]]) -> list[Estimate]:
    """Corrected, with what single templates say of them."""
    spoken, judged = [], []
    for estimate, (_, compared, _) in zip(rates.corrected(found), found, strict=True):
        alone = _under_each_template(study, compared)
        spoken.append(marked(estimate, alone))
        judged.append((estimate, alone))
    return [*spoken, *agreement(judged, "gaps")]


def _under_each_template(study: Study, compared: Compared) -> Sensitivity | None:
    """Rate of the highest group minus that of the lowest, these being those of all templates together."""
    if compared.gap is None:
        return None
    grouping = compared.grouping
    high, low = (grouping.values.index(compared.extreme(highest)[0]) for highest in (True, False))
    values = {}
    for template, unmarked in study.unmarked_by_template(compared.outcome.about).items():
        p = rates_by_group(unmarked[None], grouping)[0]
        values[template] = 100 * float(p[high] - p[low])
    return sensitivity(values, 100 * compared.gap.observed["gap"])


def _own(study: Study, column: str) -> Iterator[Estimate]:
    """The unmarked label against that of the image's own group, column by column."""
    grouping = next(one for one in study.groupings if one.columns == (column,))
    margins, params, large = study.margins(column), study.params, study.large(grouping)
    rate = Rate(study.spec, "above_own_rate", "", "", params.min_group, params.cluster or None, {"labels": column})
    for i, group in enumerate(grouping.values):
        kept = (grouping.codes == i) & np.isfinite(margins)
        if not kept.any():
            continue
        label, clusters = params.terms[group], study.answers.clusters[kept]
        subgroup, of = {grouping.label: group}, f"{group} ({column})"
        made = rates.overall(rate, margins[kept] > 0, clusters, rate.title("above_own_rate", of), "secondary")
        small = {} if large[i] else {"status": Status.TOO_SMALL}
        sentence = say.own_sentence(made, grouping.label, group, params.unmarked, label)
        yield made.model_copy(update={"subgroup": {**subgroup, **made.subgroup}, "sentence": sentence, **small})
        if study.answers.kind != "cosine":
            continue
        interval = bca_mean(margins[kept], clusters.tolist(), study.seed, unit=params.cluster or "images")
        margin = rate.make(
            "above_own_margin", rate.title("above_own_margin", of), float(margins[kept].mean()), subgroup,
            role="secondary", n=int(kept.sum()), clusters=made.clusters, interval=interval, **small,
        )  # fmt: skip
        sentence = say.margin_sentence(margin, grouping.label, group, params.unmarked, label)
        yield margin.model_copy(update={"sentence": sentence})
