"""How items are grouped for a forward pass, so that an item's embedding does not depend on what else was asked for.

Batch shapes change the order of floating-point sums: one image alone gives other last bits than the same image among
32. Three rules keep results identical whatever was cached, interrupted or asked for before: batches are padded to a
multiple of `MULTIPLE` rows (from there on a row's bits change neither with the batch nor with its place in it, for
towers whose widths are multiples of 8, as all published ones are), texts share a batch only with texts of the same
length (so that cutting the batch at its longest text cuts each at its own), and padding repeats a row of the batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from clipaudit.errors import ModelError

MULTIPLE = 8
_MEMORY_MESSAGES = ("out of memory", "can't allocate memory", "not enough memory")


def padded(n: int, limit: int) -> list[int]:
    """Row numbers 0..n-1, the last repeated up to a multiple of `MULTIPLE` (or of `limit`, if that is smaller).

    >>> padded(6, 32)
    [0, 1, 2, 3, 4, 5, 5, 5]
    """
    return [*range(n), *[n - 1] * (-n % min(MULTIPLE, limit))]


def by_length(lengths: Sequence[int], size: int) -> Iterator[list[int]]:
    """Batches of at most `size` positions, each of one length, short ones first.

    >>> list(by_length([5, 4, 5, 5], 2))
    [[1], [0, 2], [3]]
    """
    order = sorted(range(len(lengths)), key=lambda i: lengths[i])
    for _, group in groupby(order, key=lambda i: lengths[i]):
        members = list(group)
        for start in range(0, len(members), size):
            yield members[start : start + size]


def unit_rows(vectors: NDArray[np.floating]) -> NDArray[np.float32]:
    """(n, d) rows divided by their norm, in float64; rows of zero or non-finite length become NaN."""
    exact = np.asarray(vectors, np.float64)
    norms = np.linalg.norm(exact, axis=1, keepdims=True)
    norms[~(np.isfinite(norms) & (norms > 0))] = np.nan
    return np.asarray(exact / norms, np.float32)


def with_lengths(vectors: NDArray[np.floating]) -> NDArray[np.float32]:
    """(n, d) rows as (n, d + 1): `unit_rows`, and in the last column the length of each row before; NaN as there."""
    unit = unit_rows(vectors)
    lengths = np.linalg.norm(np.asarray(vectors, np.float64), axis=1)
    lengths[np.isnan(unit).any(axis=1)] = np.nan
    return np.column_stack([unit, lengths.astype(np.float32)])


class BatchLimit:
    """The largest batch that memory allows: halved, once and for all, each time a forward pass does not fit.

    `on_halved` is told the size that turned out to fit.
    """

    def __init__(self, size: int, on_halved: Callable[[int], None]) -> None:
        self.size = size
        self._on_halved = on_halved

    def run(self, forward: Callable[[list[int]], NDArray[np.floating]], n: int) -> NDArray[np.floating]:
        """`forward(rows)` over rows 0..n-1 in pieces that fit. Raises ModelError if a single row does not."""
        parts: list[NDArray[np.floating]] = []
        allowed = self.size
        done = 0
        while done < n:
            count = min(self.size, n - done)
            part = self._attempt(forward, [done + row for row in padded(count, self.size)])
            if part is None:
                self._halve()
                continue
            if self.size < allowed:
                allowed = self.size
                self._on_halved(allowed)
            parts.append(part[:count])
            done += count
        return np.concatenate(parts)

    def _attempt(
        self, forward: Callable[[list[int]], NDArray[np.floating]], rows: list[int]
    ) -> NDArray[np.floating] | None:
        """None if memory ran out. A function of its own: the failed pass's tensors are freed before the next."""
        try:
            return forward(rows)
        except (RuntimeError, MemoryError) as error:
            if isinstance(error, MemoryError) or any(text in str(error).lower() for text in _MEMORY_MESSAGES):
                return None
            raise

    def _halve(self) -> None:
        if self.size == 1:
            raise ModelError("out of memory with a single item in the batch; use a smaller model, or the CPU")
        self.size //= 2
