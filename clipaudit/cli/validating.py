"""`validate`: audits on models with a known effect, over many seeds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from clipaudit.cli.app import app

if TYPE_CHECKING:
    from clipaudit.contract import Audit
    from clipaudit.validation.results import AuditValidation, ValidationResult

FILE = "validation.json"


@app.command(short_help="Validate audits on models with a known effect.")
@click.argument("audits", nargs=-1, metavar="[AUDIT ...]")
@click.option(
    "--seeds",
    type=click.IntRange(min=2),
    default=100,
    show_default=True,
    help="Per size of effect; twice as many where nothing is planted.",
)
@click.option("--jobs", "-j", type=click.IntRange(min=1), default=1, show_default=True, help="Processes.")
@click.option(
    "--out",
    "-o",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("validation"),
    show_default=True,
    help="Folder of validation.json and validation.html; what is there of other audits stays.",
)
@click.option("--quiet", "-q", is_flag=True, help="No progress, only the outcome.")
def validate(audits: tuple[str, ...], seeds: int, jobs: int, out: Path, quiet: bool) -> int:
    """Validate audits (default: all) on models that carry a known effect.

    Power against the planted effect, coverage of the interval, false positives, bias. Exit code 1: an interval covers
    too little, or a test rejects too much, for chance to be the reason.
    """
    from clipaudit import plugins
    from clipaudit.cli.validation_table import show_validation
    from clipaudit.validation.results import as_json
    from clipaudit.validation.run import validate as measured

    chosen, kept = _chosen(audits), _earlier(out)
    found: list[AuditValidation] = []
    for audit in chosen:
        result = measured([audit], seeds=seeds, jobs=jobs, on_batch=_silent if quiet else _said)
        found += result.audits
        kept = _joined(kept, result)
        _write(out / FILE, as_json(kept))
    _write(out / "validation.html", plugins.load_export("validation-html")(kept))
    bad = show_validation(found)
    click.echo(f"page: {out / 'validation.html'}")
    return int(bad)


def _chosen(names: tuple[str, ...]) -> list[Audit]:
    """The audits named, or all that can be loaded; UsageError for one that declares no planted effect."""
    from clipaudit import plugins
    from clipaudit.errors import UsageError

    if not names:
        return [one.audit for one in plugins.list_audits() if one.audit and one.audit.validation()]
    chosen = [plugins.load_audit(name) for name in dict.fromkeys(names)]
    for audit in chosen:
        if not audit.validation():
            raise UsageError(f"audit {audit.spec.id!r} declares no planted effect (see Audit.validation)")
    return chosen


def _said(audit: str, done: int, total: int) -> None:
    click.echo(f"\r{audit} {done}/{total}", nl=done == total, err=True)


def _silent(audit: str, done: int, total: int) -> None:
    """--quiet."""


def _earlier(out: Path) -> ValidationResult | None:
    """What is in the folder already; UsageError where that cannot be read."""
    from pydantic import ValidationError

    from clipaudit.errors import UsageError
    from clipaudit.validation.results import ValidationResult

    path = out / FILE
    if not path.is_file():
        return None
    try:
        return ValidationResult.model_validate_json(path.read_text(encoding="utf-8"))
    except (ValidationError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: no validation of this version; choose another folder with --out") from error


def _joined(kept: ValidationResult | None, found: ValidationResult) -> ValidationResult:
    """What was found, beside what an earlier validation found of other audits; by audit id."""
    earlier = () if kept is None else kept.audits
    known = {one.audit: one for one in (*earlier, *found.audits)}
    return found.model_copy(update={"audits": tuple(known[name] for name in sorted(known))})


def _write(path: Path, text: str) -> None:
    from clipaudit.engine.store import storing, write_atomic

    with storing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, text.encode())
