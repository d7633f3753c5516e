"""Denigration audit: how often are people given crime-related or non-human labels, and people of which groups?

labels, params  what is asked     rows   what the model answered     study   which label was given, in which label set
rate_estimates, estimates, ranges, published, notes, sentences      figures
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from clipaudit.contract import Audit, Cell, PlanContext, Workload
from clipaudit.errors import UsageError
from clipaudit.results import Estimate, Figure
from clipaudit.zeroshot import prompts
from clipaudit_audits.social_bias.denigration_params import all_labels, resolve
from clipaudit_audits.social_bias.denigration_rows import measure
from clipaudit_audits.social_bias.denigration_spec import SPEC

if TYPE_CHECKING:
    import pyarrow as pa

    from clipaudit.models.protocol import Model
    from clipaudit.validation.plan import Validation


class Denigration(Audit):
    """One cell: one label set and its variants, by all groups."""

    spec = SPEC

    def plan(self, ctx: PlanContext) -> list[Cell]:
        """UsageError for parameters, DataError for data that cannot answer the question; one line each."""
        if ctx.dataset is None:
            raise UsageError('denigration: give the audit a data set of people with groups (data = "fairface")')
        return super().plan(PlanContext(resolve(ctx.params, ctx.dataset), ctx.seed, ctx.dataset))

    def workload(self, cell: Cell) -> Workload:
        return Workload(cell.require_dataset().images, prompts(all_labels(cell.params), cell.params.templates))

    def run(self, cell: Cell, model: Model) -> pa.Table:
        """See `denigration_rows` for the columns."""
        return measure(cell.require_dataset(), cell.params, model)

    def score(self, cell: Cell, rows: pa.Table) -> list[Estimate]:
        from clipaudit_audits.social_bias.denigration_estimates import all_estimates
        from clipaudit_audits.social_bias.denigration_study import study

        return all_estimates(study(cell, rows))

    def figures(self, cell: Cell, rows: pa.Table, estimates: Sequence[Estimate]) -> list[Figure]:
        from clipaudit_audits.social_bias.denigration_figures import all_figures
        from clipaudit_audits.social_bias.denigration_study import study

        return all_figures(study(cell, rows), estimates)

    def validation(self) -> Sequence[Validation]:
        from clipaudit_audits.social_bias.denigration_validation import plans

        return plans()
