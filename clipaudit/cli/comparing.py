"""`compare`: finished runs side by side."""

from __future__ import annotations

from pathlib import Path

import click

from clipaudit.cli.app import app

FILE = click.Path(path_type=Path, dir_okay=False)


@app.command()
@click.argument("base", type=click.Path(path_type=Path))
@click.argument("new", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--all", "everything", is_flag=True, help="Also list the findings of which nothing can be told.")
@click.option("--json", "as_json", type=FILE, help="Also write everything as JSON, the items that flipped included.")
@click.option("--markdown", type=FILE, help="Also write Markdown.")
def compare(base: Path, new: tuple[Path, ...], everything: bool, as_json: Path | None, markdown: Path | None) -> None:
    """Compare the runs NEW with BASE: what got better, worse, or cannot be told, and which items flipped.

    It is exploration (Benjamini-Hochberg over all findings); whether a change is acceptable is for `clipaudit gate`.
    """
    from clipaudit import plugins
    from clipaudit.cli.compare_table import show_comparison
    from clipaudit.compare.compare import compare as compared
    from clipaudit.engine.store import write_atomic

    found = compared(base, new)
    show_comparison(found, everything)
    if as_json is not None:
        write_atomic(as_json, (found.model_dump_json(indent=1) + "\n").encode())
    if markdown is not None:
        write_atomic(markdown, plugins.load_export("comparison-markdown")(found).encode())
