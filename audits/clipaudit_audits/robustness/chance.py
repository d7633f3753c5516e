"""What a model would show if it knew nothing, or if groups meant nothing: labels are dealt out anew. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from clipaudit.results import Null, Test
from clipaudit.stats.clusters import codes
from clipaudit.stats.null import null_from_draws
from clipaudit.stats.permutation import N_RESAMPLES, p_value

_CHUNK = 5_000_000  # labels dealt at once


def by_chance(
    predictions: Sequence[str | None], labels: Sequence[str], clusters: Sequence[str], seed: int
) -> tuple[Null, Test]:
    """Accuracy when labels are dealt out anew, and the one-sided test of the observed one, p = (b + 1) / (m + 1).

    How often each class is predicted and how often it occurs stay as they are, so that a model which says "cat" to
    everything is not taken to know cats. Clusters whose items share one label exchange labels as a whole; in a
    cluster with several labels, its items do. Raises ValueError without items.
    """
    if not labels:
        raise ValueError("accuracy by chance needs at least one item")
    names = {name: i for i, name in enumerate(sorted({*labels, *(p for p in predictions if p is not None)}))}
    chosen = np.array([-1 if p is None else names[p] for p in predictions])
    truth, unit = np.array([names[label] for label in labels]), codes(clusters)
    rng, step = np.random.default_rng(seed), max(1, _CHUNK // len(labels))
    sizes = [min(step, N_RESAMPLES - start) for start in range(0, N_RESAMPLES, step)]
    draws = np.concatenate([(deal(truth, unit, rng, size) == chosen).sum(axis=1) for size in sizes]).astype(float)
    method = f"labels dealt out anew {among(truth, unit)} ({N_RESAMPLES:,} draws)"
    test = Test(
        p=p_value(draws, float((chosen == truth).sum()), exact=False, alternative="greater"),
        alternative="greater", method=f"Monte-Carlo permutation: {method}", smallest_p=1 / (N_RESAMPLES + 1),
    )  # fmt: skip
    return null_from_draws(draws / len(labels), method), test


def deal(values: NDArray[np.int64], unit: NDArray[np.int64], rng: np.random.Generator, draws: int) -> NDArray[np.int64]:
    """(draws, n) `values` (n,) dealt out anew. unit: (n,) cluster numbers from 0.

    Clusters whose items share one value exchange values as a whole, however large they are; in a cluster with several
    values, its items do.
    """
    mixed = _mixed(values, unit)
    of_unit = np.zeros(len(mixed), dtype=np.int64)
    of_unit[unit] = values
    pure = np.flatnonzero(~mixed)
    dealt = np.broadcast_to(of_unit, (draws, len(mixed))).copy()
    dealt[:, pure] = rng.permuted(dealt[:, pure], axis=1)
    found = dealt[:, unit]
    for number in np.flatnonzero(mixed):
        members = np.flatnonzero(unit == number)
        found[:, members] = rng.permuted(np.broadcast_to(values[members], (draws, members.size)), axis=1)
    return found


def among(values: NDArray[np.int64], unit: NDArray[np.int64]) -> str:
    """What `deal` exchanges, in words."""
    mixed, single = _mixed(values, unit), len(values) == int(unit.max()) + 1
    whole = "among images" if single else "among whole clusters"
    inside = "among the images of each cluster"
    return inside if mixed.all() else f"{whole} and {inside}" if mixed.any() else whole


def _mixed(values: NDArray[np.int64], unit: NDArray[np.int64]) -> NDArray[np.bool_]:
    """(k,) whether a cluster's items have several values."""
    lowest = np.full(unit.max() + 1, np.iinfo(np.int64).max)
    highest = np.full(unit.max() + 1, np.iinfo(np.int64).min)
    np.minimum.at(lowest, unit, values)
    np.maximum.at(highest, unit, values)
    return np.asarray(lowest < highest)
