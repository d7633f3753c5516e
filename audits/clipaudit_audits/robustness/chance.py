"""How accurate a model would be if it knew nothing: the labels are dealt out anew. Pure."""

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
    mixed = _mixed(truth, unit)
    rng, draws, parts = np.random.default_rng(seed), np.zeros(N_RESAMPLES), []
    whole = ~mixed[unit]
    if whole.any():
        draws += _whole(chosen[whole], truth[whole], codes(unit[whole].tolist()), len(names), rng)
        parts.append("images" if len(set(clusters)) == len(labels) else "clusters")
    for number in np.flatnonzero(mixed):
        members = np.flatnonzero(unit == number)
        dealt = rng.permuted(np.broadcast_to(truth[members], (N_RESAMPLES, members.size)), axis=1)
        draws += (dealt == chosen[members]).sum(axis=1)
    if mixed.any():
        parts.append("the images of a cluster")
    method = f"labels dealt out anew among {' and among '.join(parts)} ({N_RESAMPLES:,} draws)"
    test = Test(
        p=p_value(draws, float((chosen == truth).sum()), exact=False, alternative="greater"),
        alternative="greater", method=f"Monte-Carlo permutation: {method}", smallest_p=1 / (N_RESAMPLES + 1),
    )  # fmt: skip
    return null_from_draws(draws / len(labels), method), test


def _mixed(truth: NDArray[np.int64], unit: NDArray[np.int64]) -> NDArray[np.bool_]:
    """(k,) whether a cluster's items have several labels."""
    lowest = np.full(unit.max() + 1, np.iinfo(np.int64).max)
    highest = np.full(unit.max() + 1, -1)
    np.minimum.at(lowest, unit, truth)
    np.maximum.at(highest, unit, truth)
    return np.asarray(lowest < highest)


def _whole(
    chosen: NDArray[np.int64], truth: NDArray[np.int64], unit: NDArray[np.int64], m: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """(draws,) hits when whole clusters exchange their labels."""
    k = int(unit.max()) + 1
    votes = np.zeros((k, m + 1))  # the last column: nothing was predicted
    np.add.at(votes, (unit, chosen), 1.0)
    label = np.empty(k, dtype=np.int64)
    label[unit] = truth
    found, step = np.empty(N_RESAMPLES), max(1, _CHUNK // k)
    for start in range(0, N_RESAMPLES, step):
        size = min(step, N_RESAMPLES - start)
        dealt = rng.permuted(np.broadcast_to(label, (size, k)), axis=1)
        found[start : start + size] = votes[np.arange(k), dealt].sum(axis=1)
    return found
