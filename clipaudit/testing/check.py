"""`check_audit`: one audit, one data set, one model, all rules."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from clipaudit.contract import Audit, Cell, PlanContext
from clipaudit.errors import DataUnavailable, UsageError
from clipaudit.models.control import load_control
from clipaudit.results import CellResult, CellStatus, Estimate, Figure
from clipaudit.testing import rules_figures, rules_outcomes, rules_plan, rules_rows, rules_score, rules_spec
from clipaudit.testing.findings import AuditCheckError, Problems, first_difference
from clipaudit.testing.spy import SpyModel

if TYPE_CHECKING:
    import pyarrow as pa

    from clipaudit.data.dataset import Dataset
    from clipaudit.models.protocol import Model


def check_audit(
    audit: Audit | type[Audit],
    dataset: Dataset | Literal["first in reach"] | None = "first in reach",
    model: Model | None = None,
    *,
    params: Mapping[str, Any] | None = None,
    seed: int = 0,
) -> None:
    """Try an audit against the contract.

    Args:
        audit: the plug-in, or its class.
        dataset: what it is tried on; None is without any. By default the first of `spec.data` that is in reach, or
            none where the audit names none.
        model: what it is tried with; None is `control:null`, which looks at no pixel and knows every image and text.
        params: of the audit; None are the defaults.

    Raises:
        AuditCheckError: (an AssertionError) with one line for each broken rule.
        DataUnavailable: no data set is given, and none that the audit is made for is in reach.
        UsageError: `params` are not parameters of the audit.
    """
    made = audit() if isinstance(audit, type) else audit
    problems = list(rules_spec.declared(made))
    if not any(problem.startswith("spec.params") for problem in problems):
        data = opened(made) if dataset == "first in reach" else dataset
        context = PlanContext(parsed(made, params or {}), seed, data)
        problems += _checked(made, context, model or load_control("null"))
    if problems:
        raise AuditCheckError(made.spec.id, list(dict.fromkeys(problems)))


def parsed(audit: Audit, params: Mapping[str, Any]) -> Any:
    """The parameters as the audit's own type; UsageError naming the first that is wrong."""
    from pydantic import ValidationError

    try:
        return audit.spec.params.model_validate(dict(params))
    except ValidationError as error:
        problem = error.errors()[0]
        raise UsageError(f"audit {audit.spec.id!r}: parameter {problem['loc'][0]}: {problem['msg']}") from error


def opened(audit: Audit) -> Dataset | None:
    """The first set in reach that the audit is made for, None where it names none; DataUnavailable with all reasons."""
    from clipaudit.data.registry import DataRegistry

    if not audit.spec.data:
        return None
    registry = DataRegistry({})
    reasons = {name: registry.reach(name) for name in audit.spec.data}
    for name, reason in reasons.items():
        if reason is None:
            return registry.open(name)
    raise DataUnavailable("; ".join(f"{name}: {reason}" for name, reason in reasons.items()))


def _checked(audit: Audit, context: PlanContext, model: Model) -> Problems:
    cells = audit.plan(context)
    yield from rules_plan.planned(audit, cells, audit.plan(context))
    for cell in cells:
        yield from _cell(audit, cell, model)


def _cell(audit: Audit, cell: Cell, model: Model) -> Problems:
    spy = SpyModel(model)
    rows = audit.run(cell, spy)
    workload = audit.workload(cell)
    yield from rules_plan.announced(workload, audit.workload(cell), spy)
    yield from rules_plan.needed(audit, spy)
    shape = list(rules_rows.shaped(rows))
    yield from shape
    if shape:
        return
    yield from rules_rows.repeated(rows, audit.run(cell, SpyModel(model)))
    yield from rules_rows.readable(rows, all_good=True)
    shown = (*workload.images, *audit.pictures(replace(cell, dataset=None), rows))
    yield from _scored(audit, cell, rows, {image.id for image in shown})
    if workload.images:
        yield from _with_broken_image(audit, cell, model, workload.images[0].id)


def _scored(audit: Audit, cell: Cell, rows: pa.Table, images: set[str]) -> Problems:
    """Estimates and figures, from rows alone."""
    bare = replace(cell, dataset=None)
    try:
        estimates = audit.score(bare, rows)
        figures = audit.figures(bare, rows, estimates)
    except Exception as error:  # an audit is a plug-in: it may raise anything
        yield f"score: with rows alone (no data set, no model) it fails: {_line(error)}"
        return
    yield from rules_score.judged(audit, estimates)
    yield from rules_outcomes.contributed(audit, bare, rows, estimates)
    yield from rules_figures.drawn(figures, images)
    first = _json(bare, estimates, figures)
    yield from _same(audit, bare, first, "called twice", lambda: rows)
    yield from _same(audit, bare, first, "on rows that were stored and read back", lambda: _stored(rows))
    yield from _same(audit, bare, first, "on rows in another order", lambda: _shuffled(rows), _counted)


def _same(
    audit: Audit,
    cell: Cell,
    first: Any,
    what: str,
    variant: Callable[[], pa.Table],
    part: Callable[[Any], Any] = lambda result: result,
) -> Problems:
    try:
        rows = variant()
        estimates = audit.score(cell, rows)
        found = _json(cell, estimates, audit.figures(cell, rows, estimates))
    except Exception as error:
        yield f"score: {what} it fails: {_line(error)}"
        return
    if (difference := first_difference(part(first), part(found))) is not None:
        yield f"score: {what} it gives another result: {difference}"


def _with_broken_image(audit: Audit, cell: Cell, model: Model, broken: str) -> Problems:
    try:
        rows = audit.run(cell, SpyModel(model, frozenset({broken})))
    except Exception as error:
        yield f"rows: where one image cannot be read, run() fails: {_line(error)}"
        return
    yield from rules_rows.marked(rows, broken)
    bare = replace(cell, dataset=None)
    try:
        estimates = audit.score(bare, rows)
        _json(bare, estimates, audit.figures(bare, rows, estimates))
    except Exception as error:
        yield f"score: where one image could not be read, it fails: {_line(error)}"
        return
    yield from rules_score.judged(audit, estimates)


def _json(cell: Cell, estimates: list[Estimate], figures: list[Figure]) -> Any:
    """The result as it is written; raises where it cannot be written and read back."""
    result = CellResult(
        key=cell.key("model"), slug=cell.slug, title=cell.title, audit=cell.spec.info(), data=cell.data,
        params=cell.params.model_dump(mode="json"), seed=cell.seed, status=CellStatus.DONE,
        estimates=tuple(estimates), figures=tuple(figures),
    )  # fmt: skip
    text = result.model_dump_json()
    CellResult.model_validate_json(text)
    return json.loads(text)


def _counted(result: Any) -> Any:
    """What may not depend on the order of rows: all but what resampling with a seed gives, and its words."""
    names = ("metric", "title", "value", "role", "subgroup", "n", "clusters", "status")
    kept = [{name: estimate[name] for name in names} for estimate in result["estimates"]]
    return {"estimates": sorted(kept, key=lambda e: (e["metric"], e["role"], sorted(e["subgroup"].items())))}


def _shuffled(rows: pa.Table) -> pa.Table:
    return rows.take(np.random.default_rng(1).permutation(rows.num_rows))


def _stored(rows: pa.Table) -> pa.Table:
    import pyarrow.parquet as pq

    buffer = io.BytesIO()
    pq.write_table(rows, buffer)
    buffer.seek(0)
    return pq.read_table(buffer)


def _line(error: Exception) -> str:
    first = str(error).splitlines()[0] if str(error) else "no message"
    return f"{type(error).__name__}: {first}"
