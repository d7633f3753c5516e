"""A plug-in package that lists, runs, reports and passes `check_audit` as it stands."""

from __future__ import annotations

import keyword
import re
from pathlib import Path

from clipaudit import plugins
from clipaudit.errors import UsageError
from clipaudit.scaffold.write import filled, write_new


def new_audit(name: str, parent: Path) -> list[Path]:
    """Write the package of an audit called `name` into a new folder of `parent`.

    Args:
        name: the audit's id: lower-case letters, digits and underscores.
        parent: where the folder is made; it is called like the audit, with dashes.

    Returns:
        The files written.

    Raises:
        UsageError: the name is no id, is taken by an installed audit, or the folder holds such files already.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or keyword.iskeyword(name):
        raise UsageError(f"{name!r} is no id: lower-case letters, digits, underscores, as in 'text_colour'")
    if name in plugins.names(plugins.AUDITS):
        raise UsageError(f"an audit {name!r} is installed already; choose another name")
    words = name.split("_")
    values = {
        "id": name,
        "package": f"clipaudit_{name}",
        "project": f"clipaudit-{'-'.join(words)}",
        "title": " ".join(words).capitalize(),
        "cls": "".join(word.capitalize() for word in words),
    }
    return write_new(filled("audit", parent / values["project"], values))
