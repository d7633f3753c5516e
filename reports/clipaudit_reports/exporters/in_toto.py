"""A gate's result as an in-toto statement of a test result, unsigned: sign it with cosign or another tool.

Statement v1 and predicate test-result v0.1 of the in-toto attestation framework.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from clipaudit.errors import UsageError
from clipaudit.gate.results import GateResult, RuleResult, State
from clipaudit.gate.standing import label, verdict_line
from clipaudit.results import RunResult

STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://in-toto.io/attestation/test-result/v0.1"
FINGERPRINT = "clipaudit_fingerprint_v1"  # no plain sha256 of a file: weights, configuration, preprocessing, precision


def render(result: RunResult, gate: GateResult | None = None, weights: Mapping[str, str] | None = None) -> str:
    """JSON of the statement. weights: sha256 of each file of weights, by name: the subjects.

    Without files the subject is the model by its fingerprint. UsageError for a run that was not gated.
    """
    if gate is None:
        raise UsageError("an in-toto statement says how a gate ended: run clipaudit gate RUN --policy FILE first")
    statement = {
        "_type": STATEMENT,
        "subject": _subjects(result, weights or {}),
        "predicateType": PREDICATE,
        "predicate": _predicate(result, gate),
    }
    return json.dumps(statement, indent=1, ensure_ascii=False) + "\n"


def _subjects(result: RunResult, weights: Mapping[str, str]) -> list[dict[str, Any]]:
    model = result.model
    if not weights:
        return [{"name": model.spec, "digest": {FINGERPRINT: model.fingerprint}}]
    return [
        {"name": name, "digest": {"sha256": digest}, "annotations": {FINGERPRINT: model.fingerprint}}
        for name, digest in sorted(weights.items())
    ]


def _predicate(result: RunResult, gate: GateResult) -> dict[str, Any]:
    groups: dict[str, list[str]] = {"passedTests": [], "warnedTests": [], "failedTests": []}
    for rule in gate.rules:
        groups[_group(rule)].append(rule.id)
    warned = bool(groups["warnedTests"])
    return {
        "result": "FAILED" if gate.exit_code else "WARNED" if warned else "PASSED",
        "configuration": [
            {"name": "policy", "digest": {"sha256": gate.policy_digest}},
            {"name": "result.json", "digest": {"sha256": gate.result_digest}},
            *(
                {"name": f"data: {data}", "digest": {"sha256": digest}}
                for data, digest in sorted({c.data.id: c.data.digest for c in result.cells if c.data}.items())
            ),
        ],
        **groups,
        "clipaudit": {
            "version": gate.clipaudit_version,
            "suite": gate.suite,
            "profile": gate.profile,
            "verdict": verdict_line(gate),
            "problems": list(gate.problems),
            "rules": {rule.id: label(rule) for rule in gate.rules},
        },
    }


def _group(rule: RuleResult) -> str:
    if rule.blocks:
        return "failedTests"
    return "passedTests" if rule.state is State.PASS else "warnedTests"
