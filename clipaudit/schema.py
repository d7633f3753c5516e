"""The published forms of what is written as JSON, as JSON Schema; the files beside this module hold them.

result: `result.json` of a run. gate: `gate.json`. comparison: what `clipaudit compare --json` writes.
"""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Literal

from clipaudit.compare.results import COMPARISON_SCHEMA_VERSION, Comparison
from clipaudit.gate.results import GATE_SCHEMA_VERSION, GateResult
from clipaudit.results import SCHEMA_VERSION, Record, RunResult

Kind = Literal["result", "gate", "comparison"]
KINDS: dict[Kind, tuple[type[Record], str]] = {
    "result": (RunResult, SCHEMA_VERSION),
    "gate": (GateResult, GATE_SCHEMA_VERSION),
    "comparison": (Comparison, COMPARISON_SCHEMA_VERSION),
}


def file_name(kind: Kind) -> str:
    """Of the published schema."""
    return f"{kind}-{KINDS[kind][1]}.schema.json"


def published(kind: Kind = "result") -> str:
    """Text of the published schema of this version."""
    return (files(__package__) / file_name(kind)).read_text(encoding="utf-8")


def generated(kind: Kind = "result") -> str:
    """The schema that follows from the types; a test keeps it equal to the published one."""
    schema = KINDS[kind][0].model_json_schema(mode="serialization")
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
    return json.dumps(schema, indent=1, sort_keys=True) + "\n"
