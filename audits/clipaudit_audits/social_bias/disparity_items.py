"""What each image contributes to a rate of the disparity audit. Pure."""

from __future__ import annotations

import numpy as np

from clipaudit.contract import Outcomes
from clipaudit.results import Estimate
from clipaudit_audits.contributions import contributions
from clipaudit_audits.social_bias.disparity_measures import accuracy, class_rates
from clipaudit_audits.social_bias.disparity_study import Study


def items_of(study: Study, estimate: Estimate) -> Outcomes | None:
    """Of accuracy and of the rates of a class, over all or one group; None for gaps, which are no means over images."""
    about = estimate.subgroup.get("class", "")
    offered = class_rates(study.answers, about) if about else [accuracy(study.answers)]
    outcome = next((each for each in offered if each.metric == estimate.metric), None)
    if outcome is None:
        return None
    among = outcome.among.copy()
    for grouping in study.groupings:
        if grouping.label in estimate.subgroup:
            group = estimate.subgroup[grouping.label]
            if group not in grouping.values:
                return None
            among &= grouping.codes == grouping.values.index(group)
    clusters = [str(code) for code in np.asarray(study.answers.clusters)]
    return contributions(study.answers.items, clusters, outcome.values, among)
