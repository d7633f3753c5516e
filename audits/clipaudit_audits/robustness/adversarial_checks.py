"""Does the measurement measure? Checks in the manner of Carlini et al. 2019, made on every run. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from clipaudit.results import Estimate
from clipaudit_audits.robustness.adversarial_estimates import Row, Scorer, of_kind, radius_text
from clipaudit_audits.wording import percent

Violations = list[bool]

# metric: (largest share of violations that passes, what holds, what a failure means)
RULES: dict[str, tuple[float, str, str]] = {
    "check_zero": (
        0.0, "the attack's own pass judges clean images as the audit does",
        "the attacked network is not the audited one",
    ),
    "check_large": (
        0.05, "APGD breaks every image where the radius leaves nothing of it", "gradients do not lead to examples",
    ),
    "check_gradient": (
        0.05, "a small step along the gradient brings the image closer to another class",
        "the gradient is zero or misleading (masked)",
    ),
    "check_black_box": (
        0.02, "Square, which sees scores alone, breaks no image that gradients do not break", "the gradient is masked",
    ),
    "check_steps": (0.05, "more steps break no fewer images", "the attack does not converge"),
    "check_restarts": (0.10, "two random starts break the same images", "success depends on the starting point"),
}  # fmt: skip


def violations(rows: Sequence[Row]) -> dict[str, Violations]:
    """Per check, one flag per image it was made on: the check is violated there."""
    attacked = {(row["item"], row["eps"]): row for row in of_kind(rows, "attack")}

    def by_gradient(row: Row) -> bool:
        found = attacked[row["item"], row["eps"]]
        return bool(found["success"]) and found["by"] != "square"

    def by_cross_entropy(row: Row) -> bool:
        found = attacked.get((row["item"], row["eps"]))
        return found is not None and bool(found["success"]) and found["by"] == "apgd-ce"

    alone = {row["item"]: not by_gradient(row) for row in of_kind(rows, "square") if row["success"]}
    last = {row["item"]: row["by"] == "square" for row in of_kind(rows, "attack") if row["success"]}
    return {
        "check_zero": [
            bool(row["success"]) == bool(row["right"]) and row["by"] != "tie" for row in of_kind(rows, "zero")
        ],
        "check_large": [not row["success"] for row in of_kind(rows, "large")],
        "check_gradient": [bool(row["success"]) for row in of_kind(rows, "gradient")],
        "check_black_box": [
            alone.get(item, False) or last.get(item, False)
            for item in sorted({row["item"] for row in of_kind(rows, "attack") if row["right"]})
        ],
        "check_steps": [bool(row["success"]) and not by_cross_entropy(row) for row in of_kind(rows, "short")],
        "check_restarts": [bool(row["success"]) != by_cross_entropy(row) for row in of_kind(rows, "again")],
    }


def passes(metric: str, found: Violations) -> bool:
    """At most the allowed share of violations; a single image is let pass, but for the exact check."""
    allowed = RULES[metric][0]
    return sum(found) <= (max(1.0, allowed * len(found)) if allowed else 0.0)


def failures(rows: Sequence[Row]) -> tuple[str, ...]:
    """One line per check that did not hold."""
    lines = []
    for metric, found in violations(rows).items():
        if found and not passes(metric, found):
            lines.append(f"Failed check: {RULES[metric][1]}; not so for {sum(found)} of {len(found)} images.")
    return tuple(lines)


def checks(rows: Sequence[Row], scorer: Scorer) -> list[Estimate]:
    """The checks as estimates: the share of images on which each is violated."""
    some: list[Estimate] = []
    for metric, found in violations(rows).items():
        allowed, holds, means = RULES[metric]
        table = [{"flag": flag, "cluster": str(i)} for i, flag in enumerate(found)]
        state = "Not made" if not found else "Passed" if passes(metric, found) else "FAILED"
        said = f"{state}: {holds}; violated for {{}}, allowed {percent(allowed)} or one image"
        if not allowed:
            said = f"{state}: {holds}; violated for {{}}, allowed none"
        if state == "FAILED":
            said += f". This means that {means}"
        notes = [f"at {radius}" for radius in _radii(rows, metric)]
        some.append(
            scorer.rate(metric, scorer.share_of(table, lambda row: row["flag"]), said, role="control", notes=notes)
        )
    return some


def _radii(rows: Sequence[Row], metric: str) -> list[str]:
    kind = {"check_large": "large", "check_gradient": "gradient", "check_steps": "short", "check_restarts": "again"}
    found = {(row["norm"], row["eps"]) for row in of_kind(rows, kind.get(metric, ""))}
    return [f"radius {radius_text(*one)}" for one in sorted(found)]
