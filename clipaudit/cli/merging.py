"""`merge`: the shares of a run become the run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from clipaudit.cli.app import app

if TYPE_CHECKING:
    from clipaudit.api import Outcome
    from clipaudit.engine.shard import Shard


@app.command(short_help="Make one run of its shares (run --shard I/N).")
@click.argument("shards", type=click.Path(path_type=Path), nargs=-1, required=True, metavar="DIR DIR ...")
@click.option("--out", "-o", type=click.Path(path_type=Path, file_okay=False), required=True, help="Run directory.")
@click.option("--no-report", is_flag=True, help="Do not write report.html.")
def merge(shards: tuple[Path, ...], out: Path, no_report: bool) -> int:
    """Make one run of the directories that `run --shard 1/N` to N/N left: the same result.json as without shards."""
    from clipaudit import api
    from clipaudit.cli.outcome import show_outcome
    from clipaudit.engine.merge import merge as merged
    from clipaudit.engine.store import RunStore
    from clipaudit.verdict import summarise

    result, manifest = merged(shards, out)
    if other := sorted(manifest.cell_versions):
        named = ", ".join(other[:3]) + (f" and {len(other) - 3} more" if len(other) > 3 else "")
        click.echo(
            f"note: not all shards were run with the same versions of packages: {named}; see the report", err=True
        )
    page = None if no_report else api.write_report(RunStore(out), result, manifest)
    show_outcome(api.Outcome(out, result, manifest, page))
    return summarise(result).exit_code


def show_share(outcome: Outcome, shard: Shard) -> int:
    """What a share of a run did; the exit code. Findings are the merged run's to tell."""
    from clipaudit.errors import ExitCode
    from clipaudit.results import CellStatus
    from clipaudit.text import printable

    cells = outcome.result.cells
    for cell in cells:
        if cell.status is not CellStatus.DONE:
            click.echo(f"{cell.status.value}: {printable(cell.slug)}: {printable(cell.reason, limit=400)}")
    click.echo(
        f"shard {shard}: {len(cells)} of the run's cells are in {outcome.url or outcome.path}; next: clipaudit merge"
    )
    errored = any(cell.status is CellStatus.ERRORED for cell in cells)
    return ExitCode.CELLS_ERRORED if errored else ExitCode.OK
