"""What each image contributes to an estimate of the corruption audit. Pure."""

from __future__ import annotations

import numpy as np

from clipaudit.contract import Outcomes as Contributions
from clipaudit.results import Estimate
from clipaudit.stimuli.corruption import COMMON
from clipaudit_audits.contributions import contributions
from clipaudit_audits.robustness.corruptions_measures import Floats, Outcomes
from clipaudit_audits.robustness.corruptions_score import title_of


def items_of(found: Outcomes, estimate: Estimate) -> Contributions | None:
    """None for errors relative to a reference model, which are no means over images."""
    value = _value(found, estimate)
    if value is None:
        return None
    scale = 100.0 if estimate.unit == "points" else 1.0
    chosen = np.ones(len(found.bases), dtype=bool)
    for heading, group in estimate.subgroup.items():
        if heading in found.groups:
            chosen &= found.group(heading, group)
    return contributions(found.bases, found.clusters, value, chosen, scale=scale)


def _value(found: Outcomes, estimate: Estimate) -> Floats | None:
    """(n,) what is averaged over the images."""
    metric, names = estimate.metric, {title_of(name): name for name, _ in found.right}
    name = names.get(estimate.subgroup.get("corruption") or estimate.subgroup.get("change", ""))
    if not found.bases:
        return None
    if metric == "clean_accuracy":
        return found.clean
    if metric == "corrupted_accuracy":
        return found.mean(found.corruptions(COMMON))
    if metric == "corruption_drop":
        return found.clean - found.mean([name] if name else found.corruptions(COMMON))
    if metric == "any_change" and found.small:
        return np.asarray(np.any([found.same[each, 0] == 0 for each in found.small], axis=0), dtype=np.float64)
    if metric in ("change_flips", "change_drop") and name:
        return 1 - found.same[name, 0] if metric == "change_flips" else found.clean - found.right[name, 0]
    return None
