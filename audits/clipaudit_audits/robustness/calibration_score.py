"""The estimates of the calibration audit. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from clipaudit.numbers import value_text
from clipaudit.results import Estimate, GroupsAre, Reference, Test
from clipaudit.stats.bootstrap import bca_mean, bca_ratio
from clipaudit.stats.clusters import codes
from clipaudit.stats.null import null_from_draws
from clipaudit.stats.permutation import p_value
from clipaudit.stats.power import mde_null
from clipaudit_audits.robustness import calibration_measures as measures
from clipaudit_audits.robustness.calibration_measures import Flags, Floats, Ints
from clipaudit_audits.robustness.calibration_params import CalibrationParams
from clipaudit_audits.robustness.calibration_spec import SPEC
from clipaudit_audits.robustness.chance import among, deal
from clipaudit_audits.robustness.labelled import GROUP, heading
from clipaudit_audits.robustness.making import Maker, in_points, unit_of
from clipaudit_audits.robustness.typographic_measures import share
from clipaudit_audits.wording import between, percent, points_text

HALF = 0.5
DEALT = 4000
HIDES = "This does not show how sure it would be with other labels to choose from."


@dataclass(frozen=True)
class Answers:
    """n readable answers, sorted by item."""

    confidence: Floats
    correct: Flags
    brier: Floats
    clusters: tuple[str, ...]
    offered: int
    groups: Mapping[str, tuple[str, ...]]

    @property
    def unit(self) -> Ints:
        """(n,) cluster numbers."""
        return codes(self.clusters)

    def part(self, keep: Flags) -> Answers:
        """Those of the answers that are kept."""
        chosen = np.flatnonzero(keep)
        groups = {name: tuple(values[i] for i in chosen) for name, values in self.groups.items()}
        clusters = tuple(self.clusters[i] for i in chosen)
        return Answers(
            self.confidence[chosen], self.correct[chosen], self.brier[chosen], clusters, self.offered, groups
        )


def answers(records: Sequence[Mapping[str, Any]], groups_are: GroupsAre) -> Answers:
    """From rows, those with an error left out. Groups are headed by what they are: "gender (annotated)"."""
    seen = sorted((r for r in records if r["error"] is None), key=lambda r: str(r["item"]))
    columns = [name for name in (records[0] if records else {}) if name.startswith(GROUP)]
    return Answers(
        confidence=np.array([r["confidence"] for r in seen], dtype=float),
        correct=np.array([r["prediction"] == r["label"] for r in seen], dtype=bool),
        brier=np.array([r["brier"] for r in seen], dtype=float),
        clusters=tuple(str(r["cluster"]) for r in seen),
        offered=int(seen[0]["offered"]) if seen else 0,
        groups={heading(name, groups_are): tuple(str(r[name]) for r in seen) for name in columns},
    )


def estimates(found: Answers, params: CalibrationParams, seed: int) -> list[Estimate]:
    """Of all answers, then by group."""
    n, units = len(found.clusters), len(set(found.clusters))
    maker = Maker(SPEC, unit_of(units, n))
    if not n:
        said = "No image could be read."
        return [maker.estimate(name, None, 0, 0, None, sentence=said) for name in ("ece", "accuracy")]
    return [
        *_errors(maker, found, params, seed),
        *_selective(maker, found, params, seed),
        *(e for name in found.groups for e in _by_group(maker, found, name, params, seed)),
    ]


def _errors(maker: Maker, found: Answers, params: CalibrationParams, seed: int) -> list[Estimate]:
    n, units = len(found.clusters), len(set(found.clusters))
    numbers = measures.bin_numbers(found.confidence, measures.bins_for(n, params.bins))
    table = measures.binned(found.confidence, found.correct, numbers)
    fair = measures.if_calibrated(found.confidence, numbers, found.unit, seed)
    error, plug_in = float(table.debiased()[0]), float(table.plug_in()[0])
    null, root = fair.null(), float(np.sqrt(max(0.0, float(table.squared()[0]))))
    accuracy, sure = float(found.correct.mean()), float(found.confidence.mean())
    right = share(found.correct, list(found.clusters), seed)
    bounds = measures.error_interval(found.confidence, found.correct, numbers, found.unit, seed, f"{maker.unit}s")
    none = 1 - 1 / found.offered
    return [
        maker.estimate(
            "ece", error, n, units, bounds, test=fair.error_test(error), null=null,
            minimum_detectable=min(1.0, null.mean + mde_null(null.sd or 0.0)) or None,
            sentence=f"Stated confidence and accuracy differ by {percent(error)}{between(bounds, 100)} on average "
            f"over {table.count.shape[1]:,} bins of {n:,} images; a calibrated model would show {percent(null.mean)} "
            f"({percent(null.low)} to {percent(null.high)}). {HIDES}",
            notes=(f"{null.method}.",),
        ),
        _overconfidence(
            maker, found, {}, seed, test=fair.accuracy_test(accuracy), notes=(f"{null.method}.",),
            minimum_detectable=100 * mde_null(float(fair.accuracy.std())) or None,
        ),
        maker.estimate(
            "ece_plug_in", plug_in, n, units, None, role="preset",
            sentence=f"As usually computed, without removing the bias, the calibration error is {percent(plug_in)} "
            f"({table.count.shape[1]:,} bins of equally many images, {n:,} images).",
        ),
        maker.estimate(
            "rms_error", root, n, units, None, role="secondary",
            sentence=f"The root of the mean squared difference between confidence and accuracy is {percent(root)} "
            f"({n:,} images).",
        ),
        maker.estimate(
            "brier", float(found.brier.mean()), n, units, bca_mean(found.brier, found.clusters, seed, unit="units"),
            role="secondary",
            references=(Reference(label="equal probabilities", value=none, source="1 - 1 / number of classes"),),
            sentence=f"The Brier score over {found.offered:,} classes is {found.brier.mean():.3f} ({n:,} images); "
            f"equal probabilities for all classes would score {none:.3f}.",
        ),
        maker.rate(
            "accuracy", right, f"The model was right on {{}}, and on average {percent(sure)} sure.", role="secondary"
        ),
    ]  # fmt: skip


def _overconfidence(
    maker: Maker, found: Answers, subgroup: Mapping[str, str], seed: int, **more: Any
) -> Estimate:  # fmt: skip
    excess = found.confidence - found.correct
    bounds = in_points(bca_mean(excess, found.clusters, seed, unit=f"{maker.unit}s"))
    value = 100 * float(excess.mean())
    whose = " of " + ", ".join(f"{k} {v}" for k, v in subgroup.items()) if subgroup else ""
    sure, right = percent(float(found.confidence.mean())), percent(float(found.correct.mean()))
    return maker.estimate(
        "overconfidence", value, len(excess), len(set(found.clusters)), bounds, subgroup=dict(subgroup),
        sentence=f"On {len(excess):,} images{whose}, confidence ({sure}) less accuracy ({right}) is "
        f"{points_text(value)}{between(bounds)}; above 0 the model is surer than it is right.",
        **more,
    )  # fmt: skip


def _selective(maker: Maker, found: Answers, params: CalibrationParams, seed: int) -> list[Estimate]:
    n, units = len(found.clusters), len(set(found.clusters))
    whole = float(found.correct.mean())
    result = [_gain(maker, found, seed)]
    for coverage in params.coverages:
        weights = measures.inclusion(found.confidence, coverage)
        value = measures.selective(found.confidence, found.correct, coverage)
        bounds = bca_ratio(weights * found.correct, weights, found.clusters, seed, unit=f"{maker.unit}s")
        said = f"On the {percent(coverage)} of {n:,} images on which the model is surest, it is right in "
        result.append(maker.estimate(
            "selective_accuracy", value, n, units, bounds, role="secondary", subgroup={"answered": percent(coverage)},
            sentence=f"{said}{percent(value)}{between(bounds, 100)} of cases, against {percent(whole)} on all.",
        ))  # fmt: skip
    return result


def _gain(maker: Maker, found: Answers, seed: int) -> Estimate:
    """What confidence is good for: accuracy on the surer half, against correct answers dealt out anew."""
    weights = measures.inclusion(found.confidence, HALF)
    lever = weights / weights.sum() - 1 / len(weights)
    value = float(lever @ found.correct)
    dealt = deal(found.correct.astype(np.int64), found.unit, np.random.default_rng(seed), DEALT) @ lever
    method = f"correct answers dealt out anew {among(found.correct.astype(np.int64), found.unit)} ({DEALT:,} draws)"
    p = p_value(dealt, value, False, "greater")
    test = Test(p=p, alternative="greater", method=method, smallest_p=1 / (DEALT + 1))
    null = null_from_draws(100 * dealt, method)
    n, units = len(weights), len(set(found.clusters))
    return maker.estimate(
        "selective_gain", 100 * value, n, units, None, test=test, null=null,
        minimum_detectable=mde_null(null.sd or 0.0) or None, notes=() if null.sd else ("All answers are alike.",),
        sentence=f"Leaving out the half of {n:,} images on which the model is less sure changes its accuracy by "
        f"{points_text(100 * value)}; confidence without meaning would give {points_text(null.low)} to "
        f"{points_text(null.high)}.",
    )  # fmt: skip


def _by_group(maker: Maker, found: Answers, column: str, params: CalibrationParams, seed: int) -> list[Estimate]:
    """Each annotated group, and the spread between those that are large enough."""
    values = np.array(found.groups[column])
    least = SPEC.metric("group_spread").min_n
    parts = {value: found.part(values == value) for value in sorted({v for v in values.tolist() if v.strip()})}
    judged = [value for value, part in parts.items() if len(set(part.clusters)) >= least]
    result = [_spread(maker, found, values, judged, column, seed)] if len(judged) > 1 else []
    for value, part in parts.items():
        subgroup = {column: value}
        result += [
            _group_error(maker, part, subgroup, params, seed),
            _overconfidence(maker, part, subgroup, seed, role="secondary"),
        ]
    return result


def _group_error(
    maker: Maker, part: Answers, subgroup: Mapping[str, str], params: CalibrationParams, seed: int
) -> Estimate:  # fmt: skip
    n, units = len(part.clusters), len(set(part.clusters))
    numbers = measures.bin_numbers(part.confidence, measures.bins_for(n, params.bins))
    error = float(measures.binned(part.confidence, part.correct, numbers).debiased()[0])
    bounds = measures.error_interval(part.confidence, part.correct, numbers, part.unit, seed, f"{maker.unit}s")
    who = ", ".join(f"{name} {value}" for name, value in subgroup.items())
    return maker.estimate(
        "ece", error, n, units, bounds, role="secondary", subgroup=dict(subgroup),
        sentence=f"{who}: confidence and accuracy differ by {percent(error)}{between(bounds, 100)} on average "
        f"({n:,} images, {int(numbers.max()) + 1:,} bins).",
    )  # fmt: skip


def _spread(maker: Maker, found: Answers, values: Any, judged: Sequence[str], name: str, seed: int) -> Estimate:
    """Largest less smallest overconfidence, against groups dealt out anew. No interval: it is biased upwards."""
    part = found.part(np.isin(values, judged))
    groups = np.array([judged.index(value) for value in values[np.isin(values, judged)]], dtype=np.int64)
    excess = part.confidence - part.correct
    observed = _means(groups[None], excess, len(judged))[0]
    dealt = deal(groups, part.unit, np.random.default_rng(seed), DEALT)
    draws = np.ptp(_means(dealt, excess, len(judged)), axis=1)
    value = float(np.ptp(observed))
    method = f"groups dealt out anew {among(groups, part.unit)} ({DEALT:,} draws)"
    test = Test(
        p=p_value(draws, value, False, "greater"), alternative="greater", method=method, smallest_p=1 / (DEALT + 1)
    )
    null, most, fewest = null_from_draws(100 * draws, method), judged[observed.argmax()], judged[observed.argmin()]
    n, units = len(excess), len(set(part.clusters))
    return maker.estimate(
        "group_spread", 100 * value, n, units, None, subgroup={"groups": name}, test=test, null=null,
        minimum_detectable=null.mean + mde_null(null.sd or 0.0),
        sentence=f"Between groups by {name}, confidence above accuracy differs by up to "
        f"{value_text(100 * value, 'points')} (most for {most}, least for {fewest}; {n:,} images); chance alone gives "
        f"{value_text(null.mean, 'points')}. This does not show why: groups may differ in what is easy about them.",
    )  # fmt: skip


def _means(groups: Ints, values: Floats, k: int) -> Floats:
    """(R, k) means of `values` (n,) in groups (R, n)."""
    shown = np.stack([groups == j for j in range(k)], axis=1).astype(float)
    return np.asarray(shown @ values / shown.sum(axis=2))
