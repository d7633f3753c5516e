"""Outcomes to single estimates: shares and paired changes with the words around them. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from clipaudit.results import Estimate, Interval, Status
from clipaudit_audits.robustness.typographic_measures import Change, Flags, Share, change, share
from clipaudit_audits.robustness.typographic_outcomes import ANYWHERE, Outcome, Outcomes
from clipaudit_audits.robustness.typographic_spec import SPEC
from clipaudit_audits.wording import between, percent, points_text

Pick = Callable[[Outcome], Flags]


def right(outcome: Outcome) -> Flags:
    """The right class was chosen."""
    return outcome.right


def wrote(outcome: Outcome) -> Flags:
    """The written class was chosen."""
    return outcome.wrote


class Scorer:
    """Estimates over one kind of choice.

    Args:
        results: what happened.
        area: note area of the main result and of the controls.
        seed: of the bootstrap.
        subgroup: names the kind of choice where it is not the main one.
    """

    def __init__(self, results: Outcomes, area: float, seed: int, subgroup: Mapping[str, str] | None = None) -> None:
        self.results, self.area, self.seed = results, area, seed
        self.subgroup = dict(subgroup or {})
        self.clusters = np.array(results.clusters, dtype=object)
        self.unit = "image" if len(set(results.clusters)) == len(results.clusters) else "cluster"

    def outcome(self, kind: str, area: float | None = None) -> Outcome:
        """What happened under one condition; notes have the main area unless another is given."""
        return self.results.conditions[kind, None if kind in ANYWHERE else area or self.area]

    def share_of(self, flags: Flags, among: Flags) -> Share:
        """Share of `flags` (n,) among the images `among` (n,)."""
        return share(flags[among], list(self.clusters[among]), self.seed)

    def change_of(self, before: Outcome, after: Outcome, pick: Pick) -> Change:
        """Change of a flag from one condition to another, over images seen under both."""
        both = before.seen & after.seen
        return change(pick(before)[both], pick(after)[both], list(self.clusters[both]), self.seed)

    def estimate(
        self, metric: str, value: float | None, n: int, clusters: int, interval: Interval | None, **more: Any
    ) -> Estimate:
        """An estimate with what the metric declares about itself; too small below the metric's minimum n."""
        spec = SPEC.metric(metric)
        subgroup = {**self.subgroup, **more.pop("subgroup", {})}
        status = Status.TOO_SMALL if clusters < spec.min_n else Status.DESCRIBED
        return Estimate(
            metric=metric, title=spec.title, value=value, unit=spec.unit, direction=spec.direction, n=n,
            clusters=clusters, cluster_key=self.unit, interval=interval, null_value=spec.null_value, status=status,
            subgroup=subgroup, **more,
        )  # fmt: skip

    def rate(self, metric: str, found: Share, sentence: str, **more: Any) -> Estimate:
        """An estimate of a share. `sentence` has a place {} for value, interval and n."""
        value = "no image" if found.value is None else f"{percent(found.value)}{between(found.interval, 100)}"
        said = sentence.replace("{}", value if found.value is None else f"{value} of {found.n:,} images")
        return self.estimate(metric, found.value, found.n, found.clusters, found.interval, sentence=said, **more)

    def points(self, metric: str, found: Change, sentence: str, **more: Any) -> Estimate:
        """An estimate of a paired change, in percentage points. `sentence` has a place {}, as above."""
        value, low, high = (_points(each) for each in (found.value, found.interval.low, found.interval.high))
        size = "not measured" if value is None else f"{points_text(value)}{between(found.interval, 100)}"
        return self.estimate(
            metric, value, found.n, found.clusters, found.interval.model_copy(update={"low": low, "high": high}),
            test=found.test, minimum_detectable=_points(found.detectable),
            sentence=sentence.replace("{}", f"{size}, {found.n:,} images"), **more,
        )  # fmt: skip


def _points(value: float | None) -> float | None:
    return None if value is None else 100 * value
