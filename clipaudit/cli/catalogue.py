"""`list` and `describe`: what there is, and what it means."""

from __future__ import annotations

import click

from clipaudit.cli.app import app
from clipaudit.cli.saying import say

DATA = click.option("--data", "-d", multiple=True, metavar="[ID=]PATH", help="Where data sets lie.")


@app.command("list", short_help="List audits, data, suites, models or pages.")
@click.argument("what", type=click.Choice(["audits", "data", "suites", "models", "pages"]), default="audits")
@DATA
def list_(what: str, data: tuple[str, ...]) -> None:
    """List audits, data sets, suites, forms of model, or pages to read."""
    from clipaudit.cli import listings
    from clipaudit.cli.outcome import console

    console().print(getattr(listings, what)(data))


@app.command(short_help="Explain an audit, a data set or a suite; read a page.")
@click.argument("name")
@DATA
def describe(name: str, data: tuple[str, ...]) -> None:
    """Explain an audit, a data set or a suite (question, numbers, limits), or show a page (clipaudit list pages).

    Of your own data, by its folder or card, it says which audits can use it.
    """
    from clipaudit.cli.describe import describe as text_of

    say(text_of(name, data))
