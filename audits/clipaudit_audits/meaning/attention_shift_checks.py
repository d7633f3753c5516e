"""Whether the maps can be believed: they must beat random orders, and must change with the weights. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from clipaudit.numbers import counted, fixed, interval_text
from clipaudit.results import Estimate, Interval, Status
from clipaudit.stats.bootstrap import bca_mean
from clipaudit_audits.meaning import attention_shift_measures as measures
from clipaudit_audits.meaning.attention_shift_choices import ACCURATE, CHECKED_ROLES
from clipaudit_audits.meaning.attention_shift_items import Item

if TYPE_CHECKING:
    from clipaudit.contract import MetricSpec

MOST_ALIKE = 0.5  # rank correlation to the map of shuffled weights from which a map shows the picture, not the model


class Checks:
    """The check estimates, and what they say against findings."""

    def __init__(self, found: Sequence[Item], specs: Mapping[str, MetricSpec], seed: int) -> None:
        self._seed, self._specs = seed, specs
        self.faithful = {role: self._faithful(found, role) for role in CHECKED_ROLES}
        occlusion = found[0].rows[ACCURATE]["method"] == "occlusion"
        self.occlusion = None if occlusion else self._agreement(found, "occlusion", "occlusion_agreement")
        self.shuffled = None if occlusion else self._agreement(found, "shuffled", "shuffled_agreement")

    @property
    def estimates(self) -> list[Estimate]:
        return [e for e in (*self.faithful.values(), self.occlusion, self.shuffled) if e is not None]

    def against(self, *roles: str) -> list[str]:
        """Reasons not to believe maps of these roles; none where they passed."""
        reasons = []
        for role in roles:
            status = self.faithful[role].status
            if status is Status.TOO_SMALL:
                reasons.append(f"too few images were checked to believe the maps of the {role} prompt")
            elif status is Status.INCONCLUSIVE:
                reasons.append(f"the maps of the {role} prompt are not shown to beat covering patches at random")
        if self.shuffled is not None and self.shuffled.status is Status.INCONCLUSIVE:
            reasons.append("the maps hardly change when the weights are shuffled")
        return reasons

    def _faithful(self, found: Sequence[Item], role: str) -> Estimate:
        spec = self._specs["faithfulness"]
        pairs = [(gain, item.cluster) for item in found if (gain := item.gain(role)) is not None]
        values, interval = self._mean(pairs)
        passed = interval.low is not None and interval.low > 0
        said = "changes the score more than" if passed else "is not shown to change the score more than"
        value = float(np.mean(values)) if values else None
        text = "" if value is None else f" by {fixed(value, 3)} {interval_text(interval.low, interval.high)}"
        return self._check(
            spec, {"prompt": role}, value, interval, pairs, passed,
            f"Covering patches in the order of the {role} prompt's map {said} covering them at "
            f"random{text}; {counted(len(values), 'image')}.",
        )  # fmt: skip

    def _agreement(self, found: Sequence[Item], column: str, metric: str) -> Estimate:
        spec = self._specs[metric]
        measure = measures.correlation if column == "occlusion" else measures.rank_correlation
        pairs = [(r, item.cluster) for item in found if (r := item.agreement(column, measure)) is not None]
        values, interval = self._mean(pairs)
        value = float(np.mean(values)) if values else None
        passed = column == "occlusion" or (value is not None and value < MOST_ALIKE)
        other = "occlusion" if column == "occlusion" else "the same network with shuffled weights"
        what = "patches" if column == "occlusion" else "order of patches"
        text = "undefined" if value is None else f"{fixed(value, 2)} {interval_text(interval.low, interval.high)}"
        return self._check(
            spec, {}, value, interval, pairs, passed,
            f"The correlation of the maps' {what} with those of {other} is {text}; {counted(len(values), 'image')}.",
        )  # fmt: skip

    def _mean(self, pairs: Sequence[tuple[float, str]]) -> tuple[list[float], Interval]:
        values = [value for value, _ in pairs]
        if not values:
            return values, Interval(low=None, high=None, method="no interval: no image was checked")
        return values, bca_mean(values, [cluster for _, cluster in pairs], self._seed, unit="images")

    def _check(
        self, spec: MetricSpec, subgroup: Mapping[str, str], value: float | None, interval: Interval,
        pairs: Sequence[tuple[float, str]], passed: bool, sentence: str,
    ) -> Estimate:  # fmt: skip
        status = Status.DESCRIBED if passed else Status.INCONCLUSIVE
        return Estimate(
            metric=spec.name, title=spec.title, value=value, unit=spec.unit, direction=spec.direction, role="control",
            subgroup=subgroup, interval=interval, n=len(pairs), clusters=len({c for _, c in pairs}),
            cluster_key=spec.cluster_key, null_value=spec.null_value, sentence=sentence,
            status=Status.TOO_SMALL if len(pairs) < spec.min_n else status,
        )  # fmt: skip
