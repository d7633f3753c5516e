"""Does a stated confidence mean what it says, for every group?

rows      answers and confidences     measures   bins, errors, selective accuracy     score   rows to estimates
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from clipaudit.contract import Audit, Cell, Workload
from clipaudit.results import Estimate, Figure
from clipaudit.stats.multiple import correct
from clipaudit.zeroshot import prompts
from clipaudit_audits.robustness import calibration_figures as plots
from clipaudit_audits.robustness.calibration_params import CalibrationParams
from clipaudit_audits.robustness.calibration_rows import measure
from clipaudit_audits.robustness.calibration_score import answers, estimates
from clipaudit_audits.robustness.calibration_spec import SPEC
from clipaudit_audits.robustness.labelled import Labelled, group_columns, labelled

if TYPE_CHECKING:
    import pyarrow as pa

    from clipaudit.contract import PlanContext
    from clipaudit.models.protocol import Model
    from clipaudit.validation.plan import Validation


class Calibration(Audit):
    """See `spec`."""

    spec = SPEC

    def plan(self, ctx: PlanContext) -> list[Cell]:
        cells = super().plan(ctx)
        for cell in cells:  # what the data lacks is said before anything runs
            _shown(cell)
            _groups(cell)
        return cells

    def workload(self, cell: Cell) -> Workload:
        shown = _shown(cell)
        return Workload(shown.images, prompts(shown.classes, cell.params.templates))

    def run(self, cell: Cell, model: Model) -> pa.Table:
        return measure(model, _shown(cell), _groups(cell), cell.params)

    def score(self, cell: Cell, rows: pa.Table) -> list[Estimate]:
        return correct(estimates(answers(rows.to_pylist(), cell.groups_are), cell.params, cell.seed), "holm", "tests")

    def figures(self, cell: Cell, rows: pa.Table, estimates: Sequence[Estimate]) -> list[Figure]:
        records = rows.to_pylist()
        found = answers(records, cell.groups_are)
        if not found.clusters:
            return []
        groups = plots.by_group(estimates)
        return [
            plots.reliability(found, cell.params, estimates, cell.seed),
            plots.selection(found),
            *([groups] if groups else []),
            plots.worst(records),
        ]

    def validation(self) -> Sequence[Validation]:
        from clipaudit_audits.robustness.calibration_validation import plans

        return plans()


def _groups(cell: Cell) -> tuple[str, ...]:
    return group_columns(cell.require_dataset(), cell.params.groups, cell.params.target)


def _shown(cell: Cell) -> Labelled:
    params: CalibrationParams = cell.params
    return labelled(
        cell.require_dataset(), SPEC.id, target=params.target, classes=params.classes, images=params.images,
        seed=cell.seed,
    )  # fmt: skip
