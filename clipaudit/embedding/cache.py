"""Embeddings by content, shared by audits, runs and processes: nothing is embedded twice with one model.

The key is (model fingerprint, versions of the packages that compute, modality, content digest). Below the cache folder
each model and modality has a folder of immutable shards (`shards`), written at batch boundaries and merged, by one
process at a time, when the cache is closed. There is no other file: the digests in the shards are the index, so
processes that share a folder cannot contradict each other.
A damaged shard is dropped and its items are computed again; where nothing can be written, embeddings stay in memory.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

from clipaudit.embedding.computed_by import computed_by
from clipaudit.embedding.index import DigestIndex, Keys
from clipaudit.embedding.shards import SUFFIX, DamagedShard, Shard, open_shard, write
from clipaudit.errors import ModelError

Modality = Literal["image", "text"]
_FOLDER: dict[Modality, str] = {"image": "image", "text": "text-with-length"}  # texts: the unit vector, then its length

FLUSH_SECONDS = 2.0
FLUSH_ITEMS = 1024
_SMALL = 2 << 20  # bytes of vectors: shards below this are merged ...
_LARGE = 4 << 20  # ... up to this, which also bounds the memory that merging takes
_MANY = 64  # small shards that are merged at once, without waiting for the end
_ABANDONED = 3600.0  # seconds after which a temporary file belongs to no living writer

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _InMemory:
    """A segment that could not be, or is not yet, written."""

    digests: Keys
    values: NDArray[np.float32]

    @property
    def dim(self) -> int:
        return int(self.values.shape[1])


class EmbeddingCache:
    """All embeddings below one folder. Warnings are logged once per cache, in one line each.

    Attributes:
        root: the folder; it need not exist and need not be writable.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._stores: dict[tuple[str, Modality], Store] = {}
        self._warned: set[str] = set()

    def store(self, fingerprint: str, modality: Modality) -> Store:
        """The part of the cache that belongs to one model and modality."""
        key = (fingerprint, modality)
        if key not in self._stores:
            name = hashlib.sha256("\n".join([fingerprint, *computed_by()]).encode()).hexdigest()[:32]
            self._stores[key] = Store(self.root / "embeddings" / name / _FOLDER[modality], self)
        return self._stores[key]

    def warn_once(self, topic: str, message: str) -> None:
        """Log `message` unless this cache has warned of `topic` before."""
        if topic not in self._warned:
            self._warned.add(topic)
            _log.warning("embedding cache %s: %s", self.root, message)

    def close(self) -> None:
        """Write what is pending and merge small shards. The cache may be used afterwards."""
        for store in self._stores.values():
            store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Store:
    """The vectors of one model and modality. Not for use by several threads at once."""

    def __init__(self, folder: Path, cache: EmbeddingCache) -> None:
        self._folder = folder
        self._cache = cache
        self._index = DigestIndex()
        self._segments: list[Shard | _InMemory | None] = []  # None: dropped
        self._seen: set[str] = set()
        self._verified: set[Path] = set()
        self._pending: list[tuple[Keys, NDArray[np.float32]]] = []
        self._flushed = time.monotonic()
        self._writable = True

    def get(self, keys: Keys) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """(n, d) vectors and (n,) whether each was found; rows that were not are NaN; d = 0 if nothing was found."""
        self.flush()
        self._scan()
        places = self._index.find(keys)
        found = places[:, 0] >= 0
        vectors = np.full((len(keys), self._dim() if found.any() else 0), np.nan, np.float32)
        for segment in np.unique(places[found, 0]):
            rows = np.flatnonzero(places[:, 0] == segment)
            values = self._read(int(segment))
            if values is None:  # dropped while reading: what other shards hold of it is found on the second try
                return self.get(keys)
            vectors[rows] = values[places[rows, 1]]
        return vectors, found

    def put(self, keys: Keys, vectors: NDArray[np.float32]) -> None:
        """Add the vectors of one batch; written at once if the last writing is some time or many items ago."""
        dim = self._dim()
        if dim and vectors.shape[1] != dim:
            raise ModelError(
                f"the model gives embeddings of dimension {vectors.shape[1]}, but {self._folder} holds dimension {dim} "
                "under the same fingerprint; delete that folder, or let the model's fingerprint change with the model"
            )
        self._pending.append((keys, np.asarray(vectors, np.float32)))
        if time.monotonic() - self._flushed >= FLUSH_SECONDS or sum(len(k) for k, _ in self._pending) >= FLUSH_ITEMS:
            self.flush()

    def flush(self) -> None:
        """Write what is pending as one shard; keep it in memory where that fails. Never raises OSError."""
        self._flushed = time.monotonic()
        if not self._pending:
            return
        pending = _InMemory(
            np.concatenate([k for k, _ in self._pending]), np.concatenate([v for _, v in self._pending])
        )
        self._pending = []
        self._add(self._write(pending) or pending)
        if len(self._small()) >= _MANY:
            self._merge()

    def close(self) -> None:
        """Write what is pending and merge small shards."""
        self.flush()
        self._scan()
        if self._writable and len(self._small()) > 1:
            self._merge()

    # --- segments -------------------------------------------------------------------------------------------

    def _dim(self) -> int:
        if self._pending:
            return int(self._pending[0][1].shape[1])
        return next((segment.dim for segment in self._segments if segment is not None), 0)

    def _add(self, segment: Shard | _InMemory) -> None:
        self._segments.append(segment)
        self._index.add(segment.digests, len(self._segments) - 1)

    def _scan(self) -> None:
        """Take up shards that this or another process has written since the last look."""
        for name in self._unseen():
            self._seen.add(name)
            path = self._folder / name
            try:
                shard = open_shard(path)
                if self._dim() not in (0, shard.dim):
                    raise DamagedShard(f"{name}: dimension {shard.dim} instead of {self._dim()}")
            except FileNotFoundError:  # merged away by another process in this moment
                continue
            except (DamagedShard, OSError) as error:
                self._discard(path, error)
            else:
                self._add(shard)

    def _unseen(self) -> list[str]:
        """Names of shards, large ones first: what a small one holds as well is then merged away, not kept twice."""
        try:
            with os.scandir(self._folder) as entries:
                new = [each for each in entries if each.name.endswith(SUFFIX) and each.name not in self._seen]
        except OSError:
            return []
        sizes = {}
        for entry in new:
            with suppress(OSError):  # merged away in this moment
                sizes[entry.name] = entry.stat().st_size
        return sorted(sizes, key=lambda name: (-sizes[name], name))

    def _read(self, segment: int) -> NDArray[np.float32] | None:
        """The vectors of a segment; None if it had to be dropped."""
        shard = self._segments[segment]
        assert shard is not None, "the index knows no dropped segment"
        if isinstance(shard, _InMemory):
            return shard.values
        try:
            values = shard.vectors(verify=shard.path not in self._verified)
        except FileNotFoundError:  # merged away by another process: the merged shard is found by the next scan
            self._drop(segment)
            return None
        except (DamagedShard, OSError) as error:
            self._drop(segment)
            self._discard(shard.path, error)
            return None
        self._verified.add(shard.path)
        return values

    def _drop(self, segment: int) -> None:
        self._segments[segment] = None
        self._index = DigestIndex()
        for number, shard in enumerate(self._segments):
            if shard is not None:
                self._index.add(shard.digests, number)

    def _discard(self, path: Path, error: Exception) -> None:
        """Damage goes for good. A file that only cannot be read now (rights, too many open files) is passed over."""
        if not isinstance(error, DamagedShard):
            reason = f"{path.name} cannot be read ({error.strerror if isinstance(error, OSError) else error})"
            self._cache.warn_once("unreadable", f"{reason}; what it holds is computed again where it is needed")
            return
        self._cache.warn_once(
            "damaged", f"a damaged file was dropped ({error}); what it held is computed again where it is needed"
        )
        with suppress(OSError):  # a read-only folder: it is passed over again next time
            path.unlink(missing_ok=True)

    # --- writing --------------------------------------------------------------------------------------------

    def _write(self, segment: _InMemory) -> Shard | None:
        """Store a segment; None where the folder cannot be written (said once, then not tried again)."""
        if not self._writable:
            return None
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            path = write(self._folder, segment.digests, segment.values)
            self._seen.add(path.name)
            return open_shard(path)
        except (OSError, DamagedShard) as error:
            self._writable = False
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            self._cache.warn_once(
                "unwritable",
                f"cannot be written ({reason}); new embeddings are kept in memory and computed again next time",
            )
            return None

    def _small(self) -> list[int]:
        return [
            number
            for number, shard in enumerate(self._segments)
            if isinstance(shard, Shard) and 4 * len(shard.digests) * shard.dim < _SMALL
        ]

    def _merge(self) -> None:
        """Merge small shards into larger ones. A reader that still wants an old one finds its content in the new."""
        with self._alone() as alone:
            if not alone:  # another process is at it: two at once would leave everything twice
                return
            self._forget_gone()
            for group in self._groups():
                self._merge_group(group)
            self._sweep()

    def _groups(self) -> list[list[int]]:
        """Small shards, put together up to `_LARGE` bytes."""
        groups: list[list[int]] = [[]]
        size = 0
        for number in self._small():
            shard = self._segments[number]
            added = 4 * len(shard.digests) * shard.dim if isinstance(shard, Shard) else 0
            if size + added > _LARGE:
                groups.append([])
                size = 0
            groups[-1].append(number)
            size += added
        return groups

    @contextmanager
    def _alone(self) -> Iterator[bool]:
        """Whether this process may merge; the lock is on the folder itself and ends with the process."""
        if not os.access(self._folder, os.W_OK):
            yield False
            return
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            locked = True
            try:
                fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:  # taken, or a file system without locks
                locked = False
            yield locked
        finally:
            os.close(folder)

    def _forget_gone(self) -> None:
        """Take note of shards that another process has merged away, and of those it made of them."""
        for number in self._small():
            shard = self._segments[number]
            if isinstance(shard, Shard) and not shard.path.exists():
                self._drop(number)
        self._scan()

    def _merge_group(self, group: list[int]) -> None:
        if len(group) < 2:
            return
        parts = [(shard, self._read(n)) for n in group if isinstance(shard := self._segments[n], Shard)]
        if any(values is None for _, values in parts):  # one was dropped: the next merging finds a sound list
            return
        keys, first = np.unique(np.concatenate([shard.digests for shard, _ in parts]), return_index=True)
        merged = np.concatenate([values for _, values in parts if values is not None])[first]
        own = np.isin(self._index.find(keys)[:, 0], group)  # the rest is in a large shard: merging was killed once
        written = self._write(_InMemory(keys[own], merged[own])) if own.any() else None
        if own.any() and written is None:
            return
        for number, (shard, _) in zip(group, parts, strict=True):
            with suppress(OSError):
                shard.path.unlink(missing_ok=True)
            self._segments[number] = None
        self._segments.append(written)
        self._drop(group[0])

    def _sweep(self) -> None:
        """Remove temporary files of writers that were killed."""
        for path in self._folder.glob(".*.tmp"):
            try:
                if time.time() - path.stat().st_mtime > _ABANDONED:
                    path.unlink()
            except OSError:
                continue
