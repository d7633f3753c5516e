"""Shape against texture: what is an object with the outline of one thing and the surface of another taken for?

stimuli     what is shown: published stimuli, or conflicts made of cut-outs       categories  the 16 published classes
rows        decisions of the model       measures  shape bias and its kin
score       estimates on published stimuli          composed    estimates on conflicts of our own
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from clipaudit.contract import Audit, Cell, Outcomes, Workload
from clipaudit.results import Estimate, Figure
from clipaudit.stats.multiple import correct
from clipaudit.zeroshot import prompts
from clipaudit_audits.meaning import cue_conflict_figures as plots
from clipaudit_audits.meaning.cue_conflict_categories import imagenet_names
from clipaudit_audits.meaning.cue_conflict_composed import composed_results
from clipaudit_audits.meaning.cue_conflict_items import items_of
from clipaudit_audits.meaning.cue_conflict_params import CueConflictParams
from clipaudit_audits.meaning.cue_conflict_rows import measure, prompt_sets
from clipaudit_audits.meaning.cue_conflict_score import published_results
from clipaudit_audits.meaning.cue_conflict_spec import SPEC
from clipaudit_audits.meaning.cue_conflict_stimuli import selection

if TYPE_CHECKING:
    import pyarrow as pa

    from clipaudit.contract import PlanContext
    from clipaudit.models.protocol import Model
    from clipaudit.validation.plan import Validation


class CueConflict(Audit):
    """See `spec`."""

    spec = SPEC

    def plan(self, ctx: PlanContext) -> list[Cell]:
        """One cell; its title says which protocol where it is not the usual one."""
        cells = super().plan(ctx)
        if ctx.params.protocol == "direct":
            return cells
        return [replace(cell, title=f"{cell.title} ({ctx.params.protocol})") for cell in cells]

    def workload(self, cell: Cell) -> Workload:
        chosen = selection(cell.require_dataset(), cell.params, cell.seed)
        labels = imagenet_names() if cell.params.protocol == "imagenet1k" else chosen.classes
        texts = [text for templates in prompt_sets(cell.params).values() for text in prompts(labels, templates)]
        return Workload([one.image for one in chosen.stimuli], texts)

    def run(self, cell: Cell, model: Model) -> pa.Table:
        return measure(model, selection(cell.require_dataset(), cell.params, cell.seed), cell.params)

    def score(self, cell: Cell, rows: pa.Table) -> list[Estimate]:
        params: CueConflictParams = cell.params
        if _published(rows):
            found = published_results(rows, params.protocol, cell.seed)
        else:
            found = composed_results(rows, params.pairs, params.protocol == "caption-steered", cell.seed)
        return correct(found, "holm", "tests")

    def figures(self, cell: Cell, rows: pa.Table, estimates: Sequence[Estimate]) -> list[Figure]:
        if not estimates:
            return []
        if _published(rows):
            return [plots.shape_texture(estimates), plots.gallery(rows)]
        found: list[Figure] = [plots.control_bars(estimates), plots.gallery(rows)]
        if any("strength" in e.subgroup for e in estimates):
            found.insert(0, plots.strength_curve(rows, estimates))
        return found

    def outcomes(self, cell: Cell, rows: pa.Table, estimate: Estimate) -> Outcomes | None:
        return items_of(rows, estimate)

    def validation(self) -> Sequence[Validation]:
        from clipaudit_audits.meaning.cue_conflict_validation import plans

        return plans()


def _published(rows: pa.Table) -> bool:
    return "published" in rows.column("kind").to_pylist()
