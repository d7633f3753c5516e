"""How small a change of the pixels deceives the model? Adversarial images, with checks of the measurement itself.

attacks/  the attacks      subjects  which images, and the model as victim      rows     what is kept, and resumed
white     robust accuracy per radius      targeted  any image to any text      for_all  one change or patch for all
transfer  examples shown to a second model
estimates, checks, score   rows to estimates      figures, pictures   what is shown      forecast   how long it takes
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from clipaudit.contract import Audit, Cell, PlanContext, Workload
from clipaudit.errors import DataError
from clipaudit.results import Estimate, Figure
from clipaudit.zeroshot import prompts
from clipaudit_audits.robustness import adversarial_figures as plots
from clipaudit_audits.robustness import adversarial_score as scoring
from clipaudit_audits.robustness.adversarial_estimates import readable
from clipaudit_audits.robustness.adversarial_params import AdversarialParams, Part
from clipaudit_audits.robustness.adversarial_pictures import Picture, pictures
from clipaudit_audits.robustness.adversarial_rows import Journal
from clipaudit_audits.robustness.adversarial_spec import SPEC
from clipaudit_audits.robustness.adversarial_subjects import draw, prepare

if TYPE_CHECKING:
    import pyarrow as pa

    from clipaudit.models.protocol import Model
    from clipaudit.validation.plan import Validation

TITLES: dict[Part, str] = {
    "linf": "every pixel a little (L-infinity)",
    "l2": "the whole image a little (L2)",
    "targeted": "any image to any text",
    "universal": "one change for all images",
    "patch": "one square patch for all images",
    "transfer": "shown to a second model",
}


class Adversarial(Audit):
    """See `spec`. Each part is a cell of its own."""

    spec = SPEC

    def plan(self, ctx: PlanContext) -> list[Cell]:
        if ctx.dataset is None:
            raise DataError("adversarial: needs a data set; write data = '...' beside id = 'adversarial' in the suite")
        draw(ctx.dataset, ctx.params, ctx.seed)
        return [
            Cell(
                self.spec, ctx.params.model_copy(update={"parts": (part,)}), ctx.seed, ctx.dataset.info,
                f"{self.spec.title}, {TITLES[part]}: {ctx.dataset.info.title}", ctx.dataset,
            )
            for part in ctx.params.parts
        ]  # fmt: skip

    def workload(self, cell: Cell) -> Workload:
        sample = draw(cell.require_dataset(), cell.params, cell.seed)
        return Workload(sample.images, [*prompts(sample.classes, cell.params.templates), *_texts(cell)])

    def run(self, cell: Cell, model: Model) -> pa.Table:
        import pyarrow as pa

        from clipaudit_audits.robustness import (
            adversarial_for_all,
            adversarial_targeted,
            adversarial_transfer,
            adversarial_white,
        )

        trial, journal, part = prepare(cell, model, _texts(cell)), Journal(cell.scratch), _part(cell)
        if part in ("linf", "l2"):
            return pa.concat_tables(adversarial_white.white_box(trial, journal, part))
        if part in ("universal", "patch"):
            return pa.concat_tables(adversarial_for_all.for_all(trial, journal, part))
        pieces = {"targeted": adversarial_targeted.targeted, "transfer": adversarial_transfer.transfer}
        return pa.concat_tables(pieces[part](trial, journal))

    def score(self, cell: Cell, rows: pa.Table) -> list[Estimate]:
        part, kept = _part(cell), readable(rows)
        if part in ("linf", "l2"):
            return scoring.white_box(kept, cell.seed, cell.groups_are)
        if part == "targeted":
            return scoring.targeted(kept, cell.seed)
        return scoring.transfer(kept, cell.seed) if part == "transfer" else scoring.for_all(kept, cell.seed, part)

    def figures(self, cell: Cell, rows: pa.Table, estimates: Sequence[Estimate]) -> list[Figure]:
        part = _part(cell)
        if part in ("linf", "l2"):
            return [plots.robust_curve(readable(rows), estimates, part), *plots.gallery(rows, "attack")]
        if part == "targeted":
            return [plots.targeted_curve(estimates, readable(rows))]
        return [plots.beside_noise(estimates), *plots.gallery(rows, part)]

    def pictures(self, cell: Cell, rows: pa.Table) -> list[Picture]:
        return pictures(rows)

    def seconds(self, cell: Cell, model: Model) -> float:
        from clipaudit_audits.robustness.adversarial_forecast import foresee

        return foresee(cell, model, _texts(cell))

    def validation(self) -> Sequence[Validation]:
        from clipaudit_audits.robustness.adversarial_validation import plans

        return plans()


def _part(cell: Cell) -> Part:
    """The one part that the cell is."""
    params: AdversarialParams = cell.params
    return params.parts[0]


def _texts(cell: Cell) -> tuple[str, ...]:
    """Texts beside the class prompts."""
    params: AdversarialParams = cell.params
    return params.wanted if _part(cell) == "targeted" else ()
