"""From images to estimates with their sentences. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from clipaudit.contract import Outcomes
from clipaudit.numbers import counted, half_width, interval_text, value_text
from clipaudit.results import Estimate, Interval, Reference, Status, Test
from clipaudit.stats.bootstrap import bca_mean
from clipaudit.stats.clusters import totals
from clipaudit.stats.intervals import wilson
from clipaudit.stats.multiple import correct
from clipaudit.stats.paired import paired_permutation, sign_flip_test, sign_flips
from clipaudit.stats.power import mde_mean
from clipaudit_audits.meaning import attention_shift_measures as measures
from clipaudit_audits.meaning.attention_shift_checks import Checks
from clipaudit_audits.meaning.attention_shift_choices import ACCURATE, CHECKED_ROLES, MISLEADING, NEUTRAL
from clipaudit_audits.meaning.attention_shift_items import Floats, Item, grid_of

if TYPE_CHECKING:
    from clipaudit.contract import MetricSpec

Measure = Callable[[Item, str], float | None]

# What is measured of an image and a role, and how it is said.
SHIFTS: dict[str, tuple[Measure, str]] = {
    "divergence": (
        lambda item, role: item.excess(item.divergence, role),
        "puts the map {} further from the accurate prompt's than paraphrases do",
    ),
    "rank_loss": (
        lambda item, role: _times(-1, item.excess(item.rank_correlation, role)),
        "costs {} more of the rank correlation between maps than paraphrases do",
    ),
    "centre_shift": (
        lambda item, role: item.excess(item.distance, role),
        "moves the centre of relevance {} further than paraphrases do",
    ),
    "mass_shift": (
        lambda item, role: _times(100, item.excess(item.mass, role)),
        "changes the relevance on the object by {} against paraphrases of the accurate prompt",
    ),
}


# Means over images, by metric: what each image and role contribute.
PER_IMAGE: dict[str, Measure] = {
    **{name: measure for name, (measure, _) in SHIFTS.items()},
    "mass": lambda item, role: item.mass(role),
    "pointing": lambda item, role: None if (hit := item.hit(role)) is None else float(hit),
    "faithfulness": lambda item, role: item.gain(role),
}

#: Asked in one direction: a prompt that moves maps less than wording does moves nothing.
FURTHER = ("divergence", "rank_loss", "centre_shift")


def results(found: Sequence[Item], specs: Mapping[str, MetricSpec], seed: int) -> list[Estimate]:
    """Shifts by prompt, relevance on the object, then the checks that decide whether these can be believed."""
    if not found:
        return []
    checks = Checks(found, specs, seed)
    masked = [item for item in found if item.mask is not None]
    estimates = [
        shift
        for role in (MISLEADING, NEUTRAL)
        for name in SHIFTS
        if (shift := _shift(name, role, found, specs[name], seed, checks)) is not None
    ]
    for role in CHECKED_ROLES:
        if masked:
            estimates += [_mass(role, masked, specs["mass"], seed, checks)]
            estimates += [_pointing(role, masked, specs["pointing"], seed, checks)]
    return [*correct(estimates, "holm", "tests"), *checks.estimates]


def outcomes(found: Sequence[Item], estimate: Estimate) -> Outcomes | None:
    """What each image contributes to a mean; None for the agreement between maps, a check."""
    measure = PER_IMAGE.get(estimate.metric)
    if measure is None or estimate.value is None:
        return None
    role = estimate.subgroup["prompt"]
    pairs = [(item, value) for item in found if (value := measure(item, role)) is not None]
    values = np.array([value for _, value in pairs])
    return Outcomes(
        tuple(item.name for item, _ in pairs), values, np.ones_like(values), tuple(item.cluster for item, _ in pairs)
    )


def _shift(name: str, role: str, found: Sequence[Item], spec: MetricSpec, seed: int, checks: Checks) -> Estimate | None:
    measure, wording = SHIFTS[name]
    pairs = [(value, item.cluster) for item in found if (value := measure(item, role)) is not None]
    if not pairs:
        return None  # no image has a mask, or no map has positive relevance
    values, clusters = [value for value, _ in pairs], [cluster for _, cluster in pairs]
    interval = bca_mean(values, clusters, seed, unit="images")
    mean = float(np.mean(values))
    said = wording.format(value_text(mean, spec.unit, spread=half_width(interval.low, interval.high)))
    bounds = interval_text(interval.low, interval.high, spec.unit)
    subject = "The misleading prompt" if role == MISLEADING else "A prompt that names nothing"
    return _estimate(
        spec, role, mean, interval, len(values), clusters,
        role="primary" if role == MISLEADING else "secondary",
        test=further(values, clusters, seed) if name in FURTHER else paired_permutation(values, clusters, seed),
        minimum_detectable=_mde(values, clusters),
        sentence=f"{subject} {said} {bounds}; {counted(len(values), 'image')}.",
        reasons=checks.against(ACCURATE, role),
        left_out=len(found) - len(values),
    )  # fmt: skip


def further(values: Sequence[float], clusters: Sequence[str], seed: int) -> Test:
    """One-sided sign-flip test that the mean is above zero; whole clusters flip together."""
    sums = totals(np.array(values), clusters)
    null, exact = sign_flips(sums, seed)
    return sign_flip_test(null, float(sums.sum()), exact, sums.size, "greater")


def _mass(role: str, masked: Sequence[Item], spec: MetricSpec, seed: int, checks: Checks) -> Estimate:
    pairs = [
        (value, float(_mask_area(item)), item.cluster) for item in masked if (value := item.mass(role)) is not None
    ]
    values, areas, clusters = [p[0] for p in pairs], [p[1] for p in pairs], [p[2] for p in pairs]
    if not values:
        return _nothing(spec, role, "no map has positive relevance")
    interval = bca_mean(values, clusters, seed, unit="images")
    mean, area = float(np.mean(values)), float(np.mean(areas))
    over = np.array(values) - np.array(areas)
    return _estimate(
        spec, role, mean, interval, len(values), clusters,
        role="primary" if role == ACCURATE else "secondary",
        null_value=area,
        references=_by_occlusion(role, masked, measures.mass),
        test=paired_permutation(over, clusters, seed),
        minimum_detectable=_mde(over.tolist(), clusters),
        sentence=f"{value_text(mean, spec.unit)} {interval_text(interval.low, interval.high, spec.unit)} of the "
        f"relevance for the {role} prompt lies on the object, which covers {value_text(area, spec.unit)} of the "
        f"picture; {counted(len(values), 'image')}.",
        reasons=checks.against(role),
        left_out=len(masked) - len(values),
    )  # fmt: skip


def _pointing(role: str, masked: Sequence[Item], spec: MetricSpec, seed: int, checks: Checks) -> Estimate:
    hits = np.array([bool(item.hit(role)) for item in masked], np.float64)
    chance = np.array([float((item.mask >= 0.5).mean()) for item in masked if item.mask is not None])
    clusters = [item.cluster for item in masked]
    own = len(set(clusters)) == len(clusters)
    interval = wilson(int(hits.sum()), len(hits)) if own else bca_mean(hits, clusters, seed, unit="images")
    rate = float(hits.mean())
    return _estimate(
        spec, role, rate, interval, len(hits), clusters,
        role="primary" if role == ACCURATE else "secondary",
        null_value=float(chance.mean()),
        references=_by_occlusion(role, masked, measures.hit),
        test=paired_permutation(hits - chance, clusters, seed),
        minimum_detectable=_mde((hits - chance).tolist(), clusters),
        sentence=f"For the {role} prompt the patch of most relevance lies on the object in "
        f"{value_text(rate, spec.unit)} {interval_text(interval.low, interval.high, spec.unit)} of "
        f"{counted(len(hits), 'image')}; a random patch does in {value_text(float(chance.mean()), spec.unit)}.",
        reasons=checks.against(role),
    )  # fmt: skip


def _by_occlusion(
    role: str, masked: Sequence[Item], measure: Callable[[Floats, Floats], float]
) -> tuple[Reference, ...]:
    """The same measure of the occlusion maps, where these are not the maps themselves."""
    values = [
        measure(share, item.mask)
        for item in masked
        if item.mask is not None
        and item.rows[role]["method"] != "occlusion"
        and (relevance := grid_of(item.rows[role]["occlusion"])) is not None
        and (share := measures.share(relevance)) is not None
    ]
    if not values:
        return ()
    label = f"by occlusion, on {counted(len(values), 'checked image')}"
    return (Reference(label=label, value=float(np.mean(values)), source="this run"),)


def _estimate(
    spec: MetricSpec, prompt: str, value: float, interval: Interval, n: int, clusters: Sequence[str],
    *, role: Literal["primary", "secondary"], reasons: Sequence[str], left_out: int = 0, **more: Any,
) -> Estimate:  # fmt: skip
    status = Status.INCONCLUSIVE if reasons else Status.DESCRIBED
    notes = list(reasons)
    if left_out:
        notes.append(
            f"{counted(left_out, 'image')} left out: no mask, or a map without positive or with equal relevance"
        )
    return Estimate(
        metric=spec.name, title=spec.title, value=value, unit=spec.unit,
        direction=spec.direction, role=role, subgroup={"prompt": prompt}, interval=interval, n=n,
        clusters=len(set(clusters)), cluster_key=spec.cluster_key,
        status=Status.TOO_SMALL if n < spec.min_n else status, notes=tuple(notes),
        **{"null_value": spec.null_value, **more},
    )  # fmt: skip


def _nothing(spec: MetricSpec, prompt: str, why: str) -> Estimate:
    return Estimate(
        metric=spec.name, title=spec.title, value=None, unit=spec.unit,
        direction=spec.direction, role="secondary", subgroup={"prompt": prompt}, n=0, status=Status.TOO_SMALL,
        notes=(why,), sentence=f"Not measured: {why}.",
    )  # fmt: skip


def _mde(values: Sequence[float], clusters: Sequence[str]) -> float | None:
    """Of the mean, from the spread of cluster means."""
    array = np.array(values)
    means = totals(array, clusters) / totals(np.ones_like(array), clusters)
    return mde_mean(float(means.std(ddof=1)), len(means)) if len(means) > 1 else None


def _mask_area(item: Item) -> float:
    assert item.mask is not None
    return float(item.mask.mean())


def _times(scale: float, value: float | None) -> float | None:
    return None if value is None else scale * value
