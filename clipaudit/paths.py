"""Where clipaudit keeps what it can make again, and which paths stay in the folder of the file that names them."""

from __future__ import annotations

import os
import re
from pathlib import Path


def cache_root() -> Path:
    """The user's cache folder: `$CLIPAUDIT_CACHE` if set, else the platform's own. Not created here."""
    chosen = os.environ.get("CLIPAUDIT_CACHE")
    if chosen:
        return Path(chosen).expanduser().absolute()
    import platformdirs

    return Path(platformdirs.user_cache_dir("clipaudit"))


def leaves(text: str) -> bool:
    """Whether a path, as written in a file, is absolute, the user's home, or goes up with `..`.

    >>> leaves("images/a.png"), leaves("A: a {}"), leaves("..."), leaves("../a.png"), leaves("a/../b"), leaves("/etc")
    (False, False, False, True, True, True)
    """
    parts = text.replace("\\", "/").split("/")
    absolute = len(parts) > 1 and (parts[0] == "" or re.fullmatch("[A-Za-z]:", parts[0]) is not None)
    return absolute or parts[0].startswith("~") or ".." in parts


def inside(path: Path, folder: Path) -> bool:
    """Whether `path`, all links followed, lies in `folder` (which may be a link itself) or is it.

    A snapshot in the hub's cache is made of links to the blobs beside it, so there the whole repository counts.
    """
    root = Path(os.path.realpath(folder))
    for part in (root, *root.parents):
        if part.parent.name == "snapshots" and len(part.name) == 40 and (part.parents[1] / "blobs").is_dir():
            root = part.parents[1]
            break
    return Path(os.path.realpath(path)).is_relative_to(root)
