"""Does the model still see what it saw when the picture is corrupted, or changed a little?

rows      what is shown, and predictions       measures   paired changes, mean corruption error
reference the reference model's errors         score      rows to estimates
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from clipaudit.contract import Audit, Cell, Outcomes, Workload
from clipaudit.results import Estimate, Figure
from clipaudit.stats.multiple import correct
from clipaudit.stimuli.corruption import require_package
from clipaudit.zeroshot import prompts
from clipaudit_audits.robustness import corruptions_figures as plots
from clipaudit_audits.robustness.corruptions_items import items_of
from clipaudit_audits.robustness.corruptions_measures import outcomes
from clipaudit_audits.robustness.corruptions_params import CorruptionParams
from clipaudit_audits.robustness.corruptions_reference import ReferenceCells, load_reference
from clipaudit_audits.robustness.corruptions_rows import measure, pictures
from clipaudit_audits.robustness.corruptions_score import estimates
from clipaudit_audits.robustness.corruptions_spec import SPEC
from clipaudit_audits.robustness.labelled import Labelled, group_columns, labelled

if TYPE_CHECKING:
    import pyarrow as pa

    from clipaudit.contract import PlanContext
    from clipaudit.models.protocol import Model
    from clipaudit.validation.plan import Validation


class Corruptions(Audit):
    """See `spec`."""

    spec = SPEC

    def plan(self, ctx: PlanContext) -> list[Cell]:
        """Raises DataUnavailable without the package that draws corruptions."""
        require_package()
        cells = super().plan(ctx)
        for cell in cells:  # what is lacking is said before anything runs
            _shown(cell)
            _groups(cell)
            _reference(cell)
        return cells

    def workload(self, cell: Cell) -> Workload:
        shown = _shown(cell)
        return Workload([p.image for p in pictures(shown, cell.params)], prompts(shown.classes, cell.params.templates))

    def run(self, cell: Cell, model: Model) -> pa.Table:
        return measure(model, _shown(cell), _groups(cell), cell.params, _reference(cell))

    def score(self, cell: Cell, rows: pa.Table) -> list[Estimate]:
        return correct(estimates(outcomes(rows.to_pylist(), cell.groups_are), cell.seed), "holm", "tests")

    def figures(self, cell: Cell, rows: pa.Table, estimates: Sequence[Estimate]) -> list[Figure]:
        records = rows.to_pylist()
        found = outcomes(records, cell.groups_are)
        if not found.bases:
            return []
        optional = [plots.by_severity(found, cell.seed), plots.small_changes(estimates)]
        return [plots.matrix(found), *(figure for figure in optional if figure is not None), plots.worst(records)]

    def outcomes(self, cell: Cell, rows: pa.Table, estimate: Estimate) -> Outcomes | None:
        return items_of(outcomes(rows.to_pylist(), cell.groups_are), estimate)

    def validation(self) -> Sequence[Validation]:
        from clipaudit_audits.robustness.corruptions_validation import plans

        return plans()


def _groups(cell: Cell) -> tuple[str, ...]:
    return group_columns(cell.require_dataset(), cell.params.groups, cell.params.target)


def _reference(cell: Cell) -> ReferenceCells | None:
    return load_reference(cell.params.reference, cell.require_dataset().id)


def _shown(cell: Cell) -> Labelled:
    params: CorruptionParams = cell.params
    return labelled(
        cell.require_dataset(), SPEC.id, target=params.target, classes=params.classes, images=params.images,
        seed=cell.seed,
    )  # fmt: skip
