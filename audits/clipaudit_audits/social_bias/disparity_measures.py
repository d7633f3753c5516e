"""From answers to rates per group and the gaps between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from clipaudit.stats.gap import Gap, measure_gap
from clipaudit.stats.gap_rates import Floats, Rates, detectable, group_rates
from clipaudit_audits.social_bias.disparity_rows import Answers
from clipaudit_audits.social_bias.groups import Grouping

Mask = NDArray[np.bool_]
RATES = ("selection_rate", "true_positive_rate", "false_positive_rate")
LEAST_UNITS = 10  # natural units of a group: variances between fewer are not worth the name
METRICS = ("accuracy", *RATES)


class Clustered(Protocol):
    """Items that come in natural units: clusters (n,)."""

    @property
    def clusters(self) -> NDArray[np.int64]: ...


@dataclass(frozen=True)
class Outcome:
    """One rate: of the `among` items (n,), those with a true `value` (n,). about: the class; "" for accuracy."""

    metric: str
    about: str
    values: Mask
    among: Mask


@dataclass(frozen=True)
class Compared:
    """One outcome by the groups of one grouping.

    names: groups with an item; value: (k,) fairlearn's rate of each; rates: the same with their covariance. large: (k,)
    whether a group has enough images, of enough natural units. gap: between the large ones; None for fewer than two.
    units: natural units behind the gap. mde: smallest detectable difference from the other large groups.
    """

    grouping: Grouping
    outcome: Outcome
    names: tuple[str, ...]
    value: Floats
    rates: Rates
    large: Mask
    gap: Gap | None
    units: int
    mde: Mapping[str, float | None]

    @property
    def judged(self) -> tuple[str, ...]:
        return tuple(name for name, large in zip(self.names, self.large, strict=True) if large)

    def extreme(self, highest: bool) -> tuple[str, float]:
        """The judged group with the highest (lowest) rate, and that rate; of equals the first in the alphabet."""
        assert self.gap is not None, "asked only where groups are compared"
        p = self.gap.rates.p
        i = int(p.argmax() if highest else p.argmin())
        return self.judged[i], float(p[i])


def accuracy(answers: Answers, predictions: NDArray[np.str_] | None = None) -> Outcome:
    """Whether the annotated class was given."""
    given = answers.predictions if predictions is None else predictions
    return Outcome("accuracy", "", np.asarray(given == answers.targets), answers.readable)


def class_rates(answers: Answers, about: str) -> list[Outcome]:
    """Selection, true and false positive rate of one class."""
    chosen, own = np.asarray(answers.predictions == about), np.asarray(answers.targets == about)
    among = (answers.readable, answers.readable & own, answers.readable & ~own)
    return [Outcome(metric, about, chosen, mask) for metric, mask in zip(RATES, among, strict=True)]


def frame(answers: Answers, grouping: Grouping, about: str) -> dict[str, Floats]:
    """Metric -> (k,) fairlearn's values of the grouping's groups: accuracy, or the rates of the class `about`.

    Items alike in group, annotation and answer are passed as one, weighted by their number: the same rates, sooner.
    """
    from fairlearn import metrics as fair
    from sklearn.metrics import accuracy_score

    kept = grouping.codes >= 0
    truth, given = answers.targets[kept], answers.predictions[kept]
    functions = {name: getattr(fair, name) for name in RATES} if about else {"accuracy": accuracy_score}
    pair = np.stack([truth == about, given == about]) if about else np.unique([truth, given], return_inverse=True)[1]
    kinds, counts = np.unique(
        np.stack([grouping.codes[kept], *pair.reshape(2, -1).astype(np.int64)]), axis=1, return_counts=True
    )
    # fairlearn takes one row alone for a matrix; each twice changes no rate.
    kinds, counts = np.repeat(kinds, 2, axis=1), np.repeat(counts, 2)
    found = fair.MetricFrame(
        metrics=functions, y_true=kinds[1], y_pred=kinds[2], sensitive_features=kinds[0],
        sample_params={name: {"sample_weight": counts} for name in functions},
    )  # fmt: skip
    table = found.by_group.sort_index()
    return {name: table[name].to_numpy(dtype=np.float64) for name in functions}


def compare(
    answers: Clustered,
    grouping: Grouping,
    outcome: Outcome,
    values: Floats,
    least: int,
    seed: int,
    distinct: NDArray[np.int64] | None = None,
) -> Compared | None:
    """An outcome by group; values: (k,) rate of each of the grouping's groups. None where no group has an item.

    A group is large with `least` images that differ in `distinct` (n,), which numbers the images: by default their
    natural units. It needs LEAST_UNITS natural units as well, or `least`, if that is less.
    """
    kept = outcome.among & (grouping.codes >= 0)
    if not kept.any():
        return None
    present, codes = np.unique(grouping.codes[kept], return_inverse=True)
    chosen, clusters = outcome.values[kept], answers.clusters[kept]
    rates = group_rates(chosen, codes, clusters, len(present))
    pairs = np.unique(np.stack([codes, (answers.clusters if distinct is None else distinct)[kept]]), axis=1)
    different = np.bincount(pairs[0], minlength=len(present))
    large = (different >= least) & (rates.units >= min(least, LEAST_UNITS))
    names = tuple(grouping.values[i] for i in present)
    gap, mde, units = None, dict.fromkeys(names), 0
    if large.sum() > 1:
        inside = large[codes]
        renumbered = (np.cumsum(large) - 1)[codes[inside]]
        stream = METRICS.index(outcome.metric) if outcome.metric in METRICS else 0  # another audit's rate
        gap = measure_gap(chosen[inside], renumbered, clusters[inside], int(large.sum()), seed, stream)
        units = len(np.unique(clusters[inside]))
        judged = [name for name, one in zip(names, large, strict=True) if one]
        mde |= dict(zip(judged, detectable(gap.rates), strict=True))
    return Compared(grouping, outcome, names, values[present], rates, large, gap, units, mde)


def reported_classes(answers: Answers, names: Sequence[str]) -> tuple[str, ...]:
    """The classes whose rates are reported. Of two, the first, where each image was given one of them: the other's
    rates then are one minus these."""
    either = np.isin(answers.predictions[answers.readable], names).all()
    return tuple(names[:1] if len(names) == 2 and either else names)
