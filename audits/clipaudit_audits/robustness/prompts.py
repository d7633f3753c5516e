"""Do results hang on the wording of the prompt?

rows      answers under every wording, label set and crop      measures   spread, changes, ranks
groups    gaps between annotated groups, specification curve   score      rows to estimates
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from clipaudit.contract import Audit, Cell, Workload
from clipaudit.results import Estimate, Figure
from clipaudit.zeroshot import prompts
from clipaudit_audits.robustness import prompts_figures as plots
from clipaudit_audits.robustness.labelled import Labelled, group_columns, labelled
from clipaudit_audits.robustness.prompts_measures import answers
from clipaudit_audits.robustness.prompts_params import PromptParams
from clipaudit_audits.robustness.prompts_rows import cropped, measure, wordings
from clipaudit_audits.robustness.prompts_score import estimates
from clipaudit_audits.robustness.prompts_spec import SPEC

if TYPE_CHECKING:
    import pyarrow as pa

    from clipaudit.contract import PlanContext
    from clipaudit.models.protocol import Model
    from clipaudit.validation.plan import Validation


class Prompts(Audit):
    """See `spec`."""

    spec = SPEC

    def plan(self, ctx: PlanContext) -> list[Cell]:
        cells = super().plan(ctx)
        for cell in cells:  # what the data lacks is said before anything runs
            wordings(_shown(cell).classes, cell.params)
            _groups(cell)
        return cells

    def workload(self, cell: Cell) -> Workload:
        shown, params = _shown(cell), cell.params
        texts = [text for each in wordings(shown.classes, params) for text in prompts(each.texts, params.templates)]
        return Workload([cropped(i, crop) for crop in params.crops for i in shown.images], list(dict.fromkeys(texts)))

    def run(self, cell: Cell, model: Model) -> pa.Table:
        return measure(model, _shown(cell), _groups(cell), cell.params)

    def score(self, cell: Cell, rows: pa.Table) -> list[Estimate]:
        return estimates(answers(rows.to_pylist(), cell.groups_are), cell.params, cell.seed)

    def figures(self, cell: Cell, rows: pa.Table, estimates: Sequence[Estimate]) -> list[Figure]:
        found = answers(rows.to_pylist(), cell.groups_are)
        if found is None:
            return []
        curves = [figure for column in found.groups for figure in plots.specification(found, column, cell.params)]
        return [plots.by_template(estimates), *curves, plots.worst(found)]

    def validation(self) -> Sequence[Validation]:
        from clipaudit_audits.robustness.prompts_validation import plans

        return plans()


def _groups(cell: Cell) -> tuple[str, ...]:
    return group_columns(cell.require_dataset(), cell.params.groups, cell.params.target)


def _shown(cell: Cell) -> Labelled:
    params: PromptParams = cell.params
    return labelled(
        cell.require_dataset(), SPEC.id, target=params.target, classes=params.classes, images=params.images,
        seed=cell.seed,
    )  # fmt: skip
