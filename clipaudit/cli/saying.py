"""Plain lines on standard output, made safe for a terminal."""

from __future__ import annotations

import click

from clipaudit.text import printable


def say(text: object, *, err: bool = False) -> None:
    """Print text line by line, whoever wrote it: paths, pages of plug-ins, names."""
    for line in str(text).split("\n"):
        click.echo(printable(line, limit=None), err=err)
