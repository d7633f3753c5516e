"""How many labelled images zero-shot is worth: the probes' accuracies by shots, with intervals over images and splits.

Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clipaudit.results import Interval
from clipaudit.stats.clusters import codes
from clipaudit_audits.robustness.zero_shot_probes import ALL

N_RESAMPLES = 2000
Floats = NDArray[np.float64]
_LEVEL = 0.95


@dataclass(frozen=True)
class Trials:
    """What was right, on the images that zero-shot and the probes share.

    shots: (K,) ascending, ALL last. zero_shot: (n,) 1 where right. probed: (n, K, R) 1 where the probe of that many
    shots was right in that split, each image being tested once in each split. clusters: (n,).
    """

    shots: tuple[int, ...]
    zero_shot: Floats
    probed: Floats
    clusters: tuple[str, ...]

    @property
    def rates(self) -> Floats:
        """(n, K) share of the splits in which each image was right."""
        return np.asarray(self.probed.mean(axis=2))


def trials(records: Iterable[Mapping[str, Any]]) -> Trials | None:
    """From rows; None where there are no probes."""
    used = sorted((r for r in records if r["error"] is None and r["probes"]), key=lambda r: str(r["item"]))
    if not used:
        return None
    shots = sorted({answer["shots"] for r in used for answer in r["probes"]} - {ALL})
    column = {k: i for i, k in enumerate([*shots, ALL])}
    splits = 1 + max(answer["split"] for r in used for answer in r["probes"])
    probed = np.full((len(used), len(column), splits), np.nan)
    for i, record in enumerate(used):
        for answer in record["probes"]:
            probed[i, column[answer["shots"]], answer["split"]] = answer["prediction"] == record["label"]
    zero_shot = np.array([float(r["prediction_shared"] == r["label"]) for r in used])
    return Trials(tuple(column), zero_shot, probed, tuple(str(r["cluster"]) for r in used))


def resampled(found: Trials, seed: int, resamples: int = N_RESAMPLES) -> tuple[Floats, Floats]:
    """(B,) accuracies of zero-shot and (B, K) of the probes, in resamples of clusters and of splits.

    Both are drawn with replacement and independently ("pigeonhole bootstrap", Owen 2007, Ann. Appl. Stat. 1(2)),
    which counts the luck of the images and of the training sets, and is somewhat too wide rather than too narrow.
    """
    unit = codes(found.clusters)
    k = int(unit.max()) + 1
    sums = np.zeros((k, found.probed[0].size))
    np.add.at(sums, unit, found.probed.reshape(len(unit), -1))
    sizes, hits = np.bincount(unit).astype(float), np.bincount(unit, weights=found.zero_shot)
    splits = found.probed.shape[2]
    rng = np.random.default_rng(seed)
    images = rng.multinomial(k, np.full(k, 1 / k), size=resamples).astype(float)
    weights = rng.multinomial(splits, np.full(splits, 1 / splits), size=resamples) / splits
    total = images @ sizes
    probed = np.einsum("bkr,br->bk", (images @ sums).reshape(resamples, -1, splits), weights)
    return images @ hits / total, probed / total[:, None]


def interval(draws: Floats, found: Trials) -> Interval:
    """Central 95 % of draws (B,); an end is open where the draws leave every scale (infinite)."""
    ends = np.quantile(draws, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2], method="nearest")
    low, high = (float(end) if np.isfinite(end) else None for end in ends)
    units, splits = len(set(found.clusters)), found.probed.shape[2]
    method = f"percentile bootstrap over {units:,} units and {splits} splits, {len(draws):,} resamples"
    return Interval(low=low, high=high, level=_LEVEL, method=method)


def worth(level: Floats, curve: Floats, shots: Sequence[int]) -> Floats:
    """(B,) shots at which the probes' accuracy (B, K) first reaches `level` (B,), on a straight line in log(shots).

    -inf where a single shot (the first of `shots`) is already better, inf where no number of shots reaches it.

    >>> worth(np.array([0.5]), np.array([[0.4, 0.6]]), [1, 4]).tolist()
    [2.0]
    """
    reached = curve >= level[:, None]
    first = reached.argmax(axis=1)
    rows, logs = np.arange(len(level)), np.log(np.asarray(shots, dtype=float))
    before = np.maximum(first - 1, 0)
    low, high = curve[rows, before], curve[rows, first]
    with np.errstate(divide="ignore", invalid="ignore"):
        part = np.where(high > low, (level - low) / (high - low), 0.0)
    between = np.exp(logs[before] + part * (logs[first] - logs[before]))
    at_first = np.where(curve[:, 0] > level, -np.inf, float(shots[0]))
    return np.where(~reached.any(axis=1), np.inf, np.where(first == 0, at_first, between))
