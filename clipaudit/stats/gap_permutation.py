"""Rates of groups when groups mean nothing: labels of natural units are permuted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clipaudit.stats.gap_rates import Floats, Ints

N_DRAWS = 4000
_ENTRIES = 20_000_000  # items x draws that are sorted at most: two seconds
_CHUNK = 2_000_000


@dataclass(frozen=True)
class Permuted:
    """rates: (draws, k) under permutation. method: what was permuted, in words."""

    rates: Floats
    method: str


def permuted_rates(
    values: NDArray[np.bool_], groups: Ints, clusters: Ints, k: int, rng: np.random.Generator, draws: int = N_DRAWS
) -> Permuted:
    """Rates of `values` (n,) in k groups (n,) after permuting groups, `draws` times.

    Whole clusters (n,) change places among the clusters that lie in one group; where a cluster holds several groups,
    its own items change places. Nothing is permuted one draw at a time: clusters of one kind (items, successes) are
    interchangeable, so a permutation is a random table of kinds x groups with both margins fixed.
    """
    number, first = np.unique(clusters, return_index=True, return_inverse=True)[1:][::-1]
    size = len(first)
    spans = np.bincount(number, weights=groups != groups[first][number], minlength=size) > 0
    inside = spans[number]
    if inside.any():
        draws = int(np.clip(_ENTRIES // inside.sum(), 500, draws))
    hits, items = np.zeros((draws, k)), np.zeros((draws, k))
    if not spans.all():
        one = ~inside
        sizes = np.bincount(number[one], minlength=size)[~spans]
        successes = np.bincount(number[one], weights=values[one], minlength=size)[~spans].astype(np.int64)
        whole = _whole(sizes, successes, groups[first][~spans], k, rng, draws)
        hits, items = hits + whole[0], items + whole[1]
    if inside.any():
        hits += _within(values[inside], groups[inside], number[inside], k, rng, draws)
        items += np.bincount(groups[inside], minlength=k)
    with np.errstate(divide="ignore", invalid="ignore"):
        rates = hits / items
    return Permuted(rates, f"{_words(size == len(values), spans)} permuted {draws:,} times")


def _words(single: bool, spans: NDArray[np.bool_]) -> str:
    if single:
        return "images"
    if spans.all():
        return "images within clusters"
    return "whole clusters, and images within clusters that hold several groups," if spans.any() else "whole clusters"


def _whole(
    sizes: Ints, successes: Ints, groups: Ints, k: int, rng: np.random.Generator, draws: int
) -> tuple[Floats, Floats]:
    """(draws, k) successes and items when clusters of these sizes change places; groups: (c,) of the clusters."""
    from scipy.stats import random_table

    kinds, counts = np.unique(np.stack([sizes, successes]), axis=1, return_counts=True)
    places = np.bincount(groups, minlength=k)
    if kinds.shape[1] == 1:
        tables = np.broadcast_to(places, (draws, 1, k)).astype(np.float64)
    else:
        tables = random_table.rvs(counts, places, size=draws, random_state=rng)
    hits, items = (np.einsum("t,dtk->dk", kind.astype(np.float64), tables) for kind in kinds[::-1])
    return hits, items


def _within(
    values: NDArray[np.bool_], groups: Ints, clusters: Ints, k: int, rng: np.random.Generator, draws: int
) -> Floats:
    """(draws, k) successes when items change places within their clusters: each cluster's values in random order."""
    order = np.argsort(clusters, kind="stable")
    values, groups, clusters = values[order], groups[order], clusters[order]
    by_group = np.argsort(groups, kind="stable")
    present, starts = np.unique(groups[by_group], return_index=True)
    found = np.zeros((draws, k))
    step = max(1, _CHUNK // len(values))
    for start in range(0, draws, step):
        count = min(step, draws - start)
        shuffled = np.argsort(clusters + rng.random((count, len(values))), axis=1)
        mixed = values[shuffled][:, by_group].astype(np.int64)
        found[start : start + count, present] = np.add.reduceat(mixed, starts, axis=1)
    return found


def spreads(rates: Floats) -> dict[str, Floats]:
    """Over the last axis of rates (..., k): gap = max - min, ratio = min / max, shortfall = mean - min.

    The ratio of a maximum of 0 is 1: all are equal.

    >>> {name: round(float(value), 3) for name, value in spreads(np.array([0.8, 0.6, 1.0])).items()}
    {'gap': 0.4, 'ratio': 0.6, 'shortfall': 0.2}
    """
    low, high = rates.min(axis=-1), rates.max(axis=-1)
    ratio = np.where(high > 0, low / np.where(high > 0, high, 1.0), 1.0)
    return {"gap": high - low, "ratio": ratio, "shortfall": rates.mean(axis=-1) - low}
