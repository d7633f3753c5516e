"""`init` and `new-audit`: files to start from."""

from __future__ import annotations

from pathlib import Path

import click

from clipaudit.cli.app import app
from clipaudit.cli.saying import say


@app.command("new-audit", short_help="Write a plug-in package for an audit of your own.")
@click.argument("name")
@click.option(
    "--in", "parent", type=click.Path(path_type=Path, file_okay=False), default=Path(), help="Folder that gets it."
)
def new_audit(name: str, parent: Path) -> None:
    """Write a plug-in package for an audit of your own: it runs and passes its tests as it stands."""
    from clipaudit.scaffold.audit import new_audit as write

    files = write(name, parent)
    _show(files)
    folder = files[0].parent if files[0].name == "README.md" else files[0].parents[1]
    say(f"\nnext:  pip install -e {folder} && python -m pytest {folder} && clipaudit describe {name}")
    say("read:  clipaudit describe writing-an-audit")


@app.command(short_help="Write a suite, a policy and a card to start from.")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=Path("audit"))
def init(folder: Path) -> None:
    """Write a commented suite, policy and data card into FOLDER (default: audit); they work as they stand."""
    from clipaudit.scaffold.project import init as write

    _show(write(folder))
    suite, policy = folder / "suite.toml", folder / "gate.toml"
    say(f"\nnext:  clipaudit run {suite} --model MODEL --out runs/new")
    say(f"       clipaudit gate runs/new --policy {policy}")
    say("read:  clipaudit describe tutorial")


def _show(files: list[Path]) -> None:
    for path in files:
        say(f"wrote {path}")
