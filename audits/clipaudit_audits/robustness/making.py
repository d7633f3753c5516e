"""From a share or a paired change to an estimate with the words around it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from clipaudit.contract import AuditSpec
from clipaudit.results import Estimate, Interval, Status
from clipaudit_audits.robustness.typographic_measures import Change, Share
from clipaudit_audits.wording import between, percent, points_text


@dataclass(frozen=True)
class Maker:
    """Makes estimates of the metrics that `spec` declares. unit: what the clusters are ("image", "identity")."""

    spec: AuditSpec
    unit: str = "image"

    def estimate(
        self, metric: str, value: float | None, n: int, clusters: int, interval: Interval | None, **more: Any
    ) -> Estimate:
        """An estimate with what the metric declares about itself; too small below the metric's minimum n."""
        declared = self.spec.metric(metric)
        status = more.pop("status", Status.TOO_SMALL if clusters < declared.min_n else Status.DESCRIBED)
        return Estimate(
            metric=metric, title=more.pop("title", declared.title), value=value, unit=declared.unit,
            direction=more.pop("direction", declared.direction), n=n, clusters=clusters, cluster_key=self.unit,
            interval=interval, null_value=more.pop("null_value", declared.null_value), status=status, **more,
        )  # fmt: skip

    def rate(self, metric: str, found: Share, sentence: str, **more: Any) -> Estimate:
        """An estimate of a share. `sentence` has a place {} for value, interval and n."""
        value = "no image"
        if found.value is not None:
            value = f"{percent(found.value)}{between(found.interval, 100)} of {found.n:,} images"
        said = sentence.replace("{}", value)
        return self.estimate(metric, found.value, found.n, found.clusters, found.interval, sentence=said, **more)

    def points(self, metric: str, found: Change, sentence: str, **more: Any) -> Estimate:
        """An estimate of a paired change, in points. `sentence` has a place {}, as above."""
        value = hundredfold(found.value)
        size = "not measured" if value is None else f"{points_text(value)}{between(found.interval, 100)}"
        return self.estimate(
            metric, value, found.n, found.clusters, in_points(found.interval), test=found.test,
            minimum_detectable=hundredfold(found.detectable),
            sentence=sentence.replace("{}", f"{size}, {found.n:,} images"), **more,
        )  # fmt: skip


def hundredfold(value: float | None) -> float | None:
    """A proportion as points."""
    return None if value is None else 100 * value


def in_points(interval: Interval) -> Interval:
    """An interval of proportions in points."""
    return interval.model_copy(update={"low": hundredfold(interval.low), "high": hundredfold(interval.high)})


def unit_of(clusters: int, items: int) -> str:
    """What the clusters are called: "image" where each item is its own."""
    return "image" if clusters == items else "cluster"
