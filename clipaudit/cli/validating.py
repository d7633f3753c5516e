"""`validate`: audits on models with a known effect, over many seeds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from clipaudit.cli.app import app

if TYPE_CHECKING:
    from clipaudit.contract import Audit
    from clipaudit.validation.results import AuditValidation, ValidationResult


@app.command()
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
    from clipaudit.cli.validation_table import show_validation
    from clipaudit.validation.run import validate as measured

    chosen = _chosen(audits)
    found = measured(chosen, seeds=seeds, jobs=jobs, on_batch=_said if not quiet else lambda *_: None)
    complete = _kept(out, found)
    _write(out, complete)
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
    click.echo(f"\r{done}/{total} {audit:<24}", nl=done == total, err=True)


def _kept(out: Path, found: ValidationResult) -> ValidationResult:
    """What was found, beside what an earlier validation found of other audits; by audit id."""
    known: dict[str, AuditValidation] = {}
    path = out / "validation.json"
    if path.is_file():
        known = {one.audit: one for one in _read(path).audits}
    known |= {one.audit: one for one in found.audits}
    return found.model_copy(update={"audits": tuple(known[name] for name in sorted(known))})


def _read(path: Path) -> ValidationResult:
    from pydantic import ValidationError

    from clipaudit.errors import UsageError
    from clipaudit.validation.results import ValidationResult

    try:
        return ValidationResult.model_validate_json(path.read_text(encoding="utf-8"))
    except (ValidationError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: no validation of this version; choose another folder with --out") from error


def _write(out: Path, found: ValidationResult) -> None:
    from clipaudit import plugins
    from clipaudit.engine.store import write_atomic
    from clipaudit.validation.results import as_json

    page = plugins.load_export("validation-html")(found)
    out.mkdir(parents=True, exist_ok=True)
    write_atomic(out / "validation.json", as_json(found).encode())
    write_atomic(out / "validation.html", page.encode())
