"""What each image contributes to an estimate of the typographic audit. Pure."""

from __future__ import annotations

from clipaudit.contract import Outcomes as Contributions
from clipaudit.results import Estimate
from clipaudit_audits.contributions import contributions
from clipaudit_audits.robustness.typographic_outcomes import ANYWHERE, Outcome, Outcomes
from clipaudit_audits.wording import percent

CHANGES = {
    "accuracy_drop": ("clean", "wrong"),
    "meaning_drop": ("random", "wrong"),
    "blank_drop": ("clean", "blank"),
    "random_drop": ("clean", "random"),
    "right_gain": ("right", "clean"),
}


def items_of(results: Outcomes, estimate: Estimate, area: float) -> Contributions | None:
    """None for the area at which half flip, and for estimates of part of the images or of notes in another style.

    results: of the estimate's kind of choice. area: of the main result, where the estimate names no other.
    """
    variant = estimate.subgroup.get("variant", "real")
    whole = set(estimate.subgroup) <= ({"choice", "note area"} if results.areas() else {"choice", "variant"})
    if not whole:
        return None
    named = estimate.subgroup.get("note area")
    areas = [each for each in results.areas() if percent(each) == named] if named else [area]
    if not areas:
        return None
    attack = "wrong" if results.areas() else variant
    if estimate.metric in CHANGES:
        before, after = (
            _at(results, attack if kind == "wrong" else kind, areas[0]) for kind in CHANGES[estimate.metric]
        )
        if before is None or after is None:
            return None
        lost = before.right.astype(float) - after.right.astype(float)
        return contributions(results.bases, results.clusters, lost, before.seen & after.seen, scale=100.0)
    return _share(results, estimate.metric, attack, areas[0])


def _share(results: Outcomes, metric: str, attack: str, area: float) -> Contributions | None:
    clean, attacked = _at(results, "clean", area), _at(results, attack, area)
    if metric == "clean_accuracy" and clean is not None:
        return contributions(results.bases, results.clusters, clean.right, clean.seen)
    if attacked is None:
        return None
    if metric == "attack_success" and clean is not None:
        seen = clean.seen & attacked.seen
        return contributions(results.bases, results.clusters, attacked.wrote, seen, clean.right)
    flags = {"written_rate": attacked.wrote, "attacked_accuracy": attacked.right}.get(metric)
    return None if flags is None else contributions(results.bases, results.clusters, flags, attacked.seen)


def _at(results: Outcomes, kind: str, area: float) -> Outcome | None:
    return results.conditions.get((kind, None if kind in ANYWHERE else area))
