"""Rankings under other labels or other weights of the ranked items: permutation nulls and bootstraps of rank metrics.

A replicate gives every item a group (a permutation of the labels) or a multiplicity (a bootstrap). What all replicates
count up to given ranks is one product of a sparse matrix with a row per query and block of ranks; scipy adds whole rows
of replicates at a time, so there is no loop over replicates, and ranks are never sorted again.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clipaudit.stats.ranking import Floats, discounts

Ints = NDArray[np.integer]

_EXACT_RANKS = 32  # blocks of one rank each
_GROWTH = 8  # later blocks are an eighth of their rank long: KL changes by some per cent within one
_COLUMNS = 512  # replicates x groups in one product
_ENTRIES = 200_000  # counts held by one worker at once


@dataclass(frozen=True)
class Replicates:
    """Metrics of R replicates of q rankings.

    top: (q, K, G, R) counts within the first k of each ranking, interpolated where a replicate's k falls into a block.
    pool: (q or 1, G, R) counts in the whole pool of each ranking.
    ndkl: (T, q, R) for the targets "uniform" and "pool", by quadrature over blocks of ranks; None unless asked for.
    """

    top: Floats
    pool: Floats
    ndkl: Floats | None


def block_ends(depth: int, ks: Sequence[int]) -> NDArray[np.int64]:
    """Ends of the blocks of ranks 1..depth: every rank up to 32, then ever longer blocks; all of `ks` are among them.

    >>> block_ends(48, [40]).tolist()[30:]
    [31, 32, 36, 40, 45, 48]
    """
    ends = [*range(1, min(depth, _EXACT_RANKS) + 1)]
    while ends[-1] < depth:
        ends.append(min(depth, ends[-1] + ends[-1] // _GROWTH))
    return np.array(sorted({*ends, *(k for k in ks if k <= depth)}), dtype=np.int64)


def one_hot(labels: Ints, n_groups: int, weights: Ints | None = None) -> NDArray[np.uint16]:
    """(n, G, R) counts that each item adds: labels (n,) or (n, R), multiplicities `weights` (n, R), 1 without."""
    names = labels[:, None] if labels.ndim == 1 else labels
    hot = names[:, None, :] == np.arange(n_groups)[:, None]
    return np.asarray(hot * (1 if weights is None else weights[:, None, :]), dtype=np.uint16)


def replicates(
    order: Ints,
    columns: NDArray[np.uint16],
    ks: Sequence[int],
    *,
    full: bool,
    with_ndkl: bool = False,
    every_rank: bool = False,
) -> Replicates:
    """Count the tops of all rankings in all replicates.

    Args:
        order: (q, depth) number of the item at each rank; -1 beyond the end of a shorter ranking.
        columns: (n, G, R) what each item adds to each group in each replicate (`one_hot`).
        ks: lengths of the top, each at most `depth`. A bootstrap needs somewhat more depth than k.
        full: `order` holds whole pools, and these may differ. Else it is the head of rankings of all n items.
        with_ndkl: needs `full`.
        every_rank: blocks of one rank, with which NDKL is exact where no item counts more than once.
    """
    n, n_groups, count = columns.shape
    exact = not with_ndkl and int(columns.max(initial=0)) <= 1  # then k items fill the first k ranks
    ends = np.array(sorted({*ks, order.shape[1]})) if exact else block_ends(order.shape[1], ks)
    if every_rank:
        ends = np.arange(1, order.shape[1] + 1)
    padded = np.concatenate([columns, np.zeros((1, n_groups, count), np.uint16)])
    indices = np.where(order < 0, n, order).astype(np.int32)
    per_product = max(1, _COLUMNS // n_groups)
    step = max(1, _ENTRIES // (len(ends) * n_groups * min(per_product, count)))
    pieces = [(a, b) for b in range(0, count, per_product) for a in range(0, len(order), step)]
    top = np.empty((len(order), len(ks), n_groups, count))
    pool = np.empty((len(order) if full else 1, n_groups, count))
    kl = np.empty((2, len(order), count)) if with_ndkl else None
    weights = discounts(int(columns.sum(axis=(0, 1), dtype=np.int64).max(initial=0))) if with_ndkl else None
    if not full:
        pool[0] = columns.sum(axis=0, dtype=np.int64)

    def work(piece: tuple[int, int]) -> None:
        a, b = piece
        rows, cols = slice(a, a + step), slice(b, b + per_product)
        counts = _cumulative(indices[rows], ends, padded[:, :, cols])
        totals = np.add.reduce([counts[:, :, group] for group in range(n_groups)])
        top[rows, :, :, cols] = _at(counts, totals, ks)
        if full:
            pool[rows, :, cols] = counts[:, -1]
        if kl is not None and weights is not None:
            kl[:, rows, cols] = _ndkl(counts, totals, weights)

    if len(pieces) == 1:
        work(pieces[0])
    else:
        with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as workers:
            list(workers.map(work, pieces))
    return Replicates(top, pool, kl)


def _cumulative(indices: Ints, ends: Ints, columns: NDArray[np.uint16]) -> NDArray[np.int32]:
    """(q, J, G, R) counts up to the end of each block of ranks."""
    from scipy.sparse import csr_array

    q, depth = indices.shape
    n, n_groups, count = columns.shape
    starts = (np.arange(q)[:, None] * depth + np.concatenate([[0], ends[:-1]])).ravel()
    pointers = np.append(starts, q * depth).astype(np.int32)
    # The narrowest type in which no block's sum can overflow: twice as many additions at once.
    kind: type[np.uint16] | type[np.int32] = (
        np.uint16 if int(columns.max(initial=0)) * int(np.diff(ends, prepend=0).max()) < 2**16 else np.int32
    )
    ones = np.ones(indices.size, kind)
    blocks: Any = csr_array((ones, indices.ravel(), pointers), shape=(q * len(ends), n))
    sums = blocks @ columns.reshape(n, -1).astype(kind, copy=False)
    return np.cumsum(sums.reshape(q, len(ends), n_groups, count), axis=1, dtype=np.int32)


def _at(counts: NDArray[np.int32], totals: NDArray[np.int32], ks: Sequence[int]) -> Floats:
    """(q, K, G, R) counts when their sum reaches k: (q, J, G, R) linearly within a block. NaN if it never does."""
    result = np.empty((counts.shape[0], len(ks), *counts.shape[2:]))
    for i, k in enumerate(ks):
        block = (totals < k).sum(axis=1, keepdims=True)[:, :, None, :]  # the first whose end reaches k
        reached = np.minimum(block, counts.shape[1] - 1)
        after = np.take_along_axis(counts, reached, axis=1)[:, 0].astype(np.float64)
        before = np.take_along_axis(counts, np.maximum(reached - 1, 0), axis=1)[:, 0] * (reached[:, 0] > 0)
        inside = after - before
        share = (k - before.sum(axis=1)) / np.maximum(inside.sum(axis=1), 1.0)
        result[:, i] = before + inside * share[:, None]
        result[:, i][np.broadcast_to(block[:, 0] == counts.shape[1], inside.shape)] = np.nan
    return result


def _ndkl(counts: NDArray[np.int32], totals: NDArray[np.int32], weights: Floats) -> Floats:
    """(2, q, R) NDKL against uniform and pool shares, by the trapezoid rule within blocks of ranks."""
    logs = np.log(np.maximum(np.arange(len(weights)), 1.0))
    pool = np.log(np.maximum(counts[:, -1] / np.maximum(totals[:, -1:], 1), 1e-300))
    own, against_pool = np.zeros(totals.shape), np.zeros(totals.shape)
    for group in range(counts.shape[2]):  # one group at a time stays in the processor's cache
        each = counts[:, :, group]
        own += each * logs[each]  # a table look-up: every count is a whole number
        against_pool -= each * pool[:, None, group]
    size = np.maximum(totals, 1)
    negative_entropy = own / size - logs[size]
    mass = np.diff(weights[totals], axis=1, prepend=0.0)
    length = np.maximum(np.diff(totals, axis=1, prepend=0), 1)
    left = (length - 1) / (2 * length)  # the mean over ranks 1..m of a line from rank 0 to rank m
    left[:, 0] = 0.0
    results = []
    for cross in (np.log(counts.shape[2]), against_pool / size):
        kl = negative_entropy + cross
        before = np.concatenate([kl[:, :1], kl[:, :-1]], axis=1)
        results.append(((left * before + (1 - left) * kl) * mass).sum(axis=1))
    return np.stack(results) / np.maximum(weights[totals[:, -1]], 1e-300)


def permuted(labels: Ints, blocks: Ints, count: int, rng: np.random.Generator) -> NDArray[np.int16]:
    """(n, count) permutations of `labels` (n,), each within the blocks (n,) only."""
    place = np.argsort(blocks, kind="stable")
    keys = rng.random((len(labels), count)) + blocks[:, None]
    result = np.empty((len(labels), count), np.int16)
    result[place] = labels[keys.argsort(axis=0)]  # both are sorted by block: blocks meet themselves
    return result


def multiplicities(clusters: Ints, strata: Ints, count: int, rng: np.random.Generator) -> NDArray[np.uint16]:
    """(n, count) how often each item is drawn: whole clusters (n,), with replacement, within the strata (n,).

    A cluster belongs to the stratum of its first item.
    """
    names, first, inverse = np.unique(clusters, return_index=True, return_inverse=True)
    home = strata[first]
    drawn = np.zeros((len(names), count), np.uint16)
    for stratum in np.unique(home):
        members = np.flatnonzero(home == stratum)
        m = len(members)
        flat = rng.integers(0, m, size=(count, m)) + m * np.arange(count)[:, None]
        drawn[members] = np.bincount(flat.ravel(), minlength=m * count).reshape(count, m).T
    return drawn[inverse]
