"""Files from anywhere, read so that they can neither fill the memory nor fail with more than a line."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clipaudit.errors import ClipAuditError

if TYPE_CHECKING:
    import pyarrow.parquet as pq

TEXT_BYTES = 2**20  # of a suite, a policy, a card, a manifest: text that somebody reads
RESULT_BYTES = 2**27  # of a result: those of the largest suites have a few million bytes
_ROWS, _ROWS_PER_BYTE = 20_000_000, 50  # that any table may have, and what a matrix of zeros and ones comes to
_UNPACKED, _FACTOR = 2**28, 1000  # bytes, likewise


def read_bytes(path: Path, fault: type[ClipAuditError], where: str, limit: int) -> bytes:
    """The content of a file. Raises `fault`, in a line that begins with `where`, if it cannot be read or is longer."""
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        raise fault(f"{where}: {getattr(error, 'strerror', None) or error}") from error
    if len(data) > limit:
        raise fault(f"{where}: too long (over {limit:,} bytes)")
    return data


def read_text(path: Path, fault: type[ClipAuditError], where: str) -> str:
    """The text of a file of at most `TEXT_BYTES`, in UTF-8. Raises `fault` in one line."""
    try:
        return read_bytes(path, fault, where, TEXT_BYTES).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise fault(f"{where}: not a UTF-8 text file") from error


def toml_values(text: str, fault: type[ClipAuditError], where: str) -> dict[str, Any]:
    """The values in TOML. Raises `fault` in one line, also for values nested without end and numbers without end."""
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise fault(f"{where}: malformed TOML: {error}") from error


def json_values(text: str | bytes, fault: type[ClipAuditError], where: str) -> Any:
    """The value in JSON. Raises `fault` in one line, also for values nested without end."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise fault(f"{where}: not valid JSON ({error})") from error


def swollen(metadata: pq.FileMetaData, size: int) -> str:
    """What is wrong with a Parquet file of `size` bytes that declares far more than compression explains; else "".

    Columns are not looked at: pyarrow ends the process where the description of one is damaged.
    """
    rows = metadata.num_rows
    unpacked = sum(metadata.row_group(i).total_byte_size for i in range(metadata.num_row_groups))
    if rows <= max(_ROWS, _ROWS_PER_BYTE * size) and unpacked <= max(_UNPACKED, _FACTOR * size):
        return ""
    return f"declares {rows:,} rows of {unpacked:,} bytes in a file of {size:,} bytes (a decompression bomb?)"
