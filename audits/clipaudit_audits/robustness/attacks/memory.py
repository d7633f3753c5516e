"""Batches that fit: halved, once and for all, when memory runs out."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

import torch

from clipaudit.errors import ModelError

_log = logging.getLogger(__name__)
_MESSAGES = ("out of memory", "can't allocate memory", "not enough memory")
_T = TypeVar("_T")


class Pieces:
    """Splits work on n rows into pieces of at most `size` rows. `halvings` counts how often memory ran out."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.halvings = 0

    def map(self, work: Callable[[torch.Tensor], _T], n: int) -> list[_T]:
        """`work(rows)` over rows 0..n-1, rows a LongTensor. Raises ModelError if not even one row fits."""
        parts: list[_T] = []
        done = 0
        while done < n:
            rows = torch.arange(done, min(n, done + self.size))
            part = self._attempt(work, rows)
            if part is None:
                self._halve()
                continue
            parts += part
            done += len(rows)
        return parts

    def _attempt(self, work: Callable[[torch.Tensor], _T], rows: torch.Tensor) -> list[_T] | None:
        """None if memory ran out. A function of its own: the failed pass's tensors are freed before the next."""
        try:
            return [work(rows)]
        except (RuntimeError, MemoryError) as error:
            if isinstance(error, MemoryError) or any(text in str(error).lower() for text in _MESSAGES):
                return None
            raise

    def _halve(self) -> None:
        if self.size == 1:
            raise ModelError("out of memory with a single image in the batch; use a smaller model, or the CPU")
        self.size //= 2
        self.halvings += 1
        _log.warning("out of memory: going on with attack batches of %d", self.size)
