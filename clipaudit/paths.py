"""Where clipaudit keeps what it can make again, and which paths stay in the folder of the file that names them."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath, PureWindowsPath


def cache_root() -> Path:
    """The user's cache folder: `$CLIPAUDIT_CACHE` if set, else the platform's own. Not created here."""
    chosen = os.environ.get("CLIPAUDIT_CACHE")
    if chosen:
        return Path(chosen).expanduser().absolute()
    import platformdirs

    return Path(platformdirs.user_cache_dir("clipaudit"))


def leaves(text: str) -> bool:
    """Whether a path, as written in a file, is absolute, the user's home, or goes up with `..`.

    >>> leaves("images/a.png"), leaves("../a.png"), leaves("/etc/passwd"), leaves("a/../../b"), leaves("C:\\\\a")
    (False, True, True, True, True)
    """
    parts = text.replace("\\", "/").split("/")
    absolute = PurePosixPath(text).is_absolute() or bool(PureWindowsPath(text).drive)
    return absolute or ".." in parts or parts[0].startswith("~")


def inside(path: Path, folder: Path) -> bool:
    """Whether `path`, all links followed, lies in `folder` (which may be a link itself) or is it."""
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))
