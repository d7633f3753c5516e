"""gate.json and a comparison's JSON keep to their published schemas, and these to the types."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from gate_runs import FINGERPRINT, accuracy, answers, cell, write_run

from clipaudit import schema
from clipaudit.compare.compare import compare
from clipaudit.gate.files import as_json
from clipaudit.gate.judge import judge
from clipaudit.gate.policy import parse_policy

POLICY = """
[[rule]]
id = "a"
audit = "zero_shot"
metric = "accuracy"
kind = "change"
margin = 0.05
[[rule]]
id = "b"
audit = "zero_shot"
metric = "acuracy"
kind = "absolute"
max = 0.05
[[waiver]]
rule = "a"
model = "%s"
reason = "known"
owner = "Ada"
expires = 2999-01-01
"""


@pytest.fixture
def runs(tmp_path: Path) -> tuple[Path, Path]:
    flags = [True] * 30 + [False] * 10
    rows = {"zero_shot.objects": answers(flags)}
    base, new = (write_run(tmp_path / name, [cell([accuracy(flags)])], rows) for name in ("base", "new"))
    return base, new


@pytest.mark.parametrize("kind", ["gate", "comparison"])
def test_published_equals_generated(kind: schema.Kind) -> None:
    assert schema.published(kind) == schema.generated(kind), "write schema.generated(kind) into the published file"


def test_what_is_written_is_valid(runs: tuple[Path, Path]) -> None:
    gate = judge(runs[1], parse_policy(POLICY % FINGERPRINT, "p"), runs[0])
    document = json.loads(as_json(gate))
    jsonschema.validate(document, json.loads(schema.published("gate")))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document | {"state": "FINE"}, json.loads(schema.published("gate")))
    compared = json.loads(compare(runs[0], [runs[1]]).model_dump_json())
    jsonschema.validate(compared, json.loads(schema.published("comparison")))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(compared | {"total": 1}, json.loads(schema.published("comparison")))
