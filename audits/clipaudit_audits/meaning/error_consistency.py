"""Error consistency: does the model err on the same images as people do, beyond what accuracies alone give?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from clipaudit.contract import Audit, AuditSpec, Cell, MetricSpec, Need, PlanContext, TemplateParams, Workload
from clipaudit.errors import DataError, DataUnavailable
from clipaudit.results import Direction, Estimate, Figure, ForestFigure, Harm, HeatmapFigure, Point, Reference
from clipaudit.stats.multiple import correct
from clipaudit.zeroshot import prompts
from clipaudit_audits.meaning.cue_conflict_categories import imagenet_names
from clipaudit_audits.meaning.cue_conflict_rows import decide, score
from clipaudit_audits.meaning.error_consistency_estimates import MIN_TRIALS, Trials, matrix, results
from clipaudit_audits.meaning.error_consistency_observers import by_item, read_observers

if TYPE_CHECKING:
    import pyarrow as pa

    from clipaudit.data.dataset import Dataset
    from clipaudit.models.protocol import Model
    from clipaudit.validation.plan import Validation


class ErrorConsistencyParams(TemplateParams):
    """Whose responses, and how the model's decision is read."""

    observers: str = Field(
        default="",
        description="Must be given: a CSV file, or folder of them, with the columns observer, item and response (or "
        "subj, imagename and object_response, as published).",
    )
    digest: str = Field(default="", description="Digest of the responses; filled in.")
    protocol: Literal["direct", "imagenet1k"] = Field(
        default="direct",
        description="direct: one prompt per class. imagenet1k: 1,000-way probabilities averaged within each of the "
        "16 published classes.",
    )


_KAPPA = "(c_obs - c_exp) / (1 - c_exp), c_exp = p1 p2 + (1 - p1)(1 - p2)"

SPEC = AuditSpec(
    id="error_consistency",
    version="1",
    family="meaning",
    title="Error consistency with people",
    question="Does the model err on the same images as people do?",
    kind_of_harm=Harm.REASONS,
    harm="A model that errs where no person would fails in ways that nobody expects, and that human review does not "
    "catch.",
    citations=(
        "Geirhos, Meding, Wichmann 2020, Beyond accuracy: quantifying trial-by-trial behaviour of CNNs and humans by "
        "measuring error consistency, NeurIPS",
        "Geirhos et al. 2021, Partial success in closing the gap between human and machine vision, NeurIPS",
    ),
    needs=frozenset({Need.SCORES}),
    data=("cue-conflict",),
    params=ErrorConsistencyParams,
    metrics=(
        MetricSpec(
            name="kappa", title="Error consistency with people (kappa)", direction=Direction.LOWER_IS_WORSE,
            range=(-1, 1), null_value=0.0, cluster_key="trial", min_n=MIN_TRIALS, formula=_KAPPA,
        ),
        MetricSpec(
            name="human_kappa", title="Error consistency among people (kappa)", range=(-1, 1), null_value=0.0,
            cluster_key="trial", min_n=MIN_TRIALS, formula=_KAPPA,
        ),
        MetricSpec(
            name="shortfall", title="Among people, less with the model", direction=Direction.HIGHER_IS_WORSE,
            range=(-2, 2), null_value=0.0, cluster_key="trial", min_n=MIN_TRIALS,
            formula="mean kappa among people - mean kappa between the model and people",
        ),
        MetricSpec(
            name="accuracy", title="Right", unit="proportion", range=(0, 1), cluster_key="trial",
            direction=Direction.LOWER_IS_WORSE, min_n=MIN_TRIALS, formula="P(response = class)",
        ),
    ),
    limits=(
        "Kappa says whether errors fall on the same trials, not whether the wrong answers are the same.",
        "Very unequal accuracies bound kappa; the bounds stand beside it.",
        "Trials are resampled, observers are not: it is about these observers.",
        "On cue conflicts the class of the shape counts as right.",
    ),
    methods="Each trial is right where the response is the true class (on cue conflicts: the shape's). Kappa of the "
    "model with each observer on the trials that both answered, averaged over observers; the same among observers. "
    "BCa bootstrap over trials. The null deals the model's right answers out anew over the trials, so that its "
    "accuracy stays; the p value is two-sided.",
)  # fmt: skip


class ErrorConsistency(Audit):
    """See `spec`."""

    spec = SPEC

    def plan(self, ctx: PlanContext) -> list[Cell]:
        """One cell. DataUnavailable without observers; DataError where their responses are about other items."""
        if ctx.dataset is None:
            raise DataError("error_consistency: give the images that people responded to, --data cue-conflict=FOLDER")
        _truth_column(ctx.dataset)
        if not ctx.params.observers:
            raise DataUnavailable(
                "error_consistency: no responses of people; give them with "
                "--set error_consistency.observers=FOLDER_OF_CSV_FILES"
            )
        responses, digest = read_observers(ctx.params.observers)
        by_item(responses, [image.id for image in ctx.dataset.images])
        return super().plan(PlanContext(ctx.params.model_copy(update={"digest": digest}), ctx.seed, ctx.dataset))

    def workload(self, cell: Cell) -> Workload:
        dataset = cell.require_dataset()
        labels = imagenet_names() if cell.params.protocol == "imagenet1k" else _classes(dataset)
        return Workload(dataset.images, prompts(labels, cell.params.templates))

    def run(self, cell: Cell, model: Model) -> pa.Table:
        """Columns item, truth, decision (null: none), observers and their responses (lists), error."""
        import pyarrow as pa

        dataset, params = cell.require_dataset(), cell.params
        classes, truth = _classes(dataset), dataset.column(_truth_column(dataset))
        values, errors = score(model, dataset.images, classes, params.templates, params.protocol)
        answers = by_item(read_observers(params.observers)[0], [image.id for image in dataset.images])
        decisions = decide(values, classes)
        lines = []
        for image, right, decision, error in zip(dataset.images, truth, decisions, errors, strict=True):
            responded = {name: own[image.id] for name, own in sorted(answers.items()) if image.id in own}
            lines.append({"item": image.id, "truth": right, "decision": decision, "observers": list(responded),
                          "responses": list(responded.values()), "error": error})  # fmt: skip
        text, texts = pa.string(), pa.list_(pa.string())
        types = {"item": text, "truth": text, "decision": text, "observers": texts, "responses": texts, "error": text}
        return pa.Table.from_pylist(lines, pa.schema(list(types.items())))

    def score(self, cell: Cell, rows: pa.Table) -> list[Estimate]:
        metrics = {metric.name: metric for metric in cell.spec.metrics}
        return correct(results(Trials(rows), metrics, cell.seed), "holm", "tests")

    def figures(self, cell: Cell, rows: pa.Table, estimates: Sequence[Estimate]) -> list[Figure]:
        if not estimates:
            return []
        main = estimates[0]
        said = "not defined" if main.value is None else f"{main.value:.2f}"
        alt = f"Mean kappa between the model and the observers: {said}."
        names, values = matrix(Trials(rows))
        table = tuple(
            tuple(None if i == j or value != value else float(value) for j, value in enumerate(row))
            for i, row in enumerate(values)
        )
        among = tuple(
            Reference(label="among people", value=e.value, source="mean over pairs of these observers")
            for e in estimates if e.metric == "human_kappa" and e.value is not None
        )  # fmt: skip
        points = tuple(
            Point(label=e.subgroup["observer"], value=e.value, n=e.n, low=e.interval and e.interval.low,
                  high=e.interval and e.interval.high)
            for e in estimates if "observer" in e.subgroup
        )  # fmt: skip
        return [
            HeatmapFigure(
                id="kappa", title="Who errs with whom", rows=tuple(names), columns=tuple(names), values=table, alt=alt,
                value_label="kappa", caption="0: as accuracies alone would have it; 1: always on the same trials.",
            ),
            ForestFigure(
                id="by-observer", title="Error consistency with each observer", x_label="kappa", points=points,
                null_value=0.0, references=among, alt=alt,
            ),
        ]  # fmt: skip

    def validation(self) -> Sequence[Validation]:
        from clipaudit_audits.meaning.error_consistency_validation import plans

        return plans()


def _truth_column(dataset: Dataset) -> str:
    """`shape` on cue conflicts, else `label`. DataError where there is neither."""
    if "shape" not in dataset.columns:
        dataset.require("label")
        return "label"
    return "shape"


def _classes(dataset: Dataset) -> list[str]:
    named = set(dataset.column(_truth_column(dataset)))
    return sorted(named | set(dataset.column("texture")) if "texture" in dataset.columns else named)
