"""A run directory behind a URL (s3://, gs://, file://, whatever fsspec reads): kept in step with a local copy.

The copy is a run directory like any other, for as long as the run takes. What is behind the URL is brought here first,
so that a run resumes; each cell goes there when it is done, its seal last, so that half a cell counts as none. Object
stores have no locks: two runs at one URL do no harm to each other, as cells go by content, but do the work twice.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from clipaudit.engine.seal import NAME as SEAL
from clipaudit.errors import StorageError, UsageError

FILES = ("manifest.json", "result.json", "report.html")


def is_url(place: str) -> bool:
    """Whether a place is a URL, and not a path.

    >>> is_url("s3://bucket/run"), is_url("runs/first")
    (True, False)
    """
    return "://" in place


class Mirror:
    """`local` is the run directory here, `url` where it belongs."""

    def __init__(self, url: str, local: Path) -> None:
        self.url = url.rstrip("/") if url.partition("://")[2].strip("/") else url.partition("://")[0] + "://"
        self.local = local
        self._files, self._root = _open(self.url)

    def pull(self) -> None:
        """Bring here what is there. StorageError where it cannot be read."""
        with self._moving("read"):
            if not self._files.exists(self._root):
                return
            for path in sorted(self._files.find(self._root)):
                inside = Path(path[len(self._root) :].lstrip("/"))
                if ".." not in inside.parts and (inside.parts[:1] == ("cells",) or str(inside) in FILES):
                    target = self.local / inside
                    target.parent.mkdir(parents=True, exist_ok=True)
                    self._files.get_file(path, str(target))

    def push_cell(self, name: str) -> None:
        """Send a finished cell, and the manifest. StorageError where it cannot be written."""
        folder = self.local / "cells" / name
        self.push(sorted((path for path in folder.rglob("*") if path.is_file()), key=lambda path: path.name == SEAL))

    def push_files(self) -> None:
        """Send what is there of manifest, result and report; the manifest last, for it says that the run is done."""
        self.push([path for name in reversed(FILES) if (path := self.local / name).is_file()])

    def push(self, paths: list[Path]) -> None:
        """Send files to where they belong."""
        with self._moving("write"):
            for path in paths:
                target = f"{self._root}/{path.relative_to(self.local).as_posix()}"
                self._files.makedirs(target.rpartition("/")[0], exist_ok=True)
                self._files.put_file(str(path), target)

    @contextmanager
    def _moving(self, what: str) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # each file system has errors of its own
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise StorageError(
                f"cannot {what} {self.url}: {reason:.300}; the same command goes on from here"
            ) from error


@contextmanager
def mirrored(url: str) -> Iterator[Mirror]:
    """A local copy of the run directory at `url`, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="clipaudit-run-") as folder:
        mirror = Mirror(url, Path(folder))
        mirror.pull()
        yield mirror


def _open(url: str) -> tuple[Any, str]:
    from fsspec.core import url_to_fs

    if not url.partition("://")[2]:
        raise UsageError(f"--out {url}: names no place behind the scheme, as in s3://BUCKET/RUN")
    try:
        files, root = url_to_fs(url)
    except Exception as error:  # an unknown scheme, a missing package, no credentials: each in its own way
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise UsageError(f"--out {url}: {reason:.300}") from error
    return files, str(root).rstrip("/")
