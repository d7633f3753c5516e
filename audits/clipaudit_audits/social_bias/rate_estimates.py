"""From a rate compared between groups to estimates: each group, the gap beside chance, the variance between groups."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from clipaudit.contract import AuditSpec
from clipaudit.results import Estimate, Interval, Status
from clipaudit.stats.gap_rates import Floats, Ints, group_rates, wilson_rate
from clipaudit.stats.multiple import correct
from clipaudit.stats.power import mde_null
from clipaudit_audits.social_bias import rate_sentences as say
from clipaudit_audits.social_bias.disparity_measures import LEAST_UNITS, Compared
from clipaudit_audits.social_bias.groups import Grouping

Role = Literal["primary", "secondary", "preset"]
VARIANCE = "between_group_variance"


@dataclass(frozen=True)
class Rate:
    """What is counted. rate, gap: names of metrics; does: what the model does, in words ("gives a label"); about:
    further keys of the subgroup; least: distinct images that a group needs to be compared."""

    spec: AuditSpec
    rate: str
    gap: str
    does: str
    least: int
    cluster_key: str | None = None
    about: Mapping[str, str] = field(default_factory=dict)

    def make(self, metric: str, title: str, value: float | None, subgroup: Mapping[str, str], **more: Any) -> Estimate:
        """An estimate of one of the spec's metrics."""
        spec = self.spec.metric(metric)
        return Estimate(
            metric=metric, title=title, value=value, unit=spec.unit, direction=spec.direction,
            subgroup={**subgroup, **self.about}, null_value=spec.null_value, cluster_key=self.cluster_key, **more,
        )  # fmt: skip

    def title(self, metric: str, of: str) -> str:
        """With what it is about: "Harmful label, crime-related: Black (race)"."""
        name = ", ".join([self.spec.metric(metric).title, *self.about.values()])
        return f"{name}: {of}"


def overall(rate: Rate, values: NDArray[np.bool_], clusters: Ints, title: str, role: Role, **more: Any) -> Estimate:
    """The rate over all items: values, clusters (n,). Without a sentence."""
    n = len(values)
    if not n:
        return rate.make(rate.rate, title, None, {}, n=0, role=role, status=Status.TOO_SMALL, **more)
    found = group_rates(values, np.zeros(n, dtype=np.int64), clusters, 1)
    p, units = float(found.p[0]), int(found.units[0])
    interval = wilson_rate(p, float(found.effective[0]), units == n)
    return rate.make(rate.rate, title, p, {}, n=n, clusters=units, interval=interval, role=role, **more)


def by_group(rate: Rate, compared: Compared, role: Role) -> Iterator[Estimate]:
    """The rate of each group, compared or too small."""
    grouping, rates = compared.grouping, compared.rates
    for i, group in enumerate(compared.names):
        n, units = int(rates.n[i]), int(rates.units[i])
        made = rate.make(
            rate.rate, rate.title(rate.rate, f"{group} ({grouping.name})"), float(compared.value[i]),
            {grouping.label: group}, role=role if compared.large[i] else "secondary", n=n, clusters=units,
            interval=wilson_rate(float(rates.p[i]), float(rates.effective[i]), units == n),
            minimum_detectable=compared.mde[group],
            status=Status.DESCRIBED if compared.large[i] else Status.TOO_SMALL,
        )  # fmt: skip
        yield _said(made, say.group_sentence(made, grouping.label, group, rate.does, rate.least))


def unread(rate: Rate, grouping: Grouping) -> Iterator[Estimate]:
    """Groups without a readable image."""
    for group in grouping.small:
        title = rate.title(rate.rate, f"{group} ({grouping.name})")
        made = rate.make(
            rate.rate, title, None, {grouping.label: group}, role="secondary", n=0, status=Status.TOO_SMALL
        )
        yield _said(made, say.group_sentence(made, grouping.label, group, rate.does, rate.least))


def gap(rate: Rate, compared: Compared, role: Role) -> Estimate:
    """The largest difference between groups; without a sentence where it is tested, for the correction comes first."""
    grouping = compared.grouping
    title, subgroup = rate.title(rate.gap, f"by {grouping.name}"), {"groups": grouping.label}
    if compared.gap is None:
        sentence = say.not_compared(grouping.label, rate.does, rate.least)
        n = int(compared.rates.n.sum())
        return rate.make(rate.gap, title, None, subgroup, role=role, n=n, status=Status.TOO_SMALL, sentence=sentence)
    null = compared.gap.null("gap", 100)
    return rate.make(
        rate.gap, title, 100 * compared.gap.observed["gap"], subgroup, role=role, null=null, test=compared.gap.test,
        interval=_scaled(compared.gap.bound, 100), minimum_detectable=mde_null(null.sd or 0.0) or None,
        notes=_small_note(compared, rate.least), n=int(compared.gap.rates.n.sum()), clusters=compared.units,
    )  # fmt: skip


def variance(rate: Rate, compared: Compared) -> Iterator[Estimate]:
    """The variance between the groups' true rates; nothing where they are not compared."""
    found, grouping = compared.gap, compared.grouping
    if found is None:
        return
    made = rate.make(
        VARIANCE, rate.title(VARIANCE, f"by {grouping.name}"), 1e4 * found.between.value, {"groups": grouping.label},
        role="secondary", interval=_scaled(found.between.interval, 1e4), n=int(found.rates.n.sum()),
        clusters=compared.units,
    )  # fmt: skip
    yield _said(made, say.variance_sentence(made, grouping.label, f"how often the model {rate.does}"))


def corrected(found: Sequence[tuple[Rate, Compared, Estimate]]) -> list[Estimate]:
    """Gaps, corrected over all of them and spoken."""
    estimates = correct([estimate for _, _, estimate in found], "benjamini-hochberg", "gaps")
    return [
        estimate
        if compared.gap is None
        else _said(
            estimate,
            say.gap_sentence(
                estimate, compared.grouping.label, rate.does, compared.extreme(True), compared.extreme(False),
                int((~compared.large).sum()),
            ),
        )
        for estimate, (rate, compared, _) in zip(estimates, found, strict=True)
    ]  # fmt: skip


def _said(estimate: Estimate, sentence: str) -> Estimate:
    return estimate.model_copy(update={"sentence": sentence})


def _scaled(interval: Interval, scale: float) -> Interval:
    low, high = (None if end is None else scale * end for end in (interval.low, interval.high))
    return interval.model_copy(update={"low": low, "high": high})


def _small_note(compared: Compared, least: int) -> tuple[str, ...]:
    small = [name for name, large in zip(compared.names, compared.large, strict=True) if not large]
    if not small:
        return ()
    shown = ", ".join(f"'{name}'" for name in small[:5]) + (f" and {len(small) - 5} more" if len(small) > 5 else "")
    return (f"Not compared, with fewer than {say.enough(least)}: {shown}.",)


def large_groups(grouping: Grouping, clusters: Ints, distinct: Ints, least: int) -> NDArray[np.bool_]:
    """(k,) whether a group has `least` images that differ in `distinct` (n,), of enough clusters (n,): as `compare`."""
    kept, k = grouping.codes >= 0, len(grouping.values)
    different, units = (
        np.bincount(np.unique(np.stack([grouping.codes[kept], one[kept]]), axis=1)[0], minlength=k)
        for one in (distinct, clusters)
    )
    return np.asarray((different >= least) & (units >= min(least, LEAST_UNITS)))


def rates_by_group(values: NDArray[np.bool_], grouping: Grouping) -> Floats:
    """(s, k) means of values (s, n) over the items of each of k groups; NaN for a group without items."""
    kept = grouping.codes >= 0
    member = np.eye(len(grouping.values))[grouping.codes[kept]]
    with np.errstate(invalid="ignore"):
        return np.asarray(values[:, kept].astype(np.float64) @ member / member.sum(axis=0))


def selection(values: NDArray[np.bool_], grouping: Grouping) -> Floats:
    """(k,) fairlearn's selection rate of values (n,) in the grouping's groups."""
    from fairlearn.metrics import MetricFrame, selection_rate

    kept = grouping.codes >= 0
    kinds, counts = np.unique(
        np.stack([grouping.codes[kept], values[kept].astype(np.int64)]), axis=1, return_counts=True
    )
    # fairlearn takes one row alone for a matrix; each twice changes no rate.
    kinds, counts = np.repeat(kinds, 2, axis=1), np.repeat(counts, 2)
    found = MetricFrame(
        metrics=selection_rate, y_true=kinds[1], y_pred=kinds[1], sensitive_features=kinds[0],
        sample_params={"sample_weight": counts},
    )  # fmt: skip
    return np.asarray(found.by_group.sort_index().to_numpy(dtype=np.float64))
