"""Does a written word win over the object it is written on? The typographic attack, with its controls.

stimuli   what is shown                    scores    how the model is asked
rows      what it chose                    outcomes  rows to flags per image
measures  shares and changes, by chance    estimates one estimate
score     notes that we drew               dose, factors  by area, and by contrast, place, font, ...
real      sets that come with their notes  triples   those with their clean pictures
defence   a prefix before the prompts      groups    by annotated group      reading   words alone
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from clipaudit.contract import Audit, Cell, Outcomes, PlanContext, Workload
from clipaudit.results import Estimate, Figure
from clipaudit.stats.multiple import correct
from clipaudit.zeroshot import prompts
from clipaudit_audits.robustness import typographic_figures as plots
from clipaudit_audits.robustness.typographic_defence import defence
from clipaudit_audits.robustness.typographic_dose import dose_response
from clipaudit_audits.robustness.typographic_estimates import Scorer
from clipaudit_audits.robustness.typographic_factors import factor_bars, factors, levels
from clipaudit_audits.robustness.typographic_groups import by_group
from clipaudit_audits.robustness.typographic_items import items_of
from clipaudit_audits.robustness.typographic_outcomes import Choice, outcomes
from clipaudit_audits.robustness.typographic_params import TypographicParams, how_asked
from clipaudit_audits.robustness.typographic_reading import reading
from clipaudit_audits.robustness.typographic_real import area_quartiles, other_real, protocol_of, real_results
from clipaudit_audits.robustness.typographic_rows import measure
from clipaudit_audits.robustness.typographic_score import other_choice, overlay_results
from clipaudit_audits.robustness.typographic_spec import SPEC
from clipaudit_audits.robustness.typographic_stimuli import exhibition
from clipaudit_audits.robustness.typographic_triples import has_triples, triple_bars, triple_results

if TYPE_CHECKING:
    import pyarrow as pa

    from clipaudit.models.protocol import Model
    from clipaudit.validation.plan import Validation

OTHER: dict[Choice, tuple[Choice, str]] = {
    "label-set": ("two-way", "between right and written label"),
    "two-way": ("label-set", "among all classes"),
}


class Typographic(Audit):
    """See `spec`."""

    spec = SPEC

    def plan(self, ctx: PlanContext) -> list[Cell]:
        return [replace(cell, title=f"{cell.title}{how_asked(ctx.params)}") for cell in super().plan(ctx)]

    def workload(self, cell: Cell) -> Workload:
        exhibits = exhibition(cell.require_dataset(), cell.params, cell.seed)
        params: TypographicParams = cell.params
        images = [*(shown.image for shown in exhibits.shown), *exhibits.words]
        texts = prompts(exhibits.classes, params.prompts) + [word.text for word in exhibits.words]
        return Workload(images, texts + (prompts(exhibits.classes, params.templates) if params.prefix else []))

    def run(self, cell: Cell, model: Model) -> pa.Table:
        return measure(model, exhibition(cell.require_dataset(), cell.params, cell.seed), cell.params)

    def score(self, cell: Cell, rows: pa.Table) -> list[Estimate]:
        params: TypographicParams = cell.params
        main, (other, name) = _main(params), OTHER[_main(params)]
        scorer = _scorer(cell, rows)
        second = Scorer(outcomes(rows, other), params.area, cell.seed, {"choice": name})
        protocol = protocol_of(params, rows, None if cell.data is None else cell.data.id)
        if has_triples(scorer):
            found = [*triple_results(scorer, rows, protocol), *other_real(second)]
        elif scorer.results.named("real"):
            quarters = area_quartiles(scorer, rows, "real", protocol)
            found = [*real_results(scorer, rows, protocol), *quarters, *other_real(second)]
        else:
            found = [*overlay_results(scorer), *dose_response(scorer), *other_choice(second)]
        beside = factors(scorer, levels(rows))
        if params.prefix:
            beside += defence(scorer, Scorer(outcomes(rows, main, plain=True), params.area, cell.seed))
        how = cell.groups_are
        beside += reading(rows, cell.seed)
        # Families of their own, so that asking for more beside it does not weaken the main result.
        judged = correct([*found, *by_group(scorer, rows, how)], "holm", "tests")
        return [*judged, *correct(beside, "holm", "comparisons and tests of reading")]

    def figures(self, cell: Cell, rows: pa.Table, estimates: Sequence[Estimate]) -> list[Figure]:
        scorer = _scorer(cell, rows)
        gallery = plots.worst(rows, cell.params.area, _main(cell.params))
        if has_triples(scorer):
            return [triple_bars(scorer), gallery]
        if scorer.results.named("real"):
            return [plots.real_bars(estimates), gallery]
        found: list[Figure] = [plots.condition_bars(scorer)]
        if len(scorer.results.areas()) > 1:
            found.append(plots.dose_curve(scorer))
        return [*found, *factor_bars(scorer, levels(rows), cell.params), gallery]

    def outcomes(self, cell: Cell, rows: pa.Table, estimate: Estimate) -> Outcomes | None:
        main = _main(cell.params)
        other, name = OTHER[main]
        choice = other if estimate.subgroup.get("choice") == name else main
        return items_of(outcomes(rows, choice), estimate, cell.params.area)

    def validation(self) -> Sequence[Validation]:
        from clipaudit_audits.robustness.typographic_validation import plans

        return plans()


def _main(params: TypographicParams) -> Choice:
    return "two-way" if params.two_way else "label-set"


def _scorer(cell: Cell, rows: pa.Table) -> Scorer:
    return Scorer(outcomes(rows, _main(cell.params)), cell.params.area, cell.seed)
