"""From rankings to estimates: skews per grouping beside their chance values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from clipaudit.contract import MetricSpec
from clipaudit.results import Estimate, Interval, Status
from clipaudit.stats.multiple import correct
from clipaudit.stats.permutation import Alternative
from clipaudit.stats.power import mde_null
from clipaudit_audits.social_bias import retrieval_skew_sentences as say
from clipaudit_audits.social_bias.groups import Grouping
from clipaudit_audits.social_bias.ranked_pools import by_template, judged_queries
from clipaudit_audits.social_bias.retrieval_skew_measures import (
    Key,
    Rankings,
    chance,
    interval,
    mean,
    observed,
    resampled,
    test_of,
)
from clipaudit_audits.social_bias.retrieval_skew_study import Study
from clipaudit_audits.template_sensitivity import Sensitivity, agreement, marked, sensitivity

Floats = NDArray[np.float64]
Role = Literal["primary", "secondary"]
_TITLES = {"max_skew": "MaxSkew", "min_skew": "MinSkew", "ndkl": "NDKL", "bias": "Bias", "group_skew": "Skew"}
_ALTERNATIVES: Mapping[str, Alternative] = {"max_skew": "greater", "ndkl": "greater", "min_skew": "less"}
_SHARES = {"pool": "against the pool", "uniform": "against even shares"}
_EXCESS = ("max_skew", "ndkl")


@dataclass(frozen=True)
class Judged:
    """One grouping, measured. values: (q,) of all queries; null and draws: (R,) means over the judged ones."""

    grouping: Grouping
    rankings: Rankings
    queries: NDArray[np.bool_]
    values: Mapping[Key, Floats]
    null: Mapping[Key, Floats]
    draws: Mapping[Key, Floats]
    method: str

    def expected(self, key: Key) -> float:
        """Images of the key's group among the first k if the ranking did not look at groups."""
        return key.k * float(np.mean(self.rankings.codes == key.group))

    def value(self, key: Key) -> float | None:
        """None where not defined, and for a group of which less than one image is expected in the top: there none at
        all counts as 1/k, more than its share, and every group would seem to be found too often."""
        if key.group >= 0 and self.expected(key) < 1:
            return None
        found = float(mean(self.values[key][self.queries]))
        return found if np.isfinite(found) else None

    def asked(self, key: Key) -> int:
        """Number of queries behind a value."""
        return int(np.isfinite(self.values[key][self.queries]).sum())


def judge(study: Study, grouping: Grouping) -> Judged | None:
    """None where fewer than two groups are large enough, or no pool holds every group."""
    if len(grouping.values) < 2 or not study.queries:
        return None
    rankings = study.rankings(grouping)
    queries = judged_queries(rankings)
    ks = [k for k in study.params.k if k <= rankings.order.shape[1]]
    if not queries.any() or not ks:
        return None
    method, (null,) = chance(rankings, ks, [queries], study.seed)
    (draws,) = resampled(rankings, ks, [queries], study.seed)
    return Judged(grouping, rankings, queries, observed(rankings, ks), null, draws, method)


def all_estimates(study: Study) -> list[Estimate]:
    """Every grouping; one family of tests, Benjamini-Hochberg."""
    found: list[tuple[Judged, Key, Estimate]] = []
    small: list[Estimate] = []
    for grouping in study.groupings:
        small += [_too_small(study, grouping, group, n) for group, n in grouping.small.items()]
        judged = judge(study, grouping)
        if judged is None:
            small.append(_none(study, grouping))
        else:
            found += [(judged, key, _estimate(study, judged, key)) for key in _reported(judged)]
    tested = correct([estimate for _, _, estimate in found], "benjamini-hochberg", "skews")
    spoken = [
        estimate.model_copy(update={"sentence": _sentence(judged, key, estimate)})
        for (judged, key, _), estimate in zip(found, tested, strict=True)
    ]
    alone = [_alone(study, judged, key, e) for (judged, key, _), e in zip(found, spoken, strict=True)]
    spoken = [marked(estimate, each) for estimate, each in zip(spoken, alone, strict=True)]
    extra: list[Estimate] = []
    for (judged, key, _), estimate in zip(found, spoken, strict=True):
        if key.metric in _EXCESS and key.target == study.params.target and estimate.null is not None:
            extra.append(_excess(study, judged, key, estimate))
        if key.metric == "max_skew" and key.target == study.params.target and len(study.params.templates) > 1:
            extra += _templates(study, judged, key)
    extra += agreement(list(zip(spoken, alone, strict=True)), of="skews")
    return [*spoken, *extra, *small]


def _alone(study: Study, judged: Judged, key: Key, estimate: Estimate) -> Sensitivity | None:
    """The mean over each template's queries, on which side of what chance gives; None for one template."""
    each = by_template(np.where(judged.queries, judged.values[key], np.nan), study.queries)
    return sensitivity(each, estimate.value, 0.0 if estimate.null is None else estimate.null.mean)


def _reported(judged: Judged) -> list[Key]:
    """Skews first, then single groups."""
    rank = {"max_skew": 0, "min_skew": 1, "ndkl": 2, "bias": 3, "group_skew": 4}
    return sorted(judged.values, key=lambda key: (rank[key.metric], key.k, key.target, key.group))


def _estimate(study: Study, judged: Judged, key: Key) -> Estimate:
    metric, value = study.spec.metric(key.metric), judged.value(key)
    base = Estimate(
        metric=key.metric,
        title=_title(judged, key),
        value=value,
        unit=metric.unit,
        direction=metric.direction,
        role=_role(study, key),
        subgroup=_subgroup(judged, key),
        n=len(judged.rankings.codes),
        clusters=int(judged.rankings.clusters.max()) + 1,
        cluster_key=study.params.cluster or None,
        status=Status.DESCRIBED if value is not None else Status.TOO_SMALL,
    )
    if value is None:
        return base
    null, test = test_of(value, judged.null[key], f"{judged.method}, {judged.asked(key):,} queries",
                         _ALTERNATIVES.get(key.metric, "two-sided"))  # fmt: skip
    return base.model_copy(
        update={
            "interval": interval(value, judged.draws[key], "queries and images", bounds=_bounds(metric)),
            "null": null,
            "test": test,
            "minimum_detectable": mde_null(null.sd or 0.0),
            "null_value": 0.0 if metric.null_value is not None else None,
        }
    )


def _bounds(metric: MetricSpec) -> tuple[float, float]:
    low, high = metric.range
    return -np.inf if low is None else low, np.inf if high is None else high


def _role(study: Study, key: Key) -> Role:
    first = key.target in ("", study.params.target) and key.metric in ("max_skew", "ndkl", "bias")
    return "primary" if first else "secondary"


def _title(judged: Judged, key: Key) -> str:
    found = _subgroup(judged, key)
    name = f"{_TITLES[key.metric]}@{key.k}" if key.k else _TITLES[key.metric]
    name += f" of {found['group']}" if "group" in found else ""
    return ": ".join([name, *filter(None, [", ".join(found[part] for part in ("k", "target") if part in found)])])


def _subgroup(judged: Judged, key: Key) -> dict[str, str]:
    found = {"groups": judged.grouping.label}
    if key.group >= 0:
        found["group"] = judged.grouping.values[key.group]
    if key.k:
        found["k"] = f"first {key.k}"
    if key.target:
        found["target"] = _SHARES[key.target]
    return found


def _sentence(judged: Judged, key: Key, estimate: Estimate) -> str:
    name, values, asked = judged.grouping.name, judged.grouping.values, judged.asked(key)
    if estimate.value is None and key.group >= 0 and judged.expected(key) < 1:
        return say.too_few_expected(name, values[key.group], key.k)
    if estimate.value is None:
        return say.not_judged(name, key.k)
    if key.metric == "ndkl":
        return say.ndkl_sentence(estimate, name, asked)
    if key.metric == "bias":
        return say.bias_sentence(estimate, values[0], values[1], key.k, asked)
    if key.metric == "group_skew":
        return say.group_sentence(estimate, name, values[key.group], key.k, asked)
    leader = Counter(leaders(judged, key)[judged.queries].tolist()).most_common(1)[0][0]
    return say.skew_sentence(estimate, name, values[leader], key.k, asked, key.target)


def leaders(judged: Judged, key: Key) -> NDArray[np.int64]:
    """(q,) the group with the largest (MinSkew: the smallest) skew of each query, at the key's k and target."""
    skews = np.stack([judged.values[Key("group_skew", key.k, "pool", g)] for g in range(judged.rankings.n_groups)])
    if key.target == "uniform":
        sizes = np.bincount(judged.rankings.codes)
        skews = skews + np.log(sizes / sizes.sum())[:, None]  # to compare shares as they are, up to a constant
    return np.asarray(skews.argmin(axis=0) if key.metric == "min_skew" else skews.argmax(axis=0))


def _excess(study: Study, judged: Judged, key: Key, source: Estimate) -> Estimate:
    metric = study.spec.metric("excess")
    assert source.null is not None
    mean_null = source.null.mean
    bounds = source.interval
    moved = None
    if bounds is not None:
        low, high = (None if end is None else end - mean_null for end in (bounds.low, bounds.high))
        moved = Interval(low=low, high=high, method=bounds.method)
    made = source.model_copy(
        update={
            "metric": "excess",
            "title": f"Excess of {source.title}",
            "value": (source.value or 0.0) - mean_null,
            "unit": metric.unit,
            "direction": metric.direction,
            "role": "secondary",
            "subgroup": {**source.subgroup, "of": _TITLES[key.metric]},
            "interval": moved,
            "null_value": 0.0,
            "null": None,
            "test": None,
            "status": Status.DESCRIBED,
        }
    )
    return made.model_copy(update={"sentence": say.excess_sentence(made, judged.grouping.name, mean_null)})


def _templates(study: Study, judged: Judged, key: Key) -> list[Estimate]:
    """How far the choice of template matters: range of the templates' means, and who leads in how many."""
    values = np.where(judged.queries, judged.values[key], np.nan)
    means = by_template(values, study.queries)
    if len(means) < 2:
        return []
    names = np.array([query.template for _, query in study.queries])
    skews = {g: judged.values[Key("group_skew", key.k, "pool", g)] for g in range(judged.rankings.n_groups)}
    first = Counter(
        judged.grouping.values[max(skews, key=lambda g: float(mean(skews[g][(names == name) & judged.queries])))]
        for name in means
    )
    leading = ", ".join(f"'{group}' in {count}" for group, count in sorted(first.items(), key=lambda e: (-e[1], e[0])))
    metric = study.spec.metric("template_range")
    estimate = Estimate(
        metric="template_range", title=f"Range over templates of MaxSkew@{key.k}",
        value=max(means.values()) - min(means.values()), unit=metric.unit, direction=metric.direction,
        role="secondary", subgroup=_subgroup(judged, key), n=len(means),
        notes=("The number of items is that of templates; no interval is given for a range of so few.",),
    )  # fmt: skip
    which = f"Most over-represented on average: {leading} of {len(means)} templates."
    return [
        estimate.model_copy(update={"sentence": say.template_sentence(estimate, judged.grouping.name, means, which)})
    ]


def _too_small(study: Study, grouping: Grouping, group: str, n: int) -> Estimate:
    metric = study.spec.metric("group_skew")
    base = Estimate(
        metric="group_skew", title=f"Skew of {group}", value=None, unit=metric.unit,
        direction=metric.direction, role="secondary",
        subgroup={"groups": grouping.label, "group": group}, n=n, status=Status.TOO_SMALL,
    )  # fmt: skip
    return base.model_copy(update={"sentence": say.group_sentence(base, grouping.name, group, 0, 0)})


def _none(study: Study, grouping: Grouping) -> Estimate:
    metric = study.spec.metric("max_skew")
    return Estimate(
        metric="max_skew", title="MaxSkew", value=None, unit=metric.unit, direction=metric.direction,
        subgroup={"groups": grouping.label}, n=int((grouping.codes >= 0).sum()),
        status=Status.TOO_SMALL,
        sentence=f"{grouping.name}: fewer than two groups have {study.params.min_group} readable images in pools of "
        "more than k images that hold every group: not judged.",
    )  # fmt: skip
