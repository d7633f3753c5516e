"""`export`: a finished run in the forms of other tools."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from clipaudit.cli.app import app
from clipaudit.cli.saying import say

if TYPE_CHECKING:
    from clipaudit.engine.store import RunStore

TEXTS = {"findings": "findings-csv", "eval-results": "eval-results", "model-card": "model-card", "in-toto": "in-toto"}
ROWS = ("rows-csv", "rows-parquet")


@app.command(short_help="Write RUN in another form: CSV, model card, in-toto.")
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("form", type=click.Choice([*TEXTS, *ROWS]))
@click.option("--out", "-o", required=True, type=click.Path(path_type=Path), help="File to write; for rows a folder.")
@click.option(
    "--weights", "-w", multiple=True, type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="in-toto: a file of weights, to be the statement's subject by its sha256.",
)  # fmt: skip
def export(run: Path, form: str, out: Path, weights: tuple[Path, ...]) -> None:
    """Write RUN in another form.

    \b
    findings                  CSV, one line an estimate
    rows-csv, rows-parquet    what was measured, one file a cell
    eval-results, model-card  for the model's repository on the Hugging Face Hub: YAML metadata; metadata and a section
    in-toto                   an unsigned statement of how the gate ended
    """
    from clipaudit.engine.rows import export_rows
    from clipaudit.engine.store import write_atomic
    from clipaudit.errors import UsageError
    from clipaudit.gate.trust import sound

    store = sound(run).store
    if weights and form != "in-toto":
        raise UsageError("--weights is for in-toto statements")
    if form in ROWS:
        for path in export_rows(store, out, "csv" if form == "rows-csv" else "parquet"):
            say(path)
        return
    write_atomic(out, _text(store, form, weights).encode())
    say(out)


def _text(store: RunStore, form: str, weights: tuple[Path, ...]) -> str:
    import hashlib

    from clipaudit import plugins
    from clipaudit.gate.files import read_gate

    digests = {}
    for path in weights:
        with path.open("rb") as file:
            digests[path.name] = hashlib.file_digest(file, "sha256").hexdigest()
    more = {"weights": digests} if digests else {}
    return plugins.load_export(TEXTS[form])(store.result(), read_gate(store.root), **more)
