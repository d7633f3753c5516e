"""`compare`: finished runs side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from clipaudit.cli.app import app

if TYPE_CHECKING:
    from clipaudit.compare.results import Comparison

FILE = click.Path(path_type=Path, dir_okay=False)
DATA = click.option(
    "--data", "-d", multiple=True, metavar="[ID=]PATH|ID",
    help="Where a data set lies, for pictures of the items that flipped.",
)  # fmt: skip


@app.command(short_help="Runs side by side: better, worse, which items flipped.")
@click.argument("base", type=click.Path(path_type=Path))
@click.argument("new", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--all", "everything", is_flag=True, help="Also list the findings of which nothing can be told.")
@click.option("--html", type=FILE, help="Also write a page, with the items that flipped.")
@click.option("--json", "as_json", type=FILE, help="Also write everything as JSON, the items that flipped included.")
@click.option("--markdown", type=FILE, help="Also write Markdown.")
@DATA
def compare(
    base: Path,
    new: tuple[Path, ...],
    everything: bool,
    html: Path | None,
    as_json: Path | None,
    markdown: Path | None,
    data: tuple[str, ...],
) -> None:
    """Compare the runs NEW with BASE: what got better, worse, or cannot be told, and which items flipped.

    It is exploration (Benjamini-Hochberg over all findings); whether a change is acceptable is for `clipaudit gate`.
    """
    from clipaudit.cli.compare_table import show_comparison
    from clipaudit.compare.compare import compare as compared
    from clipaudit.engine.store import write_atomic

    found = compared(base, new)
    show_comparison(found, everything)
    if as_json is not None:
        write_atomic(as_json, (found.model_dump_json(indent=1) + "\n").encode())
    if html is not None:
        write_comparison(found, "html", html, data)
    if markdown is not None:
        write_comparison(found, "markdown", markdown, data)


def write_comparison(found: Comparison, form: str, out: Path | None, data: tuple[str, ...]) -> Path:
    """The comparison as "html" or "markdown", by default in the working directory; data: as --data gives them."""
    from clipaudit import plugins
    from clipaudit.compare.pictures import pictures
    from clipaudit.data.registry import DataRegistry, parse_data_option
    from clipaudit.engine.store import write_atomic

    render = plugins.load_export(f"comparison-{form}")
    if form == "html":
        registry = DataRegistry(dict(parse_data_option(option) for option in data), offline=True)
        text = render(found, pictures(found, registry))
    else:
        text = render(found)
    target = out or Path(f"comparison.{'md' if form == 'markdown' else form}")
    write_atomic(target, text.encode())
    return target
