"""Gaps between annotated groups under every way of asking. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clipaudit.numbers import value_text
from clipaudit.results import Estimate, Test
from clipaudit.stats.clusters import codes
from clipaudit.stats.gap_rates import group_rates as rates_with_noise
from clipaudit.stats.null import null_from_draws
from clipaudit.stats.permutation import p_value
from clipaudit.stats.power import mde_null
from clipaudit_audits.robustness.chance import among, deal
from clipaudit_audits.robustness.making import Maker
from clipaudit_audits.robustness.prompts_measures import Answers, Choice, Flags, Floats, Ints, group_rates, kendall
from clipaudit_audits.robustness.prompts_params import PromptParams
from clipaudit_audits.robustness.prompts_spec import PER_GROUP
from clipaudit_audits.template_sensitivity import Sensitivity, sensitivity
from clipaudit_audits.wording import percent, points_text

DEALT = 1000
_Z = 1.959963984540054


@dataclass(frozen=True)
class GroupGap:
    """Estimates on one column (the gap first), and how the gap hangs on the template."""

    estimates: tuple[Estimate, ...]
    sensitivity: Sensitivity | None


@dataclass(frozen=True)
class Judged:
    """The images of the groups that are large enough. keep: (n,) which; groups: numbers of those kept."""

    names: tuple[str, ...]
    keep: NDArray[np.bool_]
    groups: Ints
    unit: Ints
    small: Mapping[str, int]


def judged(found: Answers, column: str) -> Judged:
    """Groups with enough natural units; the others by their number of units."""
    values = np.array(found.groups[column], dtype=object)
    units = np.array(found.clusters, dtype=object)
    sizes = {v: len(set(units[values == v])) for v in sorted({str(v) for v in values if str(v).strip()})}
    names = tuple(v for v, size in sizes.items() if size >= PER_GROUP)
    keep = np.isin(values.astype(str), names)
    numbers = {name: i for i, name in enumerate(names)}
    groups = np.array([numbers[str(v)] for v in values[keep]], dtype=np.int64)
    small = {v: size for v, size in sizes.items() if size < PER_GROUP}
    return Judged(names, keep, groups, codes(units[keep].tolist()), small)


def by_group(maker: Maker, found: Answers, column: str, params: PromptParams, seed: int) -> list[GroupGap]:
    """The gap with its templates, the stability of ranks (three groups at least) and of the sign."""
    part = judged(found, column)
    if len(part.names) < 2:
        said = f"Fewer than two groups by {column} have {PER_GROUP} natural units."
        return [
            GroupGap((maker.estimate("group_gap", None, 0, 0, None, subgroup={"groups": column}, sentence=said),), None)
        ]
    correct = found.correct()[part.keep]
    rates = group_rates(correct, part.groups, len(part.names))
    pooled = rates[found.pooled()]
    high, low = ends(pooled)
    gap, hang = _gap(maker, found, part, rates, (high, low), column, seed)
    stability = [_ranks(maker, found, part, correct, rates, column, seed)] if len(part.names) > 2 else []
    return [GroupGap((gap, *stability, _signs(maker, found, part, params, (high, low), column)), hang)]


def _gap(
    maker: Maker, found: Answers, part: Judged, rates: Floats, pair: tuple[int, int], name: str, seed: int
) -> tuple[Estimate, Sensitivity | None]:
    high, low = pair
    pooled, k = rates[found.pooled()], len(part.names)
    value = float(100 * (pooled[high] - pooled[low]))
    dealt = deal(part.groups, part.unit, np.random.default_rng(seed), 4 * DEALT)
    right = found.correct()[part.keep][:, found.pooled()].astype(float)
    member = np.stack([dealt == j for j in range(k)], axis=1).astype(float)
    draws = 100 * np.ptp(member @ right / member.sum(axis=2), axis=1)
    method = f"groups dealt out anew {among(part.groups, part.unit)} ({4 * DEALT:,} draws)"
    p = p_value(draws, value, False, "greater")
    null = null_from_draws(draws, method)
    by_template = {
        template: float(100 * (rates[c][high] - rates[c][low]))
        for c, template in zip(found.columns(), found.templates, strict=True)
    }
    hang = sensitivity(by_template, value)
    n, units = len(right), int(part.unit.max()) + 1
    small = f" Too small to be judged: {', '.join(part.small)}." if part.small else ""
    estimate = maker.estimate(
        "group_gap", value, n, units, None, subgroup={"groups": name}, null=null,
        test=Test(p=p, alternative="greater", method=method, smallest_p=1 / (draws.size + 1)),
        minimum_detectable=null.mean + mde_null(null.sd) if null.sd else None,
        notes=() if null.sd else ("All answers are alike.",),
        sentence=f"By {name}, accuracy is highest for {part.names[high]} ({percent(pooled[high])}) and lowest for "
        f"{part.names[low]} ({percent(pooled[low])}): {points_text(value)} over {n:,} images, where chance gives "
        f"{points_text(null.mean)}. This does not show why: groups may differ in what is easy about them.{small}",
    )  # fmt: skip
    return estimate, hang


def _ranks(maker: Maker, found: Answers, part: Judged, correct: Flags, rates: Floats, name: str, seed: int) -> Estimate:
    """Kendall's tau of each template's ranks of groups with the pooled ones, beside groups without meaning."""
    columns, k = found.columns(), len(part.names)
    value = _mean(kendall(rates[columns], rates[found.pooled()]))
    draws = []
    for groups in deal(part.groups, part.unit, np.random.default_rng(seed), DEALT):
        random = group_rates(correct[:, [*columns, found.pooled()]], groups, k)
        draws.append(_mean(kendall(random[:-1], random[-1])))
    known = [draw for draw in draws if draw is not None]
    null = null_from_draws(known, f"groups dealt out anew {among(part.groups, part.unit)}") if known else None
    n, units = len(correct), int(part.unit.max()) + 1
    said = "not defined, since all groups are equal" if value is None else f"{value:.2f} on average"
    chance = "" if null is None else f"; of groups without meaning it would be {null.mean:.2f}"
    return maker.estimate(
        "rank_stability", value, n, units, None, role="secondary", subgroup={"groups": name}, null=null,
        sentence=f"The ranks of {k:,} groups by {name} under single templates agree with those under all together with "
        f"Kendall's tau {said}{chance} ({n:,} images).",
    )  # fmt: skip


def _mean(values: Floats) -> float | None:
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else None


@dataclass(frozen=True)
class Way:
    """One point of the specification curve: the gap in points with its 95 % bounds, by normal approximation."""

    choice: Choice
    top: int
    gap: float
    low: float
    high: float


def ways(found: Answers, part: Judged, params: PromptParams, pair: tuple[int, int]) -> list[Way]:
    """The gap between the two groups under every label set, template (and all together), crop and top-k."""
    low = pair[1]
    inside = np.isin(part.groups, pair)
    sides = (part.groups[inside] == low).astype(np.int64)
    keep = np.flatnonzero(part.keep)[inside]
    result = []
    for top in params.top:
        if top > 1 and top >= len(set(found.labels)):
            continue  # always right
        correct = found.correct(top)[keep]
        for column, choice in enumerate(found.choices):
            rates = rates_with_noise(correct[:, column], sides, part.unit[inside], 2)
            gap = float(rates.p[0] - rates.p[1])
            error = _Z * float(
                np.sqrt(max(0.0, rates.covariance[0, 0] + rates.covariance[1, 1] - 2 * rates.covariance[0, 1]))
            )
            result.append(Way(choice, top, 100 * gap, 100 * (gap - error), 100 * (gap + error)))
    return result


def extremes(found: Answers, part: Judged) -> tuple[int, int]:
    """The groups with the highest and the lowest accuracy under all templates together."""
    pooled = group_rates(found.correct()[part.keep], part.groups, len(part.names))[found.pooled()]
    return ends(pooled)


def ends(rates: Floats) -> tuple[int, int]:
    """Places of the largest and the smallest of at least two rates (k,); two different ones where all are alike.

    >>> ends(np.array([0.5, 0.5])), ends(np.array([0.2, 0.9, 0.2]))
    ((0, 1), (1, 2))
    """
    return int(rates.argmax()), len(rates) - 1 - int(rates[::-1].argmin())


def _signs(
    maker: Maker, found: Answers, part: Judged, params: PromptParams, pair: tuple[int, int], name: str
) -> Estimate:
    curve = ways(found, part, params, pair)
    value = float(np.mean([way.gap > 0 for way in curve]))
    against = [way for way in curve if way.high < 0]
    n, units = int(np.isin(part.groups, pair).sum()), int(part.unit.max()) + 1
    first, second = (part.names[i] for i in pair)
    turned = f" {len(against):,} of them put {second} ahead by more than noise." if against else ""
    return maker.estimate(
        "sign_stability", value, n, min(n, units), None, role="secondary", subgroup={"groups": name},
        sentence=f"Under {value_text(value, 'proportion')} of {len(curve):,} ways of asking (label set, template, "
        f"crop, top-k), {first} is ahead of {second} by {name} ({n:,} images).{turned}",
        notes=("Ways of asking share images and are no sample; the share has no interval.",),
    )  # fmt: skip
