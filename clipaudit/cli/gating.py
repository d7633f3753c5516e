"""`gate`: a finished run against a policy."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from clipaudit.cli.app import app

if TYPE_CHECKING:
    from clipaudit.gate.results import GateResult, Profile

FILE = click.Path(path_type=Path, dir_okay=False)
DIRECTORY = click.Path(path_type=Path)


@app.command(short_help="Judge RUN by a policy: PASS, FAIL or INCONCLUSIVE.")
@click.argument("run", type=DIRECTORY)
@click.option("--policy", "-p", type=FILE, required=True, help="The rules: gate.toml.")
@click.option("--baseline", "-b", type=DIRECTORY, help="The run that changes are measured from.")
@click.option(
    "--profile",
    type=click.Choice(["release", "pull-request"]),
    default="release",
    show_default=True,
    help="release is red where something is not proven; pull-request only warns of it.",
)
@click.option("--junit", type=FILE, help="Also write JUnit XML.")
@click.option("--json", "as_json", type=FILE, help="Also write the result as JSON (it is in RUN/gate.json anyway).")
@click.option("--markdown", type=FILE, help="Also write Markdown, for a comment on a pull request.")
@click.option("--github", is_flag=True, help="Also write annotations and the job summary of GitHub Actions.")
def gate(
    run: Path,
    policy: Path,
    baseline: Path | None,
    profile: Profile,
    junit: Path | None,
    as_json: Path | None,
    markdown: Path | None,
    github: bool,
) -> int:
    """Judge RUN by a policy: PASS and FAIL are proven, what is neither is INCONCLUSIVE.

    Exit codes: 0 pass (or only warnings), 1 failed, 2 usage or input, 3 cells errored, 4 nothing judged,
    5 inconclusive, 130 the run was interrupted and can be resumed.
    """
    from clipaudit.cli.gate_table import show_gate
    from clipaudit.errors import StorageError
    from clipaudit.gate.files import as_json as text_of
    from clipaudit.gate.files import write_gate
    from clipaudit.gate.judge import judge
    from clipaudit.gate.policy import load_policy
    from clipaudit.text import printable

    result = judge(run, load_policy(policy), baseline, profile=profile)
    try:
        write_gate(run, result)
        report = _refreshed_report(run)
    except StorageError as error:  # an archived run, a full disk: the verdict does not depend on it
        click.echo(f"note: {printable(str(error), limit=1000)}: neither gate.json nor the report say this", err=True)
        report = None
    with _commands_off(github):
        show_gate(result, report)
    for form, target in (("junit", junit), ("markdown", markdown)):
        if target is not None:
            _write(target, _rendered(result, form))
    if as_json is not None:
        _write(as_json, text_of(result))
    if github:
        _github(result)
    return result.exit_code


@contextmanager
def _commands_off(github: bool) -> Iterator[None]:
    """What is printed meanwhile is no workflow command, whatever a label or a waiver holds."""
    import secrets

    token = secrets.token_hex(16)
    if github:
        click.echo(f"::stop-commands::{token}")
    yield
    if github:
        click.echo(f"::{token}::")


def _refreshed_report(run: Path) -> Path | None:
    """The report that lies in the run's directory, which now says how the gate ended."""
    from clipaudit import anchors, api
    from clipaudit.engine.store import RunStore

    store = RunStore(run)
    if not (run / anchors.REPORT).is_file():
        return None
    return api.write_report(store, store.result(), store.manifest())


def _rendered(result: GateResult, form: str) -> str:
    from clipaudit import plugins

    return plugins.load_export(f"gate-{form}")(result)


def _write(target: Path, text: str) -> None:
    from clipaudit.engine.store import write_atomic

    write_atomic(target, text.encode())


def _github(result: GateResult) -> None:
    """Annotations on standard output; the summary where GitHub says."""
    import os

    from clipaudit.engine.store import storing

    click.echo(_rendered(result, "github"), nl=False)
    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    if summary:
        with storing(Path(summary)), Path(summary).open("a", encoding="utf-8") as file:
            file.write(_rendered(result, "markdown"))
