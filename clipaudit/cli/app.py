"""The command group and the options that commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from clipaudit import __version__
from clipaudit.errors import nearest
from clipaudit.offline import VARIABLE

F = TypeVar("F", bound=Callable[..., Any])


SECTIONS = {
    "Audit": ("run", "plan", "doctor"),
    "Judge and hand on": ("report", "gate", "compare", "export", "rescore"),
    "Look up": ("list", "describe"),
    "Your own": ("init", "lint", "new-audit", "validate"),
    "Several machines": ("embed", "merge"),
}


class Group(click.Group):
    """Lists commands by what they are for, and offers the nearest one for a mistyped one."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        others = tuple(name for name in self.commands if not any(name in names for names in SECTIONS.values()))
        for title, names in {**SECTIONS, "Others": others}.items():
            rows = [(name, self.commands[name].get_short_help_str(100)) for name in names if name in self.commands]
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows, col_max=12)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and self.get_command(ctx, args[0]) is None:
            raise click.UsageError(f"no command {args[0]!r}; {nearest(args[0], self.commands)}", ctx)
        return super().resolve_command(ctx, args)


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="clipaudit")
@click.option("--debug", is_flag=True, help="Show the traceback of an error (works in any place).")
@click.option("--offline", is_flag=True, help="Open no connection to another machine (works in any place).")
def app(debug: bool, offline: bool) -> None:
    """Audit CLIP models for social bias and robustness.

    \b
    clipaudit run demo                        audit the embedded reference model, write a report
    clipaudit run demo --model ViT-B-32@FILE  audit your own checkpoint
    clipaudit list audits                     what there is: also data, suites, models, pages
    clipaudit describe typographic            what an audit measures, and how; also: describe tutorial
    clipaudit gate RUN --policy gate.toml     does a run keep your rules?
    clipaudit compare BASE NEW                what got better, what got worse

    Exit codes: 0 ok, 1 gate failed, 2 usage, 3 cells errored, 4 nothing judged, 5 gate inconclusive, 130 interrupted
    (the same command resumes).
    """


def model_options(command: F) -> F:
    """--model and how it is loaded."""
    for option in (
        click.option("--offline", is_flag=True, envvar=VARIABLE, help="Open no connection to another machine."),
        click.option("--device", help="torch device, for example cuda:1. Default: the best there is."),
        click.option(
            "--precision",
            type=click.Choice(["auto", "float32", "bfloat16"]),
            default="auto",
            show_default=True,
            help="auto: bfloat16 where the hardware is faster with it and a fidelity probe passes.",
        ),
        click.option(
            "--model",
            "-m",
            default="reference",
            show_default=True,
            help="reference, ARCH@TAG, ARCH@FILE, hf-hub:ORG/NAME, local-dir:DIR, transformers:NAME, recorded:DIR, "
            "py:MODULE:FACTORY or control:NAME.",
        ),
    ):
        command = option(command)
    return command


def suite_options(command: F) -> F:
    """Which suite, which of its audits, on which data, with which parameters."""
    for option in (
        click.option("--limit", type=click.IntRange(min=1), help="At most so many items of each data set."),
        click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of the run."),
        click.option("--set", "settings", multiple=True, metavar="AUDIT.PARAM=VALUE", help="Set an audit's parameter."),
        click.option("--audit", "audits", multiple=True, metavar="GLOB", help="Only audits whose id matches."),
        click.option(
            "--data",
            "-d",
            multiple=True,
            metavar="[ID=]PATH|ID",
            help="Where a data set lies; your own: a folder with a card, a card, or a table with one beside it; or a "
            "known set by its id.",
        ),
        click.argument("suite", default="demo", metavar="[SUITE|AUDIT|FILE.toml]"),
    ):
        command = option(command)
    return command


# Commands register themselves; their bodies import what they need when they are called.
from clipaudit.cli import (  # noqa: E402, F401
    catalogue,
    comparing,
    doctor,
    exporting,
    gating,
    linting,
    merging,
    reporting,
    running,
    starting,
    validating,
)
