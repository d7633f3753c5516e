"""The estimates of each part. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence

from clipaudit.results import Estimate, GroupsAre, Reference
from clipaudit_audits.robustness.adversarial_checks import checks, failures
from clipaudit_audits.robustness.adversarial_estimates import (
    NORMS,
    Row,
    Scorer,
    of_kind,
    radii,
    radius_text,
    reference,
)
from clipaudit_audits.robustness.labelled import heading
from clipaudit_audits.wording import percent


def white_box(rows: Sequence[Row], seed: int, groups_are: GroupsAre) -> list[Estimate]:
    """Robust accuracy, both success rates and noise at every radius; by group; clean; Square alone; the checks."""
    scorer = Scorer(seed, failures(rows))
    found = [e for eps in radii(rows, "attack") for e in _at(scorer, rows, eps)]
    found += [e for eps in radii(rows, "attack") for e in _by_group(scorer, rows, eps, groups_are)]
    clean = scorer.share_of(of_kind(rows, "zero"), lambda row: bool(row["right"]))
    found.append(scorer.rate("clean_accuracy", clean, "Without attack the model is right on {}", role="secondary"))
    for eps in radii(rows, "square"):
        alone = scorer.share_of(of_kind(rows, "square", eps), lambda row: bool(row["success"]))
        said = (
            "From scores alone, without gradients, Square made the model wrong on {} of the images that it gets right, "
            f"with {_within(rows, eps)}"
        )
        found.append(scorer.rate("black_box_success", alone, said, role="secondary", subgroup=_subgroup(rows, eps)))
    return [*found, *checks(rows, scorer)]


def _at(scorer: Scorer, rows: Sequence[Row], eps: float) -> list[Estimate]:
    attacked = of_kind(rows, "attack", eps)
    hit = [row for row in attacked if row["right"]]
    robust = scorer.share_of(attacked, lambda row: bool(row["right"]) and not row["success"])
    broken = scorer.share_of(hit, lambda row: bool(row["success"]))
    lost = scorer.share_of(attacked, lambda row: bool(row["right"]) and bool(row["success"]))
    noise = scorer.share_of(of_kind(rows, "noise", eps), lambda row: bool(row["success"]))
    within, subgroup = _within(rows, eps), _subgroup(rows, eps)
    beside = "" if noise.value is None else f"; random noise as large does so for {percent(noise.value)}"
    return [
        scorer.rate(
            "robust_accuracy", robust, f"With {within}, {{}} of all images are right under every attack",
            subgroup=subgroup,
        ),
        scorer.rate(
            "attack_success", broken, f"With {within}, {{}} of the images that are right when clean are broken{beside}",
            subgroup=subgroup, references=reference("random noise as large", noise),
        ),
        scorer.points(
            "accuracy_drop", lost, f"With {within} accuracy falls by {{}} from clean to attacked, same images",
            role="secondary", subgroup=subgroup,
        ),
        scorer.rate(
            "noise_success", noise, f"Random noise of the size of {within} breaks {{}} of the images that are right",
            role="control", subgroup=subgroup,
        ),
    ]  # fmt: skip


def _by_group(scorer: Scorer, rows: Sequence[Row], eps: float, groups_are: GroupsAre) -> list[Estimate]:
    attacked = [(json.loads(row["groups"]), row) for row in of_kind(rows, "attack", eps)]
    asked = sorted({(name, group) for of, _ in attacked for name, group in of.items() if group.strip()})
    return [
        scorer.rate(
            "group_robust_accuracy",
            scorer.share_of(
                [row for of, row in attacked if of[name] == group],
                lambda row: bool(row["right"]) and not row["success"],
            ),
            f"With {_within(rows, eps)}, {{}} of images {groups_are} as {name} {group} are right under every attack",
            role="secondary", subgroup={**_subgroup(rows, eps), heading(name, groups_are): group},
        )
        for name, group in asked
    ]  # fmt: skip


def targeted(rows: Sequence[Row], seed: int) -> list[Estimate]:
    """Success of driving images to a text that has nothing to do with them, per radius."""
    scorer = Scorer(seed)
    before = scorer.share_of(of_kind(rows, "zero"), lambda row: bool(row["success"]))
    found = []
    for eps in radii(rows, "targeted"):
        here = of_kind(rows, "targeted", eps)
        done = scorer.share_of(here, lambda row: bool(row["success"]))
        said = (
            f"With {_within(rows, eps)}, {{}} of the images were driven to a text that has nothing to do with them, "
            "ahead of every class"
        )
        found.append(
            scorer.rate("targeted_success", done, said, subgroup=_subgroup(rows, eps),
                        references=reference("without attack", before))
        )  # fmt: skip
    said = "Without attack that text comes first for {}"
    found.append(scorer.rate("targeted_clean", before, said, role="control"))
    ended = [row for row in of_kind(rows, "targeted", max(radii(rows, "targeted"), default=0.0)) if row["success"]]
    own = [row["cosine_label"] for row in of_kind(rows, "zero")]
    marks = (
        [Reference(label="clean images to their own label", value=sum(own) / len(own), source="this run")]
        if own
        else []
    )
    said = (
        "Once the text comes first, the attacked image has a cosine of {} to it. The attack stops there; it could go on"
    )
    return [*found, scorer.mean("cosine_text", ended, "cosine_after", said, role="secondary", references=tuple(marks))]


def for_all(rows: Sequence[Row], seed: int, part: str) -> list[Estimate]:
    """`part` "universal" or "patch": one change for all images, counted on images that it was not made on."""
    eps = max(radii(rows, part), default=0.0)
    if part == "patch":
        return _beside_noise(
            rows, seed, part, "patch_noise", "a patch of random colours",
            f"One and the same patch, a square of {radius_text('patch', eps)}, made on other images and stuck "
            "anywhere, broke {} of the images that are right when clean",
        )  # fmt: skip
    return _beside_noise(
        rows, seed, part, "noise_success", "random noise as large",
        f"One and the same change, {_within(rows, eps)}, made on other images, broke {{}} of the images that are right "
        "when clean",
    )  # fmt: skip


def transfer(rows: Sequence[Row], seed: int) -> list[Estimate]:
    """Examples shown to a second model."""
    scorer, own = Scorer(seed), of_kind(rows, "own")
    within = _within(rows, max(radii(rows, "transfer"), default=0.0))
    said = f"Examples made on this model, {within}, made the second model wrong on {{}} of those that both get right"
    found = _beside_noise(rows, seed, "transfer", "noise_success", "random noise as large", said)
    same = scorer.share_of(own, lambda row: bool(row["success"]))
    return [
        *found,
        scorer.rate("attack_success", same, "The same examples break {} on this model", role="secondary"),
    ]


def _beside_noise(rows: Sequence[Row], seed: int, part: str, noise: str, what: str, said: str) -> list[Estimate]:
    """Success, the same of noise (`what`) as a control, and accuracy on clean images."""
    scorer = Scorer(seed)
    random = scorer.share_of(of_kind(rows, "noise"), lambda row: bool(row["success"]))
    done = scorer.share_of(of_kind(rows, part), lambda row: bool(row["success"]))
    clean = scorer.share_of(of_kind(rows, "clean"), lambda row: bool(row["right"]))
    if random.value is not None:
        said += f"; {what} does so for {percent(random.value)}"
    return [
        scorer.rate(f"{part}_success", done, said, references=reference(what, random)),
        scorer.rate(noise, random, f"{what[0].upper()}{what[1:]} breaks {{}} of them", role="control"),
        scorer.rate("clean_accuracy", clean, "Without attack the model is right on {}", role="secondary"),
    ]


def _within(rows: Sequence[Row], eps: float) -> str:
    norm = next((row["norm"] for row in rows if row["norm"]), "linf")
    if norm == "linf":
        return f"no pixel changed by more than {radius_text(norm, eps)}"
    return f"changes of at most {radius_text(norm, eps)} (root of summed squares)"


def _subgroup(rows: Sequence[Row], eps: float) -> dict[str, str]:
    norm = next((row["norm"] for row in rows if row["norm"]), "linf")
    return {"norm": NORMS[norm], "radius": radius_text(norm, eps)}
