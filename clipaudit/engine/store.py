"""The run directory. A cell appears whole or not at all, so that a killed run resumes where it was.

RUN/manifest.json            how, where and when: versions, hardware, seconds
RUN/result.json              what was found: identical byte for byte for the same command
RUN/report.html
RUN/cells/<slug>-<key>/      cell.json, rows.parquet, thumbs/*.webp, versions.json, and SHA256SUMS over them
RUN/scratch/<slug>-<key>-*/  what a cell that takes long has done so far; gone once it is complete
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import logging
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, TypeVar

from pydantic import ValidationError

from clipaudit.engine import environment
from clipaudit.engine.seal import NAME as SUMS
from clipaudit.engine.seal import ROWS, fault, seal, sums
from clipaudit.errors import StorageError, UsageError
from clipaudit.paths import inside, leaves
from clipaudit.reading import RESULT_BYTES, read_bytes, swollen
from clipaudit.redact import hidden
from clipaudit.results import CellResult, CellStatus, Manifest, RunResult
from clipaudit.text import printable

if TYPE_CHECKING:
    import pyarrow as pa

_log = logging.getLogger(__name__)

VERSIONS = "versions.json"
_PARTIAL, _OLD = ".partial-", ".old-"
_LOCKED = (".result.json.", ".manifest.json.")
_ABANDONED = 3600.0  # seconds after which a temporary file belongs to no living writer
_FULL = {errno.ENOSPC, errno.EDQUOT}
_T = TypeVar("_T", CellResult, RunResult, Manifest)


@contextmanager
def storing(what: Path) -> Iterator[None]:
    """Turn an OSError while writing into one line that says what to do."""
    try:
        yield
    except OSError as error:
        raise_if_full(error, what)
        raise StorageError(f"cannot write {what}: {error.strerror or error}") from error


def raise_if_full(error: Exception, what: Path) -> None:
    """StorageError where `error` says that there is no room left for `what`."""
    if isinstance(error, OSError) and error.errno in _FULL:
        raise StorageError(
            f"disk full while writing {what}: free some space and give the same command again; finished cells are kept"
        ) from error


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
        """The committed cell, or None if it has to be run. A damaged or edited one counts as not run: that is said."""
        folder = self.folder(slug, key)
        if not folder.is_dir():
            return None
        wrong = self.fault(slug, key)
        if not wrong:
            try:
                return _read(folder / "cell.json", CellResult)
            except UsageError as error:  # sealed by another version, with another form of cells
                wrong = str(error)
        _log.warning("%s: %s; this cell is run again", printable(folder), wrong)
        return None

    def fault(self, slug: str, key: str, *, absent_is_fine: bool = False) -> str:
        """What is wrong with a committed cell's files; "" where they are as the run wrote them."""
        folder = self.folder(slug, key)
        return fault(folder, rows=self._recorded().get(folder.name), absent_is_fine=absent_is_fine)

    def accounted(self, manifest: Manifest, result: RunResult) -> Manifest:
        """The manifest with the digests of the finished cells' rows, and which cells were measured under other versions
        of packages than its own: before an upgrade, or on another machine."""
        done = [self.folder(cell.slug, cell.key) for cell in result.cells if cell.status is CellStatus.DONE]
        digests = {folder.name: digest for folder in done if (digest := sums(folder).get(ROWS))}
        own = {**manifest.packages, "python": manifest.python}
        differing = {folder.name: environment.changes(_versions(folder), own) for folder in done}
        others = {name: old for name, old in differing.items() if old}
        return manifest.model_copy(update={"rows_digests": digests, "cell_versions": others})

    def _recorded(self) -> Mapping[str, str]:
        """Digests of rows in the manifest that lies there."""
        try:
            manifest = self.manifest()
        except UsageError:  # damaged: said where it is needed
            return {}
        return manifest.rows_digests if manifest else {}

    def rows(self, slug: str, key: str) -> pa.Table:
        """The rows of a committed cell."""
        import pyarrow.parquet as pq

        path = self.folder(slug, key) / "rows.parquet"
        try:
            if wrong := swollen(pq.read_metadata(path), path.stat().st_size):
                raise UsageError(f"{path}: {wrong}")
            return pq.read_table(path)
        except OSError as error:
            raise UsageError(f"{path}: cannot read the rows ({error}); run the cell again") from error
        except ValueError as error:  # pyarrow's ArrowInvalid
            raise UsageError(f"{path}: damaged ({str(error).splitlines()[0]}); run the cell again") from error

    def folder(self, slug: str, key: str) -> Path:
        """Where a cell lives. UsageError for a slug or key that would lead elsewhere: a result may be anybody's."""
        name = f"{slug}-{key}"
        path = self.root / "cells" / name
        if name.startswith(".") or leaves(name) or "/" in name or not inside(path, self.root):
            raise UsageError(f"{self.root}: the cell {printable(name, limit=80)!r} lies outside this run")
        return path

    def thumbnails(self, result: RunResult) -> dict[str, bytes]:
        """Thumbnail files of all cells, keyed "<cell key>/<file name>"."""
        found = {}
        for cell in result.cells:
            for path in sorted((self.folder(cell.slug, cell.key) / "thumbs").glob("*.webp")):
                if inside(path, self.root) and path.is_file():
                    found[f"{cell.key}/{path.name}"] = path.read_bytes()
        return found

    def scratch(self, slug: str, key: str) -> Path:
        """Where a cell may keep what it has done so far with the versions that are installed. It need not exist."""
        return self.root / "scratch" / f"{slug}-{key}-{environment.digest()}"

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
            self._tidy()
            yield
        finally:
            self._lock.close()

    def _tidy(self) -> None:
        """Clear away what a killed writer left; a cell that it was about to replace comes back."""
        for old in (self.root / "cells").glob(f"{_OLD}*"):
            target = old.with_name(old.name.removeprefix(_OLD))
            if not target.exists():
                old.replace(target)
        for leftover in (*(self.root / "cells").glob(f"{_OLD}*"), *(self.root / "cells").glob(f"{_PARTIAL}*")):
            shutil.rmtree(leftover, ignore_errors=True)
        for leftover in self.root.glob(".*.tmp"):
            with suppress(OSError):
                # Results are written under the lock only; a report may be in the middle of being written by another.
                if leftover.name.startswith(_LOCKED) or time.time() - leftover.stat().st_mtime > _ABANDONED:
                    leftover.unlink()

    def commit(self, cell: CellResult, rows: pa.Table | None, thumbs: Mapping[str, bytes]) -> None:
        """Write a cell's folder in full, then move it into place."""
        import pyarrow.parquet as pq

        with _replacing(self.folder(cell.slug, cell.key)) as partial:
            (partial / "thumbs").mkdir()
            for name, data in thumbs.items():
                (partial / "thumbs" / name).write_bytes(data)
            if rows is not None:
                pq.write_table(_discreet(rows), partial / ROWS, compression="zstd")
            (partial / VERSIONS).write_text(json.dumps(environment.versions(), indent=1) + "\n", encoding="utf-8")
            (partial / "cell.json").write_bytes(_json(cell))
        for scratch in (self.root / "scratch").glob(f"{cell.slug}-{cell.key}*"):
            shutil.rmtree(scratch, ignore_errors=True)

    def revise(self, cell: CellResult) -> None:
        """Replace what was concluded from a committed cell's rows; they, and the thumbnails, stay as they are."""
        target = self.folder(cell.slug, cell.key)
        with _replacing(target) as partial:
            anew = shutil.ignore_patterns("cell.json", SUMS)
            shutil.copytree(target, partial, ignore=anew, copy_function=_linked, dirs_exist_ok=True)
            (partial / "cell.json").write_bytes(_json(cell))

    def write_result(self, result: RunResult) -> str:
        """Write result.json; returns its sha256."""
        data = _json(result)
        write_atomic(self.root / "result.json", data)
        return hashlib.sha256(data).hexdigest()

    def write_manifest(self, manifest: Manifest) -> None:
        write_atomic(self.root / "manifest.json", _json(manifest))


@contextmanager
def _replacing(target: Path) -> Iterator[Path]:
    """A new folder to fill; it is then sealed and takes the place of `target`, which is there at any moment, whole,
    old or new (or set aside, where a kill fell between two renamings: `_tidy` brings it back)."""
    partial, old = (target.with_name(f"{prefix}{target.name}") for prefix in (_PARTIAL, _OLD))
    with storing(target):
        shutil.rmtree(partial, ignore_errors=True)
        try:
            partial.mkdir(parents=True)
            yield partial
            seal(partial)
            if target.exists():
                target.replace(old)
            partial.replace(target)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            if old.exists() and not target.exists():
                old.replace(target)
            raise
        shutil.rmtree(old, ignore_errors=True)


def _linked(source: str, target: str) -> None:
    """The same file under a second name where the file system has that, else a copy."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _versions(folder: Path) -> dict[str, str]:
    try:
        found = json.loads((folder / VERSIONS).read_bytes())
    except (OSError, ValueError):
        return {}
    return {str(name): str(version) for name, version in found.items()} if isinstance(found, dict) else {}


def _discreet(rows: pa.Table) -> pa.Table:
    """The rows without secrets in their error messages, which clients of web services are known to put there."""
    import pyarrow as pa

    if "error" not in rows.column_names or rows.column("error").null_count == rows.num_rows:
        return rows
    said = [None if text is None else hidden(text) for text in rows.column("error").to_pylist()]
    place = rows.schema.get_field_index("error")
    return rows.set_column(place, rows.schema.field(place), pa.chunked_array([said], rows.schema.field(place).type))


def _json(record: CellResult | RunResult | Manifest) -> bytes:
    return (hidden(record.model_dump_json(indent=1)) + "\n").encode()


def _read(path: Path, kind: type[_T]) -> _T:
    if not path.exists():
        raise UsageError(f"{path.parent}: no {path.name} here; is it the directory of a finished run?")
    try:
        return kind.model_validate_json(read_bytes(path, UsageError, str(path), RESULT_BYTES))
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(str(part) for part in fault["loc"]) or "the file"
        raise UsageError(f"{path}: not a valid {kind.__name__} ({where}: {fault['msg']})") from error
