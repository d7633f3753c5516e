"""The run directory. A cell appears whole or not at all, so that a killed run resumes where it was.

RUN/manifest.json            how, where and when: versions, hardware, seconds
RUN/result.json              what was found: identical byte for byte for the same command
RUN/report.html
RUN/cells/<slug>-<key>/      cell.json, rows.parquet, thumbs/*.webp
RUN/scratch/<slug>-<key>/    what a cell that takes long has done so far; gone once it is complete
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, TypeVar

from pydantic import ValidationError

from clipaudit.errors import StorageError, UsageError
from clipaudit.results import CellResult, Manifest, RunResult

if TYPE_CHECKING:
    import pyarrow as pa

_FULL = {errno.ENOSPC, errno.EDQUOT}
_T = TypeVar("_T", CellResult, RunResult, Manifest)


@contextmanager
def storing(what: Path) -> Iterator[None]:
    """Turn an OSError while writing into one line that says what to do."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise StorageError(
                f"disk full while writing {what}: free some space and give the same command again; "
                "finished cells are kept"
            ) from error
        raise StorageError(f"cannot write {what}: {error.strerror or error}") from error


def write_atomic(path: Path, data: bytes) -> None:
    """Replace `path` by `data`, all or nothing, also across power loss."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with storing(path):
        try:
            with temporary.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


class RunStore:
    """One run directory, locked against a second writer while open."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._lock: IO[bytes] | None = None

    # --- reading ---------------------------------------------------------------------------------------

    def result(self) -> RunResult:
        """The stored result; UsageError if the directory holds none or it is damaged."""
        return _read(self.root / "result.json", RunResult)

    def manifest(self) -> Manifest | None:
        """The stored manifest, or None where there is none yet."""
        path = self.root / "manifest.json"
        return _read(path, Manifest) if path.is_file() else None

    def finished(self, slug: str, key: str) -> CellResult | None:
        """The committed cell, or None if it has to be run. A damaged one counts as not run."""
        path = self.folder(slug, key) / "cell.json"
        if not path.is_file():
            return None
        try:
            return _read(path, CellResult)
        except UsageError:
            return None

    def rows(self, slug: str, key: str) -> pa.Table:
        """The rows of a committed cell."""
        import pyarrow.parquet as pq

        path = self.folder(slug, key) / "rows.parquet"
        try:
            return pq.read_table(path)
        except OSError as error:
            raise UsageError(f"{path}: cannot read the rows ({error}); run the cell again") from error
        except ValueError as error:  # pyarrow's ArrowInvalid
            raise UsageError(f"{path}: damaged ({str(error).splitlines()[0]}); run the cell again") from error

    def folder(self, slug: str, key: str) -> Path:
        """Where a cell lives. Slugs are audit and data ids, whose characters are safe in file names."""
        return self.root / "cells" / f"{slug}-{key}"

    def thumbnails(self, result: RunResult) -> dict[str, bytes]:
        """Thumbnail files of all cells, keyed "<cell key>/<file name>"."""
        found = {}
        for cell in result.cells:
            for path in sorted((self.folder(cell.slug, cell.key) / "thumbs").glob("*.webp")):
                found[f"{cell.key}/{path.name}"] = path.read_bytes()
        return found

    def scratch(self, slug: str, key: str) -> Path:
        """Where a cell may keep what it has done so far. The folder need not exist."""
        return self.root / "scratch" / f"{slug}-{key}"

    # --- writing ---------------------------------------------------------------------------------------

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the directory; UsageError if another process is writing to it."""
        with storing(self.root):
            (self.root / "cells").mkdir(parents=True, exist_ok=True)
            self._lock = (self.root / ".lock").open("wb")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._lock.close()
            raise UsageError(
                f"{self.root}: another run is writing here; wait for it or choose another --out"
            ) from error
        try:
            for leftover in (self.root / "cells").glob(".partial-*"):
                shutil.rmtree(leftover, ignore_errors=True)
            yield
        finally:
            self._lock.close()

    def commit(self, cell: CellResult, rows: pa.Table | None, thumbs: Mapping[str, bytes]) -> None:
        """Write a cell's folder in full, then move it into place."""
        import pyarrow.parquet as pq

        target = self.folder(cell.slug, cell.key)
        partial = target.with_name(f".partial-{target.name}")
        with storing(target):
            shutil.rmtree(partial, ignore_errors=True)
            try:
                (partial / "thumbs").mkdir(parents=True)
                for name, data in thumbs.items():
                    (partial / "thumbs" / name).write_bytes(data)
                if rows is not None:
                    pq.write_table(rows, partial / "rows.parquet", compression="zstd")
                (partial / "cell.json").write_bytes(_json(cell))
                if target.exists():
                    shutil.rmtree(target)
                partial.replace(target)
                shutil.rmtree(self.scratch(cell.slug, cell.key), ignore_errors=True)
            except OSError:
                shutil.rmtree(partial, ignore_errors=True)
                raise

    def write_result(self, result: RunResult) -> str:
        """Write result.json; returns its sha256."""
        data = _json(result)
        write_atomic(self.root / "result.json", data)
        return hashlib.sha256(data).hexdigest()

    def write_manifest(self, manifest: Manifest) -> None:
        write_atomic(self.root / "manifest.json", _json(manifest))


def _json(record: CellResult | RunResult | Manifest) -> bytes:
    return (record.model_dump_json(indent=1) + "\n").encode()


def _read(path: Path, kind: type[_T]) -> _T:
    try:
        return kind.model_validate_json(path.read_bytes())
    except FileNotFoundError as error:
        raise UsageError(f"{path.parent}: no {path.name} here; is it the directory of a finished run?") from error
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(str(part) for part in fault["loc"]) or "the file"
        raise UsageError(f"{path}: not a valid {kind.__name__} ({where}: {fault['msg']})") from error
