"""`report` and `rescore`: what works on a finished run, without its model."""

from __future__ import annotations

from pathlib import Path

import click

from clipaudit.cli.app import app

RUN = click.argument("run", type=click.Path(path_type=Path))


@app.command()
@RUN
@click.option("--out", "-o", type=click.Path(path_type=Path, dir_okay=False), help="File to write.")
@click.option("--format", "form", default="html", show_default=True, help="html or markdown.")
def report(run: Path, out: Path | None, form: str) -> None:
    """Write the report of a finished RUN anew."""
    from clipaudit import api
    from clipaudit.gate.trust import sound

    found = sound(run)
    click.echo(api.write_report(found.store, found.result, found.manifest, out, form))


@app.command()
@RUN
def rescore(run: Path) -> int:
    """Recompute all estimates of RUN from its stored rows: no model, no data. Rewrites result and report."""
    from clipaudit import api
    from clipaudit.cli.outcome import show_outcome
    from clipaudit.engine.rescore import rescore as recompute
    from clipaudit.engine.store import RunStore
    from clipaudit.errors import UsageError
    from clipaudit.verdict import summarise

    store = RunStore(run)
    result = recompute(store)
    manifest = store.manifest()
    if manifest is None:
        raise UsageError(f"{run}: no manifest.json here; is it the directory of a finished run?")
    page = api.write_report(store, result, manifest)
    show_outcome(api.Outcome(run, result, manifest, page))
    return summarise(result).exit_code
