"""All estimates of a run as a table: one line each."""

from __future__ import annotations

import csv
import io
import json

from clipaudit.gate.results import GateResult
from clipaudit.results import CellResult, Estimate, RunResult
from clipaudit.text import FORMULA

COLUMNS = (
    "cell", "cell_key", "audit", "audit_version", "data", "metric", "title", "role", "subgroup", "value", "unit",
    "low", "high", "level", "n", "clusters", "p", "p_adjusted", "minimum_detectable", "direction", "status", "sentence",
)  # fmt: skip


def render(result: RunResult, gate: GateResult | None = None) -> str:
    """CSV with a header; subgroups as JSON, what is not defined empty. The gate is not part of it."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for cell in result.cells:
        for estimate in cell.estimates:
            writer.writerow([_plain(value) for value in _line(cell, estimate)])
    return text.getvalue()


def _line(cell: CellResult, e: Estimate) -> tuple[object, ...]:
    interval, test = e.interval, e.test
    return (
        cell.slug, cell.key, cell.audit.id, cell.audit.version, cell.data.id if cell.data else None, e.metric, e.title,
        e.role, json.dumps(dict(e.subgroup), ensure_ascii=False), e.value, e.unit, interval and interval.low,
        interval and interval.high, interval and interval.level, e.n, e.clusters, test and test.p,
        test and test.p_adjusted, e.minimum_detectable, e.direction.value, e.status.value, e.sentence,
    )  # fmt: skip


def _plain(value: object) -> object:
    """A label that a spreadsheet would take for a formula is quoted."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
