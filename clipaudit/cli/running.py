"""`run`, `plan` and `embed`: what touches a model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from clipaudit.cli.app import app, model_options, suite_options

if TYPE_CHECKING:
    from clipaudit.api import Request
    from clipaudit.engine.ray_executor import RayOptions
    from clipaudit.engine.shard import Shard


@app.command(short_help="Audit a model by a suite and write the report.")
@suite_options
@model_options
@click.option(
    "--out", "-o", type=click.Path(file_okay=False), help="Run directory, or a URL as in s3://... Default: runs/..."
)
@click.option(
    "--max-error-rate",
    type=click.FloatRange(0, 1),
    default=0.01,
    show_default=True,
    help="Share of unreadable items above which a cell fails.",
)
@click.option("--shard", metavar="I/N", help="Run the I-th of N shares of the cells; merge makes the run of them.")
@click.option(
    "--executor",
    type=click.Choice(["local", "ray"]),
    default="local",
    show_default=True,
    help="Who runs the cells: this process, or workers of a Ray cluster (pip install 'clipaudit[ray]').",
)
@click.option(
    "--address", help="Ray: the cluster to join, as in HOST:6379 or auto. Default: one of this machine alone."
)
@click.option("--workers", type=click.IntRange(min=1), help="Ray: how many. Default: one a GPU, or one a machine.")
@click.option("--no-report", is_flag=True, help="Do not write report.html.")
@click.option("--quiet", "-q", is_flag=True, help="No progress, only the outcome.")
def run(
    out: str | None,
    shard: str | None,
    executor: str,
    address: str | None,
    workers: int | None,
    no_report: bool,
    quiet: bool,
    **options: Any,
) -> int:
    """Run a suite (default: demo) on a model and write the report. The same command resumes."""
    import os

    from clipaudit import api
    from clipaudit.cli.merging import show_share
    from clipaudit.cli.outcome import show_outcome
    from clipaudit.engine.progress import make_reporter
    from clipaudit.engine.shard import Shard
    from clipaudit.verdict import summarise

    debug = "CLIPAUDIT_DEBUG" in os.environ
    share = None if shard is None else Shard.parse(shard)
    cluster = _cluster(executor, address, workers)
    with make_reporter(quiet) as reporter:
        outcome = api.audit(
            _request(options), out, shard=share, ray=cluster, reporter=reporter, report=not no_report, debug=debug
        )
    if share is not None:
        return show_share(outcome, share)
    show_outcome(outcome)
    return summarise(outcome.result).exit_code


@app.command(short_help="Show the cells, passes, time and disk of a run.")
@suite_options
@model_options
def plan(**options: Any) -> None:
    """Show what a run would do: cells, forward passes, estimated time and disk."""
    from clipaudit import api
    from clipaudit.cli.cost import show_plan
    from clipaudit.engine.progress import make_reporter

    request = _request(options)
    planned, _ = api.prepare(request)
    with make_reporter() as reporter:
        model = api.open_for(planned, request, reporter)
    show_plan(planned, model)


@app.command(short_help="Record every embedding that a suite needs.")
@suite_options
@model_options
@click.option("--out", "-o", type=click.Path(path_type=Path), help="Directory to write.")
@click.option(
    "--shard", metavar="I/N", help="Instead: embed the I-th of N shares of the items into the cache, ahead of a run."
)
def embed(out: Path | None, shard: str | None, **options: Any) -> None:
    """Record every embedding a suite needs, as a directory that `--model recorded:DIR` reads."""
    from clipaudit.engine.shard import Shard
    from clipaudit.errors import UsageError

    if (out is None) == (shard is None):
        raise UsageError("embed: give --out DIR to record, or --shard I/N to fill the cache; not both, nor neither")
    if out is not None:
        _record(_request(options), out)
    else:
        _fill(_request(options), Shard.parse(shard or ""))


def _record(request: Request, out: Path) -> None:
    from clipaudit import api
    from clipaudit.engine.progress import make_reporter

    planned, _ = api.prepare(request)
    with make_reporter() as reporter:
        model = api.open_for(planned, request, reporter)
        images, texts = planned.images(), planned.texts()
        reporter.begin(len(planned.cells), len(images), len(texts))
        try:
            api.embed(planned, model, out)
        finally:
            api.close(model)
    click.echo(f"{len(images)} images and {len(texts)} texts recorded; use them with --model recorded:{out}")


def _fill(request: Request, shard: Shard) -> None:
    from clipaudit import api
    from clipaudit.engine.fill import fill
    from clipaudit.engine.progress import make_reporter
    from clipaudit.paths import cache_root

    planned, _ = api.prepare(request)
    with make_reporter() as reporter:
        model = api.open_for(planned, request, reporter)
        try:
            done = fill(planned, model, shard)
        finally:
            api.close(model)
    click.echo(
        f"shard {shard}: {done.images} images and {done.texts} texts are in the cache {cache_root()} "
        f"({done.computed} computed now)"
    )


def _cluster(executor: str, address: str | None, workers: int | None) -> RayOptions | None:
    from clipaudit.engine.ray_executor import RayOptions
    from clipaudit.errors import UsageError

    if executor == "ray":
        return RayOptions(address, workers)
    for option, value in (("--address", address), ("--workers", workers)):
        if value is not None:
            raise UsageError(f"{option} {value}: means something with --executor ray only")
    return None


def _request(options: dict[str, Any]) -> Request:
    import os

    from clipaudit.api import Request

    if options.get("offline"):
        os.environ["HF_HUB_OFFLINE"] = "1"
    return Request(**options)
