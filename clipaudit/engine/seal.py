"""Checksums of a cell's files, in the form that `sha256sum --check` reads: damage and edits are noticed, not used."""

from __future__ import annotations

import hashlib
from pathlib import Path

from clipaudit.text import printable

NAME = "SHA256SUMS"
ROWS = "rows.parquet"


def seal(folder: Path) -> None:
    """Write the checksums of all files below `folder`. Raises OSError."""
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    lines = [f"{_sha256(folder / name)}  {name}\n" for name in names if name != NAME]
    (folder / NAME).write_text("".join(lines), encoding="utf-8")


def sums(folder: Path) -> dict[str, str]:
    """File name to sha256 as sealed; empty where there is no readable seal."""
    try:
        lines = (folder / NAME).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return {}
    return {name: digest for digest, _, name in (line.partition("  ") for line in lines)}


def fault(folder: Path, *, rows: str | None = None, absent_is_fine: bool = False) -> str:
    """What is wrong with a sealed folder, naming the file; "" where nothing is.

    rows: the digest of the rows that is recorded elsewhere. absent_is_fine: files may have been deleted.
    """
    found = sums(folder)
    if "cell.json" not in found:
        return f"{NAME} is missing or damaged"
    for name, digest in found.items():
        path = folder / name
        try:
            now = _sha256(path)
        except FileNotFoundError:
            if absent_is_fine:
                continue
            return f"{printable(name)} is missing"
        except OSError as error:
            return f"{printable(name)} cannot be read ({error.strerror})"
        if now != digest or (name == ROWS and rows not in (None, now)):
            return f"{printable(name)} is not as the run wrote it (its checksum differs)"
    return ""


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
