"""What a prefix before every prompt changes, on the same images. Pure."""

from __future__ import annotations

from clipaudit.results import Estimate
from clipaudit_audits.robustness.typographic_estimates import Scorer, right, wrote
from clipaudit_audits.robustness.typographic_measures import change

KINDS = {
    "wrong": "with a wrong label on them",
    "real": "photographed with a wrong label",
    "synthetic": "with a wrong label put in by computer",
    "clean": "without a note",
}


def defence(scorer: Scorer, plain: Scorer) -> list[Estimate]:
    """Change of accuracy, and of the choice of the written label, by the prefix; `plain` is without it."""
    found = []
    for kind, where in KINDS.items():
        if not scorer.results.named(kind):
            continue
        after, before = scorer.outcome(kind), plain.outcome(kind)
        both = after.seen & before.seen
        clusters = list(scorer.clusters[both])
        for metric, pick, said in (
            ("prefix_gain", right, "Accuracy gained by the prefix"),
            ("prefix_written", wrote, "Written label chosen more often with the prefix"),
        ):
            if metric == "prefix_written" and kind == "clean":
                continue
            found.append(
                scorer.points(
                    metric, change(pick(after)[both], pick(before)[both], clusters, scorer.seed),
                    f"{said}, on images {where}: {{}}.", role="secondary", subgroup={"images": where},
                )
            )  # fmt: skip
    return found
