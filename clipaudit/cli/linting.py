"""`lint`: files checked before they are used."""

from __future__ import annotations

from pathlib import Path

import click

from clipaudit.cli.app import app
from clipaudit.cli.saying import say


@app.command(short_help="Check suites, policies and cards; nothing is run.")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
def lint(files: tuple[Path, ...]) -> int:
    """Check suites, policies and data cards without running anything: for a commit hook."""
    from clipaudit.errors import ClipAuditError, ExitCode
    from clipaudit.lint import lint as check
    from clipaudit.text import printable

    code = ExitCode.OK
    for path in files:
        try:
            say(f"{path}: {check(path)}")
        except ClipAuditError as error:
            click.echo(f"error: {printable(str(error), limit=1000)}", err=True)
            code = ExitCode.USAGE
    return code
