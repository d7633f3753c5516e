"""A run for a model's repository on the Hugging Face Hub: results as card metadata, and a section of the card."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from clipaudit.gate.results import GateResult
from clipaudit.gate.standing import verdict_line
from clipaudit.numbers import count_text, half_width, interval_text, value_text
from clipaudit.results import CellResult, CellStatus, Estimate, RunResult
from clipaudit.text import printable
from clipaudit.verdict import summarise
from clipaudit_reports.exporters.markup import safe, table

if TYPE_CHECKING:
    from huggingface_hub import EvalResult

TASK = "zero-shot-image-classification"
TOOL = "clipaudit"


def render_results(result: RunResult, gate: GateResult | None = None) -> str:
    """YAML of a card's `model-index`: every primary finding that has a value. No gate is part of it."""
    from huggingface_hub import ModelCardData

    found = [_entry(cell, estimate) for cell, estimate in _primary(result)]
    data = ModelCardData(model_name=printable(result.model.name), eval_results=found) if found else ModelCardData()
    return f"{data.to_yaml()}\n"


def render_card(result: RunResult, gate: GateResult | None = None) -> str:
    """A model card of the results as metadata and one section; what was not tested is part of it."""
    lines = ["## Audit of bias and robustness", "", f"**{safe(_verdict(result, gate))}**", ""]
    lines += [f"> {safe(warning)}\n>" for warning in result.model.warnings]
    heads = ("audit", "finding", "value", "95 % interval", "n", "what it says")
    lines += ["", *table(heads, (_row(cell, estimate) for cell, estimate in _primary(result)))]
    undone = [cell for cell in result.cells if cell.status is not CellStatus.DONE]
    if undone or result.not_tested:
        lines += ["", "### Not tested", ""]
        lines += [f"- {safe(cell.title or cell.slug)}: {cell.status.value}: {safe(cell.reason)}" for cell in undone]
        titles = {each.id: each.title or each.id for each in result.untested}
        lines += [f"- {safe(titles.get(name, name))}: not part of the suite" for name in result.not_tested]
    lines += ["", f"Made by {TOOL} {safe(result.clipaudit_version)}, suite {safe(result.suite)}, of the model with "
              f"fingerprint {result.model.fingerprint}."]  # fmt: skip
    return f"---\n{render_results(result)}---\n\n" + "\n".join(lines) + "\n"


def _verdict(result: RunResult, gate: GateResult | None) -> str:
    if gate is not None:
        return verdict_line(gate)
    verdict = summarise(result)
    return f"{verdict.state}: {verdict.headline}"


def _primary(result: RunResult) -> Iterator[tuple[CellResult, Estimate]]:
    for cell in result.cells:
        yield from ((cell, e) for e in cell.estimates if e.role in ("primary", "preset") and e.value is not None)


def _entry(cell: CellResult, estimate: Estimate) -> EvalResult:
    from huggingface_hub import EvalResult

    data = cell.data
    config = ", ".join(f"{key}: {value}" for key, value in estimate.subgroup.items())
    interval = estimate.interval
    ends = (
        {}
        if interval is None
        else {"interval": [interval.low, interval.high], "interval_method": printable(interval.method)}
    )
    return EvalResult(
        task_type=TASK,
        task_name=printable(cell.title or cell.slug),
        dataset_type=printable(data.id if data else cell.audit.id),
        dataset_name=printable(data.title if data else cell.audit.title),
        dataset_revision=data.digest if data else None,
        metric_type=printable(f"{cell.audit.id}.{estimate.metric}"),
        metric_name=printable(f"{estimate.title} ({config})" if config else estimate.title),
        metric_config=cell.key,  # keeps apart what the hub would merge: the same metric under other parameters
        metric_value=estimate.value,
        metric_args={"unit": printable(estimate.unit), "n": estimate.n, **ends},
    )


def _row(cell: CellResult, estimate: Estimate) -> tuple[str, ...]:
    interval = estimate.interval
    spread = None if interval is None else half_width(interval.low, interval.high)
    where = ", ".join(estimate.subgroup.values())
    return (
        cell.slug,
        f"{estimate.title} ({where})" if where else estimate.title,
        value_text(estimate.value, estimate.unit, spread=spread),
        "" if interval is None else interval_text(interval.low, interval.high, estimate.unit),
        count_text(estimate.n),
        estimate.sentence,
    )
