"""`report` and `rescore`: what works on a finished run, without its model."""

from __future__ import annotations

from pathlib import Path

import click

from clipaudit.cli.app import app
from clipaudit.cli.saying import say

RUN = click.argument("run", type=click.Path(path_type=Path))


@app.command(short_help="Write the report of RUN anew.")
@click.argument("runs", nargs=-1, required=True, metavar="RUN...", type=click.Path(path_type=Path))
@click.option("--out", "-o", type=click.Path(path_type=Path, dir_okay=False), help="File to write.")
@click.option("--format", "form", default="html", show_default=True, help="html or markdown.")
def report(runs: tuple[Path, ...], out: Path | None, form: str) -> None:
    """Write the report of a finished RUN anew; of several, their comparison with the first."""
    from clipaudit import api
    from clipaudit.cli.comparing import write_comparison
    from clipaudit.compare.compare import compare
    from clipaudit.gate.trust import sound

    if len(runs) > 1:
        say(write_comparison(compare(runs[0], runs[1:]), form, out, ()))
        return
    found = sound(runs[0])
    say(api.write_report(found.store, found.result, found.manifest, out, form))


@app.command(short_help="Recompute all estimates of RUN from its rows.")
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
