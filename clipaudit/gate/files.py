"""`gate.json` of a run directory: read by reports, as long as it is about the result that lies beside it."""

from __future__ import annotations

import hashlib
from pathlib import Path

from pydantic import ValidationError

from clipaudit.engine.store import write_atomic
from clipaudit.gate.results import GateResult

NAME = "gate.json"


def as_json(result: GateResult) -> str:
    """The text of `gate.json`."""
    return result.model_dump_json(indent=1) + "\n"


def write_gate(run: Path, result: GateResult) -> Path:
    """Leave the gate's result in the run's directory; returns the file."""
    write_atomic(run / NAME, as_json(result).encode())
    return run / NAME


def read_gate(run: Path) -> GateResult | None:
    """The gate's result; None where the run was not gated, or its result has changed since."""
    try:
        found = GateResult.model_validate_json((run / NAME).read_bytes())
        digest = hashlib.sha256((run / "result.json").read_bytes()).hexdigest()
    except (OSError, ValidationError):
        return None
    return found if found.result_digest == digest else None
