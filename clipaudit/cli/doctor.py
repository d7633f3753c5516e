"""`doctor`: what is installed, which hardware and precision, which data is in reach, what a first run costs."""

from __future__ import annotations

import click

from clipaudit.cli.app import app
from clipaudit.cli.saying import say


@app.command(short_help="Check packages, hardware, caches, data in reach.")
@click.option("--data", "-d", multiple=True, metavar="[ID=]PATH", help="Where data sets lie.")
def doctor(data: tuple[str, ...]) -> None:
    """Check this installation: packages, hardware, precision, caches, data in reach, cost of a first run."""
    from clipaudit.cli import checkup

    for title, lines in checkup.sections(data):
        click.secho(title, bold=True)
        for line in lines:
            say(f"  {line}")
