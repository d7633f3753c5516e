"""Items of a data set: an image file, an image inside a table, or an id alone."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clipaudit.data.decode import decode
from clipaudit.errors import ImageError
from clipaudit.paths import inside
from clipaudit.text import printable

if TYPE_CHECKING:
    from PIL import Image

MAX_BYTES = 512 * 2**20  # of one image file


class FileImage:
    """One image file. Its digest is taken at first use; a file that has changed since is not read.

    within: a folder that `path`, all links followed, must not leave: for paths that were found, not given by the user.
    """

    __slots__ = ("_digest", "_within", "attributes", "id", "path")

    def __init__(
        self,
        id: str,
        attributes: Mapping[str, str],
        path: Path,
        digest: str | None = None,
        *,
        within: Path | None = None,
    ) -> None:
        self.id = id
        self.attributes = attributes
        self.path = path
        self._digest = digest
        self._within = within

    @property
    def digest(self) -> str:
        """sha256 hex of the file's bytes. Raises ImageError where it cannot be read."""
        if self._digest is None:
            self._digest = hashlib.sha256(read_bytes(self.path, self._within)).hexdigest()
        return self._digest

    def load(self) -> Image.Image:
        """Pixels as `decode` gives them. Raises ImageError naming the file."""
        data = read_bytes(self.path, self._within)
        digest = hashlib.sha256(data).hexdigest()
        if self._digest is None:
            self._digest = digest
        elif self._digest != digest:
            raise ImageError(f"{printable(self.path)}: the file has changed since the data set was opened")
        return decode(data, str(self.path))

    def __repr__(self) -> str:
        return f"FileImage({self.id!r})"


class RowImage:
    """One image stored inside a table (Parquet, hub): a row of a `datasets.Dataset` whose image column is undecoded."""

    __slots__ = ("_column", "_index", "_rows", "attributes", "id")

    def __init__(self, id: str, attributes: Mapping[str, str], rows: Any, column: str, index: int) -> None:
        self.id = id
        self.attributes = attributes
        self._rows = rows
        self._column = column
        self._index = index

    @property
    def digest(self) -> str:
        """sha256 hex of the stored bytes. Raises ImageError where there are none."""
        return hashlib.sha256(self._bytes()).hexdigest()

    def load(self) -> Image.Image:
        """Pixels as `decode` gives them. Raises ImageError naming the item."""
        return decode(self._bytes(), self.id)

    def _bytes(self) -> bytes:
        cell = self._rows[self._index][self._column]
        data = cell.get("bytes") if isinstance(cell, Mapping) else None
        if not isinstance(data, bytes):
            raise ImageError(f"{printable(self.id)}: the table holds no image for this item")
        return data


class NamedItem:
    """An item known by its id and columns only: enough for a recorded model. `fault`: why it has no content."""

    __slots__ = ("_fault", "attributes", "id")

    def __init__(self, id: str, attributes: Mapping[str, str], fault: str = "") -> None:
        self.id = id
        self.attributes = attributes
        self._fault = fault or "known by its id only; use a recorded model, or give the images (--data ID=FOLDER)"

    @property
    def digest(self) -> str:
        """There is no content: raises ImageError."""
        raise self._absent()

    def load(self) -> Image.Image:
        """There are no pixels: raises ImageError."""
        raise self._absent()

    def _absent(self) -> ImageError:
        return ImageError(f"{printable(self.id)}: {self._fault}")


def read_bytes(path: Path, within: Path | None = None) -> bytes:
    """The content of a regular file. Raises ImageError naming it: absent, a folder, not permitted, too large, or not
    in the folder `within`."""
    name = printable(path)
    try:
        if within is not None and not inside(path, within):
            raise ImageError(
                f"{name}: leaves the data set's folder (by '..' or a link); copy the file there, or give a folder that "
                "holds both"
            )
        found = os.stat(path)
        if stat.S_ISDIR(found.st_mode):
            raise ImageError(f"{name}: a folder, not an image file")
        if not stat.S_ISREG(found.st_mode):
            raise ImageError(f"{name}: not a regular file")
        if found.st_size > MAX_BYTES:
            raise ImageError(f"{name}: {found.st_size} bytes; an image file may have {MAX_BYTES} at most")
        return path.read_bytes()
    except FileNotFoundError as error:
        raise ImageError(f"{name}: no such file") from error
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise ImageError(f"{name}: cannot be read ({reason})") from error
