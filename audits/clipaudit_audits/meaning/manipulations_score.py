"""The estimates of the manipulation audit. Pure."""

from __future__ import annotations

import numpy as np

from clipaudit.results import Estimate, Interval, Null, Status, Test
from clipaudit.stats.bootstrap import bca_mean, bca_ratio
from clipaudit.stats.multiple import correct
from clipaudit.stats.power import mde_proportion
from clipaudit_audits.meaning.cue_conflict_measures import above_chance
from clipaudit_audits.meaning.manipulations_measures import Curve, Outcomes
from clipaudit_audits.meaning.manipulations_params import Protocol
from clipaudit_audits.meaning.manipulations_spec import SPEC
from clipaudit_audits.robustness.corruptions_measures import paired
from clipaudit_audits.robustness.making import Maker, hundredfold, in_points, unit_of
from clipaudit_audits.robustness.typographic_measures import change, share
from clipaudit_audits.wording import between, percent, points_text

BLIND = "On clean images the model is not shown to be above chance: there is nothing that it could lose."
ALPHA = 0.05


def estimates(found: Outcomes, protocol: Protocol, seed: int) -> list[Estimate]:
    """Losses and areas by manipulation, each level, and how the model fares on clean images."""
    n = len(found.clean)
    maker = Maker(SPEC, unit_of(len(set(found.clusters)), n))
    if not n:
        return [maker.estimate("clean_accuracy", None, 0, 0, None, sentence="No image could be read in every picture.")]
    curves = [curve for curve in found.curves if len(curve.clusters)]
    clean = _clean(maker, found, seed)
    blind = clean.test is None or clean.test.p > ALPHA
    losses = [_loss(maker, curve, blind, seed) for curve in curves]
    levels = [e for curve in curves for e in _levels(maker, curve, blind, seed)]
    kept = [e for curve in curves for e in _kept(maker, curve, seed)] if protocol == "suppression" else []
    return [
        *correct(losses, "holm", "losses"),
        *(_area(maker, curve, found.chance, seed) for curve in curves),
        *correct([_left(maker, curve, found.chance, seed) for curve in curves], "holm", "comparisons with chance"),
        *kept,
        *correct(levels, "holm", "levels"),
        *correct([clean], "holm", "tests"),
    ]


def _clean(maker: Maker, found: Outcomes, seed: int) -> Estimate:
    clean = share(found.clean, list(found.clusters), seed)
    notes = (f"{found.failed:,} images that failed in some picture are left out of all.",) if found.failed else ()
    return maker.rate(
        "clean_accuracy", clean, f"As they are, the model was right on {{}} ({percent(found.chance)} by chance).",
        role="control", notes=notes, null=_by_luck(found.chance, clean.clusters),
        test=_above(found.clean, clean.clusters, found.chance),
        minimum_detectable=mde_proportion(clean.n, found.chance),
    )  # fmt: skip


def _loss(maker: Maker, curve: Curve, blind: bool, seed: int) -> Estimate:
    value = paired(curve.clean.astype(float), curve.areas(), curve.clusters, seed, maker.unit)
    bounds, n = in_points(value.interval), len(curve.clusters)
    least = int(np.argmin(curve.right.mean(axis=1)))
    where = "at no level below clean" if least == 0 else f"lowest at {curve.levels[least - 1]:g}"
    more = {"status": Status.INCONCLUSIVE} if blind else {}
    return maker.estimate(
        "loss", 100 * value.value, n, len(set(curve.clusters)), bounds, test=value.test,
        minimum_detectable=hundredfold(value.detectable), subgroup={"manipulation": curve.name},
        notes=(*_notes(curve, value.detectable), *((BLIND,) if blind else ())),
        sentence=f"{said(curve.name)}, {len(curve.levels)} levels: the model loses {points_text(100 * value.value)}"
        f"{between(bounds)} of accuracy on average over the curve ({n:,} images; {percent(float(curve.clean.mean()))} "
        f"as they are, {where}: {percent(float(curve.right[least].mean()))}). This does not show that what is left "
        "is what the model goes by.", **more,
    )  # fmt: skip


def said(name: str) -> str:
    """A manipulation at the head of a sentence: "Patch shuffle"."""
    return name.replace("-", " ").capitalize()


def _notes(curve: Curve, detectable: float | None) -> tuple[str, ...]:
    notes = []
    if curve.left_out:
        notes.append(f"{curve.left_out:,} images without an outline are left out.")
    if detectable is None:
        notes.append("All images changed alike.")
    return tuple(notes)


def _area(maker: Maker, curve: Curve, chance: float, seed: int) -> Estimate:
    areas, units = curve.areas(), len(set(curve.clusters))
    bounds = bca_mean(areas, curve.clusters, seed, unit=f"{maker.unit}s")
    value, n = float(areas.mean()), len(areas)
    return maker.estimate(
        "area", value, n, units, bounds, role="secondary", subgroup={"manipulation": curve.name},
        notes=_notes(curve, 0.0),
        sentence=f"Area under the curve of {curve.name.replace('-', ' ')} over levels {_listed(curve)}: "
        f"{percent(value)}{between(bounds, 100)} ({n:,} images; {percent(float(curve.clean.mean()))} were nothing "
        f"lost, {percent(chance)} by chance).",
    )  # fmt: skip


def _listed(curve: Curve) -> str:
    return ", ".join(f"{level:.3g}" for level in curve.levels)


def _left(maker: Maker, curve: Curve, chance: float, seed: int) -> Estimate:
    last = curve.right[-1]
    found = share(last, list(curve.clusters), seed)
    return maker.rate(
        "accuracy_left", found, f"{said(curve.name)} at {curve.levels[-1]:g}, the strongest level: right on {{}} "
        f"({percent(chance)} by chance).",
        role="secondary", subgroup={"manipulation": curve.name}, null=_by_luck(chance, found.clusters),
        test=_above(last, found.clusters, chance), minimum_detectable=mde_proportion(found.n, chance),
    )  # fmt: skip


def _above(right: np.ndarray[tuple[int, ...], np.dtype[np.bool_]], clusters: int, chance: float) -> Test | None:
    """Above chance, as though each natural unit were shown once: the mean of a unit counts, rounded down."""
    hits = int(np.floor(right.mean() * clusters + 1e-9)) if len(right) else 0
    return above_chance(hits, clusters, chance)


def _by_luck(chance: float, n: int) -> Null:
    from scipy.stats import binom

    low, high = (float(binom.ppf(end, n, chance)) / n for end in (0.025, 0.975))
    return Null(mean=chance, low=low, high=high, method=f"binomial, {n:,} choices at random")


def _levels(maker: Maker, curve: Curve, blind: bool, seed: int) -> list[Estimate]:
    more = {"status": Status.INCONCLUSIVE, "notes": (BLIND,)} if blind else {}
    return [
        maker.points(
            "level_drop", change(curve.clean, right, list(curve.clusters), seed),
            f"Accuracy lost to {curve.name.replace('-', ' ')} at {level:.3g}: {{}}.", role="secondary",
            subgroup={"manipulation": curve.name, "level": f"{level:.3g}"}, **more,
        )
        for level, right in zip(curve.levels, curve.right[1:], strict=True)
    ]  # fmt: skip


def _kept(maker: Maker, curve: Curve, seed: int) -> list[Estimate]:
    """Relative accuracy at each level, as Burgert et al. 2025 report reliance; none where nothing is right."""
    clean, n = curve.clean.astype(float), len(curve.clusters)
    if not clean.any():
        return []
    made = []
    for level, right in zip(curve.levels, curve.right[1:], strict=True):
        value = float(right.mean() / clean.mean())
        bounds: Interval = bca_ratio(right.astype(float), clean, curve.clusters, seed, unit=f"{maker.unit}s")
        made.append(maker.estimate(
            "kept", value, n, len(set(curve.clusters)), bounds, role="preset",
            subgroup={"manipulation": curve.name, "level": f"{level:.3g}"},
            sentence=f"{said(curve.name)} at {level:.3g} keeps {percent(value)}{between(bounds, 100)} of the clean "
            f"accuracy ({n:,} images).",
        ))  # fmt: skip
    return made
