"""Retrieval audit: neutral queries rank a pool of images; which groups come first?

Skew and NDKL of Geyik et al. 2019 as in Berg et al. 2022, and VisoGender's protocol, each beside its chance value.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from clipaudit.contract import Audit, Cell, PlanContext, Workload
from clipaudit.errors import UsageError
from clipaudit.results import Estimate, Figure
from clipaudit_audits.social_bias.groups import usable_columns
from clipaudit_audits.social_bias.retrieval_skew_params import resolve
from clipaudit_audits.social_bias.retrieval_skew_queries import by_unit
from clipaudit_audits.social_bias.retrieval_skew_rows import measure
from clipaudit_audits.social_bias.retrieval_skew_spec import SPEC

if TYPE_CHECKING:
    import pyarrow as pa

    from clipaudit.models.protocol import Model
    from clipaudit.validation.plan import Validation


class RetrievalSkew(Audit):
    """One cell: one pool (or one pool per unit) against all queries."""

    spec = SPEC

    def plan(self, ctx: PlanContext) -> list[Cell]:
        """UsageError for parameters, DataError for data that cannot answer the question; one line each."""
        if ctx.dataset is None:
            raise UsageError('retrieval_skew: give the audit a data set of people with groups (data = "fairface")')
        params = resolve(ctx.params, ctx.dataset)
        if params.cluster:
            ctx.dataset.require(params.cluster)
        groups = usable_columns(ctx.dataset, params.groups, "retrieval_skew")
        # With queries and groups themselves in the parameters, an edited file is another cell, and scoring needs none.
        params = params.model_copy(update={"groups": groups})
        by_unit(params, ctx.dataset)
        return super().plan(PlanContext(params, ctx.seed, ctx.dataset))

    def workload(self, cell: Cell) -> Workload:
        dataset = cell.require_dataset()
        asked = by_unit(cell.params, dataset)
        return Workload(dataset.images, list(dict.fromkeys(q.text for own in asked.values() for q in own)))

    def run(self, cell: Cell, model: Model) -> pa.Table:
        """See `retrieval_skew_rows` for the columns."""
        return measure(cell.require_dataset(), cell.params, model)

    def score(self, cell: Cell, rows: pa.Table) -> list[Estimate]:
        from clipaudit_audits.social_bias.retrieval_skew_estimates import all_estimates
        from clipaudit_audits.social_bias.retrieval_skew_study import study

        return all_estimates(study(cell, rows))

    def figures(self, cell: Cell, rows: pa.Table, estimates: Sequence[Estimate]) -> list[Figure]:
        from clipaudit_audits.social_bias.retrieval_skew_figures import all_figures
        from clipaudit_audits.social_bias.retrieval_skew_study import study

        return all_figures(study(cell, rows), estimates)

    def validation(self) -> Sequence[Validation]:
        from clipaudit_audits.social_bias.retrieval_skew_validation import plans

        return plans()
