"""The audit's numbers, from flags per image: shares, paired changes, and the written word against chance. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clipaudit.results import Interval, Null, Test
from clipaudit.stats.bootstrap import bca_mean
from clipaudit.stats.intervals import wilson
from clipaudit.stats.null import null_from_draws
from clipaudit.stats.paired import mcnemar_exact, paired_permutation
from clipaudit.stats.permutation import N_RESAMPLES, p_value
from clipaudit.stats.power import mde_paired

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Share:
    """A proportion (None without items) with its interval."""

    value: float | None
    interval: Interval
    n: int
    clusters: int


@dataclass(frozen=True)
class Change:
    """mean(before) - mean(after) of paired flags, tested; `detectable` with 80 % power at this rate of change."""

    value: float | None
    interval: Interval
    test: Test | None
    detectable: float | None
    n: int
    clusters: int


def share(flags: Flags, clusters: Sequence[str], seed: int) -> Share:
    """Share of true flags (n,). Wilson where every item is its own cluster, else BCa over clusters."""
    n, units = len(flags), len(set(clusters))
    value = float(flags.mean()) if n else None
    if units == n:
        return Share(value, wilson(int(flags.sum()), n), n, units)
    interval = bca_mean(flags.astype(float), clusters, seed, unit="clusters")
    if interval.low is None:  # all alike: bounded by the number of clusters
        bound = wilson(units if flags.any() else 0, units)
        interval = bound.model_copy(update={"method": f"Wilson over {units:,} clusters (all items alike)"})
    return Share(value, interval, n, units)


def change(before: Flags, after: Flags, clusters: Sequence[str], seed: int) -> Change:
    """Paired flags (n,): McNemar exact where every item is its own cluster, else sign flips of whole clusters."""
    n, units = len(before), len(set(clusters))
    if n == 0:
        return Change(None, Interval(low=None, high=None, method="no interval: no items"), None, None, 0, 0)
    differences = before.astype(float) - after.astype(float)
    if units == n:
        test = mcnemar_exact(int((before & ~after).sum()), int((after & ~before).sum()))
        interval = bca_mean(differences, None, seed, unit="images")
    else:
        test = paired_permutation(differences, clusters, seed)
        interval = bca_mean(differences, clusters, seed, unit="clusters")
    if interval.low is None:
        interval = _alike(float(differences[0]), units)
    return Change(
        float(differences.mean()), interval, test, _detectable(units, float(np.abs(differences).mean())), n, units
    )


def _detectable(units: int, changed: float) -> float | None:
    """Net change shown with 80 % power where a share `changed` changes at all (more if the net change needs more)."""
    for discordant in np.linspace(changed, 1, 1001):
        found = mde_paired(units, float(discordant))
        if found is not None:
            return found
    return None


def _alike(difference: float, units: int) -> Interval:
    """Bounds where all `units` changed alike: the share that changes otherwise is at most 1 - L, L by Wilson."""
    sure = wilson(units, units).low or 0.0
    low, high = difference * sure - (1 - sure), difference * sure + (1 - sure)
    method = f"Wilson bound on a unit that differs (all {units:,} alike)"
    return Interval(low=max(-1.0, low), high=min(1.0, high), method=method)


def by_chance(
    winners: Sequence[Collection[str]], written: Sequence[str], labels: Sequence[str], seed: int
) -> tuple[Null, Test] | None:
    """How often the written word would win if the words were dealt out anew within each label.

    What is written then cannot matter, but which class is mistaken for which still does. None where less than half of
    the items have a label with two different words, so that little can be dealt. p is (b + 1) / (m + 1), one-sided.

    Args:
        winners: of each item, all words that win whether or not they are written on it: the prediction alone, or every
            word (of those of its label) that scores above the label.
        written, labels: (n,) of the items.
        seed: of the dealing.
    """
    names, rng = np.asarray(labels), np.random.default_rng(seed)
    draws, free, observed = np.zeros(N_RESAMPLES), 0, 0
    for name in np.unique(names):
        members = np.flatnonzero(names == name).tolist()
        words = [written[j] for j in members]
        free += len(members) if len(set(words)) > 1 else 0
        wins = np.array([[word in winners[i] for word in words] for i in members])
        order = np.arange(len(members))
        dealt = rng.permuted(np.broadcast_to(order, (N_RESAMPLES, len(members))), axis=1)
        draws += wins[order, dealt].sum(axis=1)
        observed += int(wins.diagonal().sum())
    if 2 * free < len(names) or not free:
        return None
    method = f"written words dealt out anew within each label ({N_RESAMPLES:,} draws)"
    test = Test(
        p=p_value(draws, float(observed), exact=False, alternative="greater"),
        alternative="greater",
        method=f"Monte-Carlo permutation: {method}",
        smallest_p=1 / (N_RESAMPLES + 1),
    )
    return null_from_draws(draws / len(names), method), test
