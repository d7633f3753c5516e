"""How much a gap in accuracy depends on the wording of the prompt."""

from __future__ import annotations

from clipaudit.stats.gap_rates import group_rates
from clipaudit_audits.social_bias.disparity_measures import Compared, accuracy
from clipaudit_audits.social_bias.disparity_study import Study
from clipaudit_audits.template_sensitivity import Sensitivity, sensitivity


def under_each_template(study: Study, compared: Compared) -> Sensitivity | None:
    """Accuracy of the best group minus that of the worst (in points) under each template alone.

    The groups are those of all templates together, so a template under which they change places is below 0. None for
    fewer than two templates, and where no gap in accuracy was measured.
    """
    answers, grouping = study.answers, compared.grouping
    if compared.gap is None or compared.outcome.metric != "accuracy" or not answers.by_template:
        return None
    best, worst = (grouping.values.index(compared.extreme(highest)[0]) for highest in (True, False))
    kept = answers.readable & (grouping.codes >= 0)
    found = {}
    for template, given in zip(study.params.templates, answers.by_template, strict=True):
        right = accuracy(answers, given).values[kept]
        p = group_rates(right, grouping.codes[kept], answers.clusters[kept], len(grouping.values)).p
        found[template] = 100 * float(p[best] - p[worst])
    return sensitivity(found, 100 * compared.gap.observed["gap"])
