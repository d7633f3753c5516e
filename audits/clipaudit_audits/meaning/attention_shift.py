"""Which parts of an image does its score rest on, and does a misleading prompt move them?

relevance/  the methods      choices  images and prompts      stimuli  what is shown      run, rows  maps and checks
measures, items  per image      checks  whether maps are believed      estimates, figures, pictures  what is reported
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from clipaudit.contract import Audit, Cell, Outcomes, PlanContext, Workload
from clipaudit.errors import DataError
from clipaudit.results import Estimate, Figure
from clipaudit_audits.meaning import attention_shift_figures as plots
from clipaudit_audits.meaning.attention_shift_choices import choose, occluded
from clipaudit_audits.meaning.attention_shift_estimates import outcomes, results
from clipaudit_audits.meaning.attention_shift_items import items
from clipaudit_audits.meaning.attention_shift_pictures import top_of, views
from clipaudit_audits.meaning.attention_shift_rows import table
from clipaudit_audits.meaning.attention_shift_spec import SPEC

if TYPE_CHECKING:
    import pyarrow as pa

    from clipaudit.images import ImageRef
    from clipaudit.models.protocol import Model
    from clipaudit.validation.plan import Validation


class AttentionShift(Audit):
    """See `spec`."""

    spec = SPEC

    def plan(self, ctx: PlanContext) -> list[Cell]:
        """One cell. DataError without labels, or without labels that share no word."""
        if ctx.dataset is None:
            raise DataError("attention_shift: needs a data set; write data = '...' beside the id in the suite")
        choose(ctx.dataset, ctx.params, ctx.seed)
        return super().plan(ctx)

    def workload(self, cell: Cell) -> Workload:
        choices = choose(cell.require_dataset(), cell.params, cell.seed)
        covered = [picture for choice in choices if choice.checked for picture in occluded(choice, cell.params)]
        texts = [text for choice in choices for text in choice.prompts.values()]
        return Workload([*(choice.shown for choice in choices), *covered], list(dict.fromkeys(texts)))

    def run(self, cell: Cell, model: Model) -> pa.Table:
        from clipaudit_audits.meaning.attention_shift_run import records

        return table(records(cell, model))

    def score(self, cell: Cell, rows: pa.Table) -> list[Estimate]:
        return results(items(rows), {metric.name: metric for metric in cell.spec.metrics}, cell.seed)

    def outcomes(self, cell: Cell, rows: pa.Table, estimate: Estimate) -> Outcomes | None:
        return outcomes(items(rows), estimate)

    def figures(self, cell: Cell, rows: pa.Table, estimates: Sequence[Estimate]) -> list[Figure]:
        return plots.figures(items(rows), estimates, cell.seed)

    def pictures(self, cell: Cell, rows: pa.Table) -> Sequence[ImageRef]:
        shown = plots.gallery_items(items(rows), self.score(cell, rows))
        top = top_of(shown)
        return [picture for item in shown for picture in views(item, top)]

    def seconds(self, cell: Cell, model: Model) -> float:
        from clipaudit_audits.meaning.attention_shift_forecast import foresee

        return foresee(cell, model)

    def validation(self) -> Sequence[Validation]:
        from clipaudit_audits.meaning.attention_shift_validation import plans

        return plans()
