"""Disparity audit: is the model right about people of all groups, and does it give labels to all alike?

params  what is asked      rows      what the model chose      study, measures  rates per group, compared
estimates, templates, notes, sentences      figures
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from clipaudit.contract import Audit, Cell, Outcomes, PlanContext, Workload
from clipaudit.errors import UsageError
from clipaudit.results import Estimate, Figure
from clipaudit.zeroshot import prompts
from clipaudit_audits.social_bias.disparity_params import resolve, texts_asked
from clipaudit_audits.social_bias.disparity_rows import asked_images, measure
from clipaudit_audits.social_bias.disparity_spec import SPEC

if TYPE_CHECKING:
    import pyarrow as pa

    from clipaudit.models.protocol import Model
    from clipaudit.validation.plan import Validation


class Disparity(Audit):
    """One cell: one column of annotated classes, by all groups."""

    spec = SPEC

    def plan(self, ctx: PlanContext) -> list[Cell]:
        """UsageError for parameters, DataError for data that cannot answer the question; one line each."""
        if ctx.dataset is None:
            raise UsageError('disparity: give the audit a data set of people with groups (data = "fairface")')
        return super().plan(PlanContext(resolve(ctx.params, ctx.dataset), ctx.seed, ctx.dataset))

    def workload(self, cell: Cell) -> Workload:
        images = asked_images(cell.require_dataset(), cell.params)
        return Workload(images, prompts(texts_asked(cell.params), cell.params.templates))

    def run(self, cell: Cell, model: Model) -> pa.Table:
        """See `disparity_rows` for the columns."""
        return measure(cell.require_dataset(), cell.params, model)

    def score(self, cell: Cell, rows: pa.Table) -> list[Estimate]:
        from clipaudit_audits.social_bias.disparity_estimates import all_estimates
        from clipaudit_audits.social_bias.disparity_study import study

        return all_estimates(study(cell, rows))

    def figures(self, cell: Cell, rows: pa.Table, estimates: Sequence[Estimate]) -> list[Figure]:
        from clipaudit_audits.social_bias.disparity_figures import all_figures
        from clipaudit_audits.social_bias.disparity_study import study

        return all_figures(study(cell, rows), estimates)

    def outcomes(self, cell: Cell, rows: pa.Table, estimate: Estimate) -> Outcomes | None:
        from clipaudit_audits.social_bias.disparity_items import items_of
        from clipaudit_audits.social_bias.disparity_study import study

        return items_of(study(cell, rows), estimate)

    def validation(self) -> Sequence[Validation]:
        from clipaudit_audits.social_bias.disparity_validation import plans

        return plans()
