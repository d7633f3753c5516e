"""Does a written word win over the object it is written on? The typographic attack, with its controls.

stimuli   what is shown        rows      what the model chose      outcomes  rows to flags per image
measures  shares and changes, by chance      items  what each image contributes      dose      flips by note area
estimates one estimate       score     those on notes that we drew      real      those on sets photographed with notes
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from clipaudit.contract import Audit, Cell, Outcomes, Workload
from clipaudit.results import Estimate, Figure
from clipaudit.stats.multiple import correct
from clipaudit.zeroshot import prompts
from clipaudit_audits.robustness import typographic_figures as plots
from clipaudit_audits.robustness.typographic_dose import dose_response
from clipaudit_audits.robustness.typographic_estimates import Scorer
from clipaudit_audits.robustness.typographic_items import items_of
from clipaudit_audits.robustness.typographic_outcomes import Choice, outcomes
from clipaudit_audits.robustness.typographic_params import TypographicParams
from clipaudit_audits.robustness.typographic_real import other_real, real_results
from clipaudit_audits.robustness.typographic_rows import measure
from clipaudit_audits.robustness.typographic_score import other_choice, overlay_results
from clipaudit_audits.robustness.typographic_spec import SPEC
from clipaudit_audits.robustness.typographic_stimuli import exhibition

if TYPE_CHECKING:
    import pyarrow as pa

    from clipaudit.models.protocol import Model

OTHER: dict[Choice, tuple[Choice, str]] = {
    "label-set": ("two-way", "between right and written label"),
    "two-way": ("label-set", "among all classes"),
}


class Typographic(Audit):
    """See `spec`."""

    spec = SPEC

    def workload(self, cell: Cell) -> Workload:
        exhibits = exhibition(cell.require_dataset(), cell.params, cell.seed)
        images = [shown.image for shown in exhibits.shown]
        return Workload(images, prompts(exhibits.classes, cell.params.prompts))

    def run(self, cell: Cell, model: Model) -> pa.Table:
        return measure(model, exhibition(cell.require_dataset(), cell.params, cell.seed), cell.params)

    def score(self, cell: Cell, rows: pa.Table) -> list[Estimate]:
        params: TypographicParams = cell.params
        main, (other, name) = _main(params), OTHER[_main(params)]
        scorer = Scorer(outcomes(rows, main), params.area, cell.seed)
        second = Scorer(outcomes(rows, other), params.area, cell.seed, {"choice": name})
        if scorer.results.named("real"):
            found = [*real_results(scorer, rows, main, params.protocol == "rta100"), *other_real(second)]
        else:
            found = [*overlay_results(scorer), *dose_response(scorer), *other_choice(second)]
        return correct(found, "holm", "tests")

    def figures(self, cell: Cell, rows: pa.Table, estimates: Sequence[Estimate]) -> list[Figure]:
        scorer = Scorer(outcomes(rows, _main(cell.params)), cell.params.area, cell.seed)
        if scorer.results.named("real"):
            return [plots.real_bars(estimates), plots.worst(rows, cell.params.area)]
        found: list[Figure] = [plots.condition_bars(scorer), plots.worst(rows, cell.params.area)]
        if len(scorer.results.areas()) > 1:
            found.insert(1, plots.dose_curve(scorer))
        return found

    def outcomes(self, cell: Cell, rows: pa.Table, estimate: Estimate) -> Outcomes | None:
        main = _main(cell.params)
        other, name = OTHER[main]
        choice = other if estimate.subgroup.get("choice") == name else main
        return items_of(outcomes(rows, choice), estimate, cell.params.area)


def _main(params: TypographicParams) -> Choice:
    return "two-way" if params.protocol == "two-way" else "label-set"
