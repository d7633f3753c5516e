"""The files with which a repository audits and gates its own model."""

from __future__ import annotations

from pathlib import Path

from clipaudit.engine.suite import builtin_suites
from clipaudit.scaffold.write import filled, write_new

SUITE = "quick"  # the packaged suite that a new one starts from
_HEAD = """\
# What is audited: clipaudit run suite.toml --model MODEL. Each entry is one audit on one data set (or on none), with
# parameters. `clipaudit list audits` and `clipaudit describe AUDIT` say what there is.

id = "ours"
"""
_TAIL = """\

# Your own images (see photos/clipaudit.toml): clipaudit run suite.toml --model MODEL --data photos
#
# [[audits]]
# id = "zero_shot"
# data = "photos"
#
# [[audits]]
# id = "typographic"
# data = "photos"
"""


def init(folder: Path) -> list[Path]:
    """Write a commented suite, policy and data card into `folder`; run and gate work on them as they stand.

    Raises UsageError where one of the files exists already, and writes none then.
    """
    return write_new({folder / "suite.toml": _suite(), **filled("project", folder, {})})


def _suite() -> str:
    """The packaged suite under another name: one text says what is audited, for both."""
    text: str = builtin_suites()[SUITE].read_text(encoding="utf-8")
    return _HEAD + text.split("\n", 1)[1] + _TAIL
