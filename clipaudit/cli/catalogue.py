"""`list` and `describe`: what there is, and what it means."""

from __future__ import annotations

import click

from clipaudit.cli.app import app
from clipaudit.cli.saying import say

DATA = click.option("--data", "-d", multiple=True, metavar="[ID=]PATH", help="Where data sets lie.")


@app.command("list")
@click.argument("what", type=click.Choice(["audits", "data", "suites", "models"]), default="audits")
@DATA
def list_(what: str, data: tuple[str, ...]) -> None:
    """List audits, data sets, suites or forms of model."""
    from clipaudit.cli import listings
    from clipaudit.cli.outcome import console

    console().print(getattr(listings, what)(data))


@app.command()
@click.argument("name")
@DATA
def describe(name: str, data: tuple[str, ...]) -> None:
    """Explain an audit, a data set or a suite: the question, the numbers, the limits."""
    from clipaudit.cli.describe import describe as text_of

    say(text_of(name, data))
