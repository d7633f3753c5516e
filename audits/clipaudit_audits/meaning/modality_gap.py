"""Modality gap: how far apart do images and texts lie, and does it matter?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from clipaudit.contract import Audit, AuditSpec, Cell, MetricSpec, Need, Outcomes, PlanContext, TemplateParams, Workload
from clipaudit.errors import DataError
from clipaudit.results import Direction, Estimate, Figure, Harm
from clipaudit.stats.multiple import correct
from clipaudit.zeroshot import fill
from clipaudit_audits.meaning.modality_gap_estimates import Clouds, outcomes, results
from clipaudit_audits.meaning.modality_gap_figures import figures

if TYPE_CHECKING:
    import pyarrow as pa

    from clipaudit.data.dataset import Dataset
    from clipaudit.images import ImageRef
    from clipaudit.models.protocol import Model
    from clipaudit.validation.plan import Validation


class ModalityGapParams(TemplateParams):
    """What is paired with an image, and how far the gap is shifted."""

    captions: tuple[str, ...] = Field(
        default=(), description='Columns with captions; empty: those whose names begin with "caption", else `label`.'
    )
    shifts: tuple[float, ...] = Field(
        default=(-1.0, -0.5, 0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5),
        min_length=2,
        max_length=50,
        description="Shares by which the gap is closed in the curve; 1 closes it, negative shares widen it.",
    )
    max_items: int = Field(default=1000, ge=2, description="Most images used.")


SPEC = AuditSpec(
    id="modality_gap",
    version="3",
    family="meaning",
    title="Modality gap",
    question="How far apart do the model's images and texts lie, and does it matter for matching them?",
    kind_of_harm=Harm.REASONS,
    harm="Scores of images against texts and of images against images are on different scales: a threshold or a "
    "mixed search that ignores the gap prefers one kind whatever it shows.",
    citations=(
        "Liang, Zhang, Kwon, Yeung, Zou 2022, Mind the gap: understanding the modality gap in multi-modal contrastive "
        "representation learning, NeurIPS",
        "Wang, Isola 2020, Understanding contrastive representation learning through alignment and uniformity, ICML",
        "Roy, Vetterli 2007, The effective rank: a measure of effective dimensionality, EUSIPCO",
    ),
    needs=frozenset({Need.EMBEDDINGS}),
    data=("objects", "tuxpaint-stamps", "coco-captions"),
    params=ModalityGapParams,
    metrics=(
        MetricSpec(
            name="gap", title="Distance between mean image and mean text", range=(0, 2), null_value=0.0, min_n=10,
            cluster_key="item", formula="|mean(images) - mean(texts)| of unit vectors, less chance",
        ),
        MetricSpec(
            name="closed", title="Matching with the gap closed", unit="points", range=(-100, 100), null_value=0.0,
            min_n=10, cluster_key="image", formula="100 (right after closing the gap - right before)",
        ),
        MetricSpec(
            name="accuracy", title="Zero-shot accuracy", unit="proportion", direction=Direction.LOWER_IS_WORSE,
            range=(0, 1), min_n=10, cluster_key="image", formula="P(nearest label = label)",
        ),
        MetricSpec(
            name="recall", title="R@k", unit="proportion", direction=Direction.LOWER_IS_WORSE, range=(0, 1),
            min_n=10, cluster_key="image", formula="P(a right answer among the first k)",
        ),
        MetricSpec(
            name="separability", title="Images told from texts by a line", unit="proportion", range=(0, 1),
            null_value=0.5, min_n=20, cluster_key="item", formula="balanced held-out accuracy, logistic regression",
        ),
        MetricSpec(
            name="alignment", title="Alignment of pairs", range=(0, 4), direction=Direction.HIGHER_IS_WORSE,
            min_n=10, cluster_key="image", formula="mean |image - text|^2",
        ),
        MetricSpec(
            name="uniformity", title="Uniformity", range=(-8, 0), direction=Direction.HIGHER_IS_WORSE, min_n=10,
            cluster_key="item", formula="log mean exp(-2 |u - v|^2)",
        ),
        MetricSpec(
            name="effective_rank", title="Effective rank", range=(0, None), direction=Direction.LOWER_IS_WORSE,
            min_n=20, cluster_key="item", formula="exp H(singular values / their sum), centred",
        ),
    ),
    limits=(
        "The gap depends on what is shown: few classes or short labels make the clouds narrow and the gap wide.",
        "Closing the gap moves every vector by the same step; it is not what training without a gap would do.",
        "Separable clouds are the rule for dual encoders: that is a fact about them, not a fault.",
    ),
    methods="Unit vectors. What chance adds to the square of the gap, and its interval, are found by the jackknife "
    "over pairs (copies of items, as a bootstrap makes them, would lengthen it); its null deals out anew which vectors "
    "are images; that of alignment exchanges texts between images. Closing the gap moves "
    "both clouds half of it towards each other and back on the sphere; hits before and after are compared by McNemar's "
    "exact test. Separability: logistic regression, five folds, an image and its text in one fold. Uniformity never "
    "pairs an item with itself. Effective rank: jackknife. Holm over the tests.",
)  # fmt: skip


class ModalityGap(Audit):
    """See `spec`."""

    spec = SPEC

    def plan(self, ctx: PlanContext) -> list[Cell]:
        """One cell. DataError without captions or labels, or with fewer than two of them."""
        if ctx.dataset is None:
            raise DataError("modality_gap: give a data set with captions or labels (--data)")
        if len({text for _, text in _texts(ctx.dataset, ctx.params)}) < 2:
            raise DataError(f"modality_gap: data set {ctx.dataset.id!r} has fewer than two different texts")
        return super().plan(ctx)

    def workload(self, cell: Cell) -> Workload:
        dataset = cell.require_dataset()
        texts = [text for _, text in _texts(dataset, cell.params)]
        return Workload(_images(dataset, cell.params), list(dict.fromkeys(texts)))

    def run(self, cell: Cell, model: Model) -> pa.Table:
        """Columns item, kind (image or text), pair (what belongs together), by (caption or label), vector, error."""
        import pyarrow as pa

        dataset, params = cell.require_dataset(), cell.params
        images, texts = _images(dataset, params), _texts(dataset, params)
        by = "caption" if _captions(dataset, params) else "label"
        shown = [(image.id, image.id if by == "caption" else image.attributes["label"]) for image in images]
        seen, read = model.embed_images(images), model.embed_texts([text for _, text in texts])
        lines = []
        for kind, names, found in (("image", shown, seen), ("text", [(t, pair) for pair, t in texts], read)):
            for (item, pair), vector, error in zip(names, found.vectors, found.errors, strict=True):
                lines.append({"item": item, "kind": kind, "pair": pair, "by": by, "error": error,
                              "vector": None if error else np.asarray(vector, np.float32).tolist()})  # fmt: skip
        text = pa.string()
        types = dict.fromkeys(("item", "kind", "pair", "by"), text) | {"vector": pa.list_(pa.float32()), "error": text}
        return pa.Table.from_pylist(lines, pa.schema(list(types.items())))

    def score(self, cell: Cell, rows: pa.Table) -> list[Estimate]:
        metrics = {metric.name: metric for metric in cell.spec.metrics}
        return correct(results(Clouds(rows), metrics, cell.seed), "holm", "tests")

    def outcomes(self, cell: Cell, rows: pa.Table, estimate: Estimate) -> Outcomes | None:
        """Matches of images and texts."""
        return outcomes(Clouds(rows), estimate)

    def figures(self, cell: Cell, rows: pa.Table, estimates: Sequence[Estimate]) -> list[Figure]:
        if not estimates:
            return []
        return figures(Clouds(rows), estimates, cell.params.shifts, cell.seed)

    def validation(self) -> Sequence[Validation]:
        from clipaudit_audits.meaning.modality_gap_validation import plans

        return plans()


def _images(dataset: Dataset, params: ModalityGapParams) -> Sequence[ImageRef]:
    return dataset.head(params.max_items).images


def _captions(dataset: Dataset, params: ModalityGapParams) -> tuple[str, ...]:
    if params.captions:
        dataset.require(*params.captions)
    return params.captions or tuple(sorted(name for name in dataset.columns if name.startswith("caption")))


def _texts(dataset: Dataset, params: ModalityGapParams) -> list[tuple[str, str]]:
    """(pair, text): captions by image, or prompts by label."""
    columns = _captions(dataset, params)
    images = _images(dataset, params)
    if columns:
        found = [(i.id, i.attributes[c].strip()) for i in images for c in columns if i.attributes[c].strip()]
    else:
        dataset.require("label")
        labels = sorted({image.attributes["label"] for image in images})
        found = [(label, fill(template, label)) for label in labels for template in params.templates]
    return list(dict.fromkeys(found))
