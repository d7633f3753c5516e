"""Rows to single estimates. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from clipaudit.results import Direction, Estimate, Interval, Reference, Status
from clipaudit.stats.bootstrap import bca_mean
from clipaudit_audits.robustness.adversarial_spec import SPEC
from clipaudit_audits.robustness.typographic_measures import Share, share
from clipaudit_audits.wording import between, percent

if TYPE_CHECKING:
    import pyarrow as pa

Row = Mapping[str, Any]
Role = str
NORMS = {"linf": "L-infinity", "l2": "L2", "patch": "one square"}


def readable(rows: pa.Table) -> list[Row]:
    """Rows without an error, in an order of their own."""
    kept = [row for row in rows.drop_columns(["pictures"]).to_pylist() if row["error"] is None]
    return sorted(kept, key=lambda row: (row["kind"], row["norm"] or "", row["eps"] or 0.0, row["item"]))


def of_kind(rows: Sequence[Row], kind: str, eps: float | None = None) -> list[Row]:
    """Rows of one kind, at one radius where it is given."""
    return [row for row in rows if row["kind"] == kind and (eps is None or row["eps"] == eps)]


def radii(rows: Sequence[Row], kind: str) -> list[float]:
    """Radii of one kind, ascending."""
    return sorted({row["eps"] for row in of_kind(rows, kind)})


def radius_text(norm: str, eps: float) -> str:
    """A radius for readers.

    >>> radius_text("linf", 0.25 / 255), radius_text("l2", 0.5), radius_text("patch", 0.05)
    ('0.25/255', '0.5', '5.0 % of the image')
    """
    if norm == "patch":
        return f"{percent(eps)} of the image"
    return f"{eps * 255:.4g}/255" if norm == "linf" else f"{eps:.4g}"


@dataclass(frozen=True)
class Scorer:
    """Estimates over rows; `failed` are the checks of this cell that did not hold."""

    seed: int
    failed: tuple[str, ...] = ()

    def share_of(self, rows: Sequence[Row], flag: Callable[[Row], bool]) -> Share:
        """Share of rows with a flag; clusters as the rows say."""
        return share(np.array([flag(row) for row in rows], bool), [row["cluster"] for row in rows], self.seed)

    def rate(self, metric: str, found: Share, said: str, **more: Any) -> Estimate:
        """A proportion; `said` has {} for its value, and n is added."""
        value = "no image" if found.value is None else percent(found.value)
        sentence = f"{said.format(value + between(found.interval, 100))} (n = {found.n})."
        return self.estimate(metric, found.value, found.interval, found.n, found.clusters, sentence, **more)

    def points(self, metric: str, found: Share, said: str, **more: Any) -> Estimate:
        """A share of images lost, in points."""
        ends = {e: None if (v := getattr(found.interval, e)) is None else 100 * v for e in ("low", "high")}
        interval = found.interval.model_copy(update=ends)
        value = None if found.value is None else 100 * found.value
        shown = "undefined" if value is None else f"{value:.1f} points{between(interval)}"
        return self.estimate(
            metric, value, interval, found.n, found.clusters, f"{said.format(shown)} (n = {found.n}).", **more
        )

    def mean(self, metric: str, rows: Sequence[Row], column: str, said: str, **more: Any) -> Estimate:
        """Mean of a column."""
        values = np.array([row[column] for row in rows], float)
        clusters = [row["cluster"] for row in rows]
        value = float(values.mean()) if len(values) else None
        none = Interval(low=None, high=None, method="no interval: no items")
        interval = bca_mean(values, clusters, self.seed) if len(values) else none
        shown = "undefined" if value is None else f"{value:.3f}{between(interval)}"
        return self.estimate(
            metric,
            value,
            interval,
            len(values),
            len(set(clusters)),
            f"{said.format(shown)} (n = {len(values)}).",
            **more,
        )

    def estimate(
        self, metric: str, value: float | None, interval: Interval, n: int, clusters: int, sentence: str, **more: Any
    ) -> Estimate:
        """Name, unit and direction as declared; too small below the declared n, inconclusive where a check failed."""
        spec = SPEC.metric(metric)
        control = more.get("role") == "control"
        status = Status.TOO_SMALL if n < spec.min_n else Status.DESCRIBED
        notes = tuple(more.pop("notes", ()))
        if self.failed and not control:
            status, notes = Status.INCONCLUSIVE, (*notes, *self.failed)
            sentence += " Inconclusive: a check of the measurement failed."
        return Estimate(
            metric=metric, title=spec.title, value=value, unit=spec.unit, interval=interval, n=n, clusters=clusters,
            direction=Direction.DESCRIPTIVE if control else spec.direction, status=status, notes=notes,
            sentence=sentence, **more,
        )  # fmt: skip


def reference(label: str, found: Share) -> tuple[Reference, ...]:
    """A share of this run to set another beside."""
    return () if found.value is None else (Reference(label=label, value=found.value, source="this run"),)
