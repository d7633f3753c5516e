"""Outcomes of images under conditions: paired changes, the mean corruption error. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clipaudit.results import GroupsAre, Interval, Test
from clipaudit.stats.bootstrap import bca, bca_mean
from clipaudit.stats.clusters import codes
from clipaudit.stats.paired import paired_permutation
from clipaudit.stats.power import mde_mean
from clipaudit.stimuli.corruption import CLEAN, COMMON
from clipaudit_audits.robustness.labelled import GROUP, heading

Floats = NDArray[np.float64]
Condition = tuple[str, int]  # name and severity


@dataclass(frozen=True)
class Outcomes:
    """n images that could be read under every condition, sorted by id.

    right, same: by condition, (n,) whether the prediction was right, and the same as on the clean image.
    reference: by condition, the reference model's error, where it is known.
    groups: by heading ("gender (annotated)"), each image's group.
    """

    bases: tuple[str, ...]
    clusters: tuple[str, ...]
    right: Mapping[Condition, Floats]
    same: Mapping[Condition, Floats]
    reference: Mapping[Condition, float]
    reference_name: str
    left_out: int
    small: tuple[str, ...]
    groups: Mapping[str, tuple[str, ...]]

    @property
    def clean(self) -> Floats:
        """(n,) right on the clean image."""
        return self.right[CLEAN, 0]

    @property
    def severities(self) -> list[int]:
        """Ascending, without the clean one."""
        return sorted({severity for _, severity in self.right} - {0})

    def corruptions(self, names: Sequence[str]) -> list[str]:
        """Those of `names` that were shown, in their order."""
        shown = {name for name, _ in self.right}
        return [name for name in names if name in shown]

    def among(self, chosen: NDArray[np.bool_]) -> Outcomes:
        """The images where `chosen` (n,) is true."""
        kept = np.flatnonzero(chosen)
        return replace(
            self,
            bases=tuple(self.bases[i] for i in kept),
            clusters=tuple(self.clusters[i] for i in kept),
            right={key: values[kept] for key, values in self.right.items()},
            same={key: values[kept] for key, values in self.same.items()},
            groups={name: tuple(values[i] for i in kept) for name, values in self.groups.items()},
        )

    def group(self, heading: str, value: str) -> NDArray[np.bool_]:
        """(n,) which images are of a group."""
        return np.array([each == value for each in self.groups[heading]], dtype=bool)

    def mean(self, names: Sequence[str]) -> Floats:
        """(n,) share of the corruptions `names`, at all severities, under which each image was named correctly."""
        return np.asarray(np.mean([self.right[name, s] for name in names for s in self.severities], axis=0))


def outcomes(records: Sequence[Mapping[str, Any]], groups_are: GroupsAre = "annotated") -> Outcomes:
    """From rows. An image that failed under one condition is left out of all, so that pairs stay pairs."""
    bad = {r["base"] for r in records if r["error"] is not None}
    good = sorted((r for r in records if r["base"] not in bad), key=lambda r: str(r["base"]))
    cluster = {str(r["base"]): str(r["cluster"]) for r in good}
    number = {base: i for i, base in enumerate(cluster)}
    clean = {str(r["base"]): r["prediction"] for r in good if r["condition"] == CLEAN}
    right: dict[Condition, Floats] = {}
    same: dict[Condition, Floats] = {}
    for r in good:
        key, i = (str(r["condition"]), int(r["severity"])), number[str(r["base"])]
        right.setdefault(key, np.zeros(len(number)))[i] = r["prediction"] == r["label"]
        same.setdefault(key, np.zeros(len(number)))[i] = r["prediction"] == clean[str(r["base"])]
    of = {str(r["base"]): r for r in good}
    columns = [name for name in (good[0] if good else {}) if name.startswith(GROUP)]
    known = {(str(r["condition"]), int(r["severity"])): r for r in good if r["reference_error"] is not None}
    return Outcomes(
        bases=tuple(cluster), clusters=tuple(cluster.values()), right=right, same=same,
        reference={key: float(r["reference_error"]) for key, r in known.items()},
        reference_name=next((str(r["reference"]) for r in known.values()), ""), left_out=len(bad),
        groups={heading(name, groups_are): tuple(str(of[base][name]) for base in cluster) for name in columns},
        small=tuple(dict.fromkeys(sorted(str(r["condition"]) for r in good if r["small"]))),
    )  # fmt: skip


@dataclass(frozen=True)
class Paired:
    """mean(before - after) of paired values, in their unit."""

    value: float
    interval: Interval
    test: Test
    detectable: float | None


def paired(before: Floats, after: Floats, clusters: Sequence[str], seed: int, unit: str) -> Paired:
    """Two values for each image (n,), tested by flipping the signs of whole clusters."""
    differences = before - after
    numbers = codes(clusters)
    means = np.bincount(numbers, weights=differences) / np.bincount(numbers)
    spread = float(means.std(ddof=1)) if len(means) > 1 else 0.0
    interval = bca_mean(differences, clusters, seed, unit=f"{unit}s")
    detectable = mde_mean(spread, len(means)) if spread > 0 else None
    return Paired(float(differences.mean()), interval, paired_permutation(differences, clusters, seed), detectable)


@dataclass(frozen=True)
class MeanError:
    """In per cent. names: the corruptions that it is the mean of; interval of the model's part only."""

    value: float
    relative: float | None
    names: tuple[str, ...]
    interval: Interval


def mean_corruption_error(found: Outcomes, seed: int, unit: str) -> MeanError | None:
    """mCE and relative mCE (Hendrycks & Dietterich 2019, section 3): 100 times the mean over corruptions of
    sum_s E_s / sum_s E_s(reference), and of sum_s (E_s - E_clean) / sum_s (E_s - E_clean)(reference).

    None without a reference. A corruption under which the reference makes no error is left out (of the relative one,
    if it makes no more than on clean images).
    """
    severities, clean = found.severities, found.reference.get((CLEAN, 0))
    known = [n for n in found.corruptions(COMMON) if all((n, s) in found.reference for s in severities)]
    totals = {name: sum(found.reference[name, s] for s in severities) for name in known}
    names = tuple(name for name in known if totals[name] > 0)
    if not names or clean is None:
        return None
    wrong = np.stack([np.sum([1 - found.right[name, s] for s in severities], axis=0) for name in names], axis=1)
    weights = wrong @ np.array([1 / totals[name] for name in names]) / len(names)  # (n,) each image's part
    excess = {name: totals[name] - len(severities) * clean for name in names}
    usable = [i for i, name in enumerate(names) if excess[name] > 0]
    own = wrong.mean(axis=0) - len(severities) * (1 - found.clean.mean())
    relative = float(100 * np.mean([own[i] / excess[names[i]] for i in usable])) if usable else None
    numbers = codes(found.clusters)
    sums, sizes = np.bincount(numbers, weights=weights), np.bincount(numbers).astype(float)
    interval = bca(lambda drawn: 100 * (drawn @ sums) / (drawn @ sizes), len(sums), seed, unit=f"{unit}s")
    return MeanError(float(100 * weights.mean()), relative, names, interval)
