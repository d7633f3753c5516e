"""The estimates of the corruption audit. Pure."""

from __future__ import annotations

import numpy as np

from clipaudit.results import Estimate
from clipaudit.stats.bootstrap import bca_mean
from clipaudit.stimuli.corruption import COMMON, FURTHER
from clipaudit_audits.robustness.corruptions_measures import Outcomes, mean_corruption_error, paired
from clipaudit_audits.robustness.corruptions_spec import SPEC
from clipaudit_audits.robustness.making import Maker, hundredfold, in_points, unit_of
from clipaudit_audits.robustness.typographic_measures import change, share
from clipaudit_audits.wording import between, percent, points_text


def title_of(name: str) -> str:
    """A corruption's or a change's name for readers: "gaussian noise"."""
    return name.replace("_", " ")


def estimates(found: Outcomes, seed: int) -> list[Estimate]:
    """Loss to corruptions, flips by small changes, the mean corruption error; then each of them alone."""
    n = len(found.bases)
    maker = Maker(SPEC, unit_of(len(set(found.clusters)), n))
    if not n:
        said = "No image could be read under every condition."
        return [maker.estimate("corruption_drop", None, 0, 0, None, sentence=said)]
    common, further = found.corruptions(COMMON), found.corruptions(FURTHER)
    return [
        _overall(maker, found, common, seed),
        *_any_change(maker, found, seed),
        *_mean_error(maker, found, seed),
        *_accuracies(maker, found, common, seed),
        *(_drop(maker, found, name, seed) for name in (*common, *further)),
        *(e for name in found.small for e in _small(maker, found, name, seed)),
        *(e for heading in found.groups for e in _by_group(maker, found, heading, common, seed)),
    ]


def _overall(maker: Maker, found: Outcomes, common: list[str], seed: int) -> Estimate:
    value = paired(found.clean, found.mean(common), found.clusters, seed, maker.unit)
    losses = {name: float((found.clean - found.mean([name])).mean()) for name in common}
    worst = max(losses, key=lambda name: (losses[name], name))
    lost, severities = f"{100 * losses[worst]:.1f} points".replace("-", "\N{MINUS SIGN}"), len(found.severities)
    bounds = in_points(value.interval)
    return maker.estimate(
        "corruption_drop", 100 * value.value, len(found.bases), len(set(found.clusters)), bounds, test=value.test,
        minimum_detectable=hundredfold(value.detectable), notes=_notes(found, value.detectable),
        sentence=f"Over {len(common):,} corruptions at {severities:,} severities, accuracy falls by "
        f"{points_text(100 * value.value)}{between(bounds)} on {len(found.bases):,} images; most under "
        f"{title_of(worst)} ({lost}). This does not show what corruptions would do that are not among these.",
    )  # fmt: skip


def _notes(found: Outcomes, detectable: float | None) -> tuple[str, ...]:
    notes = []
    if found.left_out:
        notes.append(f"{found.left_out:,} images that failed under some condition are left out of all.")
    if detectable is None:
        notes.append("All images changed alike.")
    return tuple(notes)


def _any_change(maker: Maker, found: Outcomes, seed: int) -> list[Estimate]:
    if not found.small:
        return []
    flipped = np.any([found.same[name, 0] == 0 for name in found.small], axis=0)
    names = ", ".join(title_of(name) for name in found.small)
    return [maker.rate(
        "any_change", share(flipped, list(found.clusters), seed),
        f"At least one of {len(found.small):,} small changes ({names}) flips the prediction for {{}}. More changes can "
        "only raise this share.",
    )]  # fmt: skip


def _mean_error(maker: Maker, found: Outcomes, seed: int) -> list[Estimate]:
    value = mean_corruption_error(found, seed, maker.unit)
    if value is None:
        return []
    n, units = len(found.bases), len(set(found.clusters))
    against = f"the errors of {found.reference_name} on the same data set"
    return [
        maker.estimate(
            "mce", value.value, n, units, value.interval, role="preset",
            sentence=f"The mean corruption error over {len(value.names):,} corruptions is {value.value:.1f} %"
            f"{between(value.interval)} of {against} ({n:,} images). It compares with no published mCE.",
            notes=("The interval holds the reference's errors fixed.",),
        ),
        maker.estimate(
            "relative_mce", value.relative, n, units, None, role="preset",
            sentence="The errors that corruption adds are "
            f"{'not defined' if value.relative is None else f'{value.relative:.1f} %'} of those it adds to "
            f"{found.reference_name} ({n:,} images).",
            notes=("Unsteady where the reference loses little to a corruption: a small number is divided by.",),
        ),
    ]  # fmt: skip


def _accuracies(maker: Maker, found: Outcomes, common: list[str], seed: int) -> list[Estimate]:
    clean = share(found.clean > 0, list(found.clusters), seed)
    corrupted = found.mean(common)
    bounds = bca_mean(corrupted, found.clusters, seed, unit=f"{maker.unit}s")
    value, n = float(corrupted.mean()), len(found.bases)
    return [
        maker.rate("clean_accuracy", clean, "On clean images the model was right on {}.", role="secondary"),
        maker.estimate(
            "corrupted_accuracy", value, n, len(set(found.clusters)), bounds, role="secondary",
            sentence=f"On corrupted images the model was right in {percent(value)}{between(bounds, 100)} of cases "
            f"({n:,} images, {len(common):,} corruptions, {len(found.severities):,} severities).",
        ),
    ]  # fmt: skip


def _by_group(maker: Maker, found: Outcomes, heading: str, common: list[str], seed: int) -> list[Estimate]:
    """Accuracy with and without corruptions, and the loss, in every group. Described: no family of tests of its own."""
    result = []
    for group in sorted({value for value in found.groups[heading] if value.strip()}):
        part, subgroup = found.among(found.group(heading, group)), {heading: group}
        lost = paired(part.clean, part.mean(common), part.clusters, seed, maker.unit)
        bounds, n = in_points(lost.interval), len(part.bases)
        result += [
            *(
                each.model_copy(update={"subgroup": subgroup, "sentence": f"{heading} {group}: {each.sentence}"})
                for each in _accuracies(maker, part, common, seed)
            ),
            maker.estimate(
                "corruption_drop", 100 * lost.value, n, len(set(part.clusters)), bounds, role="secondary",
                subgroup=subgroup, sentence=f"Of images with {heading} {group}, corruptions lose accuracy by "
                f"{points_text(100 * lost.value)}{between(bounds)} ({n:,} images).",
            ),
        ]  # fmt: skip
    return result


def _drop(maker: Maker, found: Outcomes, name: str, seed: int) -> Estimate:
    value = paired(found.clean, found.mean([name]), found.clusters, seed, maker.unit)
    bounds, n = in_points(value.interval), len(found.bases)
    beside = " It is not among the common 15." if name in FURTHER else ""
    return maker.estimate(
        "corruption_drop", 100 * value.value, n, len(set(found.clusters)), bounds, role="secondary", test=value.test,
        minimum_detectable=hundredfold(value.detectable), subgroup={"corruption": title_of(name)},
        notes=() if value.detectable else ("All images changed alike.",),
        sentence=f"Accuracy lost to {title_of(name)}, over {len(found.severities):,} severities: "
        f"{points_text(100 * value.value)}{between(bounds)}, {n:,} images.{beside}",
    )  # fmt: skip


def _small(maker: Maker, found: Outcomes, name: str, seed: int) -> list[Estimate]:
    clusters, subgroup = list(found.clusters), {"change": title_of(name)}
    flips = share(found.same[name, 0] == 0, clusters, seed)
    lost = change(found.clean > 0, found.right[name, 0] > 0, clusters, seed)
    return [
        maker.rate(
            "change_flips", flips, f"The small change {title_of(name)} flips the prediction for {{}}.",
            role="secondary", subgroup=subgroup,
        ),
        maker.points(
            "change_drop", lost, f"Accuracy lost to the small change {title_of(name)}: {{}}.", role="secondary",
            subgroup=subgroup, notes=() if lost.detectable else ("No change of this size can be shown with so few.",),
        ),
    ]  # fmt: skip
