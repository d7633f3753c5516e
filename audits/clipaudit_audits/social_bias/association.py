"""Association test: are two sets of things unequally near to two sets of attributes in the embedding space?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from clipaudit.contract import Audit, AuditSpec, Cell, PlanContext, Workload
from clipaudit.errors import DataError
from clipaudit.results import Estimate, Figure
from clipaudit_audits.social_bias.association_cases import Case, make_case
from clipaudit_audits.social_bias.association_catalogue import WITHOUT_DATA
from clipaudit_audits.social_bias.association_estimates import (
    Settings,
    published_protocol,
    single_category,
    two_category,
)
from clipaudit_audits.social_bias.association_figures import draw
from clipaudit_audits.social_bias.association_rows import MeasuredSet, measure, read_rows
from clipaudit_audits.social_bias.association_spec import SPEC, AssociationParams
from clipaudit_audits.social_bias.association_stimuli import ConcreteTest, concrete, distinct
from clipaudit_audits.social_bias.association_templates import by_template, with_templates
from clipaudit_audits.social_bias.association_tests import TestFile, load_tests

if TYPE_CHECKING:
    import pyarrow as pa

    from clipaudit.models.protocol import Model
    from clipaudit.validation.plan import Validation


class Association(Audit):
    """WEAT, SEAT and iEAT, within either modality and across the two."""

    spec: ClassVar[AuditSpec] = SPEC

    def plan(self, ctx: PlanContext) -> list[Cell]:
        """One cell; its parameters name the tests in full. Tests of words alone take no data set, if one is given."""
        tests = load_tests(ctx.params.preset, ctx.dataset)
        dataset = ctx.dataset if tests.uses_images else None
        words = not tests.uses_images and ctx.params.preset == "auto"
        preset = WITHOUT_DATA if words else ctx.params.preset
        params = ctx.params.model_copy(update={"digest": tests.digest, "preset": preset})
        title = self.spec.title if not tests.title else f"{self.spec.title}: {tests.title}"
        data = None if dataset is None else dataset.info
        return [Cell(self.spec, params, ctx.seed, data, title, dataset)]

    def workload(self, cell: Cell) -> Workload:
        images, texts = distinct(_concrete(cell)[1])
        return Workload(images, texts)

    def run(self, cell: Cell, model: Model) -> pa.Table:
        tests, made = _concrete(cell)
        return measure(tests, made, model)

    def score(self, cell: Cell, rows: pa.Table) -> list[Estimate]:
        tests, sets = read_rows(rows)
        cases = _cases(tests, sets)
        settings = Settings(cell.seed, cell.params.permutations, cell.params.correction)
        estimates = two_category(cases, settings)
        published = published_protocol(cases, estimates)
        singles = single_category(cases, settings) if cell.params.single_category else []
        alone = {template: _cases(tests, alone) for template, alone in by_template(sets).items()}
        estimates, summary = with_templates(estimates, alone)
        return [*estimates, *published, *singles, *summary]

    def figures(self, cell: Cell, rows: pa.Table, estimates: Sequence[Estimate]) -> list[Figure]:
        tests, sets = read_rows(rows)
        return draw(sets, _cases(tests, sets), estimates)

    def validation(self) -> Sequence[Validation]:
        from clipaudit_audits.social_bias.association_validation import plans

        return plans()


def _concrete(cell: Cell) -> tuple[TestFile, list[ConcreteTest]]:
    params: AssociationParams = cell.params
    tests = load_tests(params.preset, cell.dataset)
    if params.digest and tests.digest != params.digest:
        raise DataError(
            f"association: the tests of {params.preset!r} have changed since the run was planned; start it again"
        )
    return tests, concrete(tests, cell.dataset, params.templates, params.max_items, cell.seed)


def _cases(tests: TestFile, sets: Mapping[str, MeasuredSet]) -> list[Case]:
    return [make_case(definition, tests, sets) for definition in tests.tests]
