"""What does the model need to see? Accuracy as information is taken away from the same images by degrees.

rows      what is shown, and predictions       measures   curves and areas
score     rows to estimates                    figures    curves, and one image through the levels
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from clipaudit.contract import Audit, Cell, Workload
from clipaudit.results import Estimate, Figure
from clipaudit.zeroshot import prompts
from clipaudit_audits.meaning import manipulations_figures as plots
from clipaudit_audits.meaning.manipulations_measures import outcomes
from clipaudit_audits.meaning.manipulations_params import ManipulationParams
from clipaudit_audits.meaning.manipulations_rows import measure, pictures
from clipaudit_audits.meaning.manipulations_score import estimates
from clipaudit_audits.meaning.manipulations_spec import SPEC
from clipaudit_audits.robustness.labelled import Labelled, labelled

if TYPE_CHECKING:
    import pyarrow as pa

    from clipaudit.contract import PlanContext
    from clipaudit.models.protocol import Model
    from clipaudit.validation.plan import Validation


class Manipulations(Audit):
    """See `spec`."""

    spec = SPEC

    def plan(self, ctx: PlanContext) -> list[Cell]:
        cells = super().plan(ctx)
        for cell in cells:  # what is lacking is said before anything runs
            _shown(cell)
        if ctx.params.protocol == "suppression":
            return [replace(cell, title=f"{cell.title} (suppression)") for cell in cells]
        return cells

    def workload(self, cell: Cell) -> Workload:
        shown = _shown(cell)
        return Workload([p.image for p in pictures(shown, cell.params)], prompts(shown.classes, cell.params.templates))

    def run(self, cell: Cell, model: Model) -> pa.Table:
        return measure(model, _shown(cell), cell.params)

    def score(self, cell: Cell, rows: pa.Table) -> list[Estimate]:
        return estimates(outcomes(rows.to_pylist()), cell.params.protocol, cell.seed)

    def figures(self, cell: Cell, rows: pa.Table, estimates: Sequence[Estimate]) -> list[Figure]:
        records = rows.to_pylist()
        found = outcomes(records)
        if not any(curve.clusters for curve in found.curves):
            return []
        return [plots.losses(estimates), *plots.curves(found, cell.seed), plots.strengths(records)]

    def validation(self) -> Sequence[Validation]:
        from clipaudit_audits.meaning.manipulations_validation import plans

        return plans()


def _shown(cell: Cell) -> Labelled:
    params: ManipulationParams = cell.params
    return labelled(
        cell.require_dataset(), SPEC.id, target=params.target, classes=params.classes, images=params.images,
        seed=cell.seed,
    )  # fmt: skip
