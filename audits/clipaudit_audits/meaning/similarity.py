"""Superficial similarity: are images near to each other because they show the same, or because they look alike?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from time import perf_counter
from typing import TYPE_CHECKING, Any

from pydantic import Field

from clipaudit.contract import Audit, AuditSpec, Cell, MetricSpec, Need, Outcomes, Params, PlanContext, Workload
from clipaudit.errors import DataError, ImageError
from clipaudit.results import Direction, Estimate, Figure, Harm
from clipaudit.stats.multiple import correct
from clipaudit_audits.choosing import spread
from clipaudit_audits.meaning.similarity_estimates import outcomes, results
from clipaudit_audits.meaning.similarity_figures import figures
from clipaudit_audits.meaning.similarity_looks import CUES, Cue, looks
from clipaudit_audits.meaning.similarity_rows import measure

if TYPE_CHECKING:
    import pyarrow as pa

    from clipaudit.data.dataset import Dataset
    from clipaudit.images import ImageRef
    from clipaudit.models.protocol import Model
    from clipaudit.validation.plan import Validation

MIN_IMAGES = 20
_TIMED = 4


class SimilarityParams(Params):
    """Which images, and alike in what."""

    cues: tuple[Cue, ...] = Field(default=CUES, min_length=1, description="What look-alikes are alike in.")
    max_items: int = Field(default=1000, ge=3, description="Most images used, spread over the classes.")


SPEC = AuditSpec(
    id="similarity",
    version="1",
    family="meaning",
    title="Superficial similarity",
    question="Is an image nearer to one of its class that looks otherwise, or to one of another class that has the "
    "same colours or texture?",
    kind_of_harm=Harm.REASONS,
    harm="Search by image, removal of duplicates and clusters follow background, colour or material, and put things "
    "together that have nothing else in common.",
    citations=(
        "Geirhos et al. 2020, Shortcut learning in deep neural networks, Nature Machine Intelligence",
        "Swain, Ballard 1991, Color indexing, International Journal of Computer Vision",
        "Ojala, Pietikainen, Maenpaa 2002, Multiresolution gray-scale and rotation invariant texture classification "
        "with local binary patterns, IEEE PAMI",
    ),
    needs=frozenset({Need.EMBEDDINGS}),
    data=("tuxpaint-stamps", "objects"),
    columns=("label",),
    params=SimilarityParams,
    metrics=(
        MetricSpec(
            name="class_wins", title="Class before looks", unit="proportion", direction=Direction.LOWER_IS_WORSE,
            range=(0, 1), null_value=0.5, cluster_key="label", min_n=MIN_IMAGES,
            formula="P(cos(image, same class, least alike) > cos(image, other class, most alike)); a tie counts half",
        ),
        MetricSpec(
            name="neighbour_class", title="Nearest neighbour shares the class", unit="proportion", range=(0, 1),
            direction=Direction.LOWER_IS_WORSE, cluster_key="label", min_n=MIN_IMAGES,
            formula="P(class of the nearest image = class), of images that have one of their class",
        ),
        MetricSpec(
            name="neighbour_alike", title="Nearest image of another class looks alike", unit="proportion", range=(0, 1),
            direction=Direction.HIGHER_IS_WORSE, null_value=0.5, cluster_key="label", min_n=MIN_IMAGES,
            formula="mean rank, 0 to 1, of the nearest stranger among all strangers by likeness in the cue",
        ),
    ),
    limits=(
        "Looks are colour histograms and local binary patterns; shape, pose and size are not looked at.",
        "Classes are those of the labels: two that are nearly the same thing (a pear, a lemon) count as different.",
        "Two images are often each other's nearest: of how alike neighbours look the interval is somewhat too short.",
        "Triplets are made as hard as the set allows, so sets cannot be compared with each other by them.",
    ),
    methods="Of each image the triplet is: itself; the image of its class least alike in the cue; the image of another "
    "class most alike in it; left out where the first is more alike than the second. Likeness: Bhattacharyya "
    "coefficient of histograms of 64 colours, or of uniform rotation-invariant local binary patterns at two scales, of "
    "the object alone where there is a cut-out. Intervals: BCa bootstrap over classes. Tests: sign-flip permutation "
    "over classes, Holm over them.",
)  # fmt: skip


class Similarity(Audit):
    """See `spec`."""

    spec = SPEC

    def plan(self, ctx: PlanContext) -> list[Cell]:
        """One cell. DataError without labels, or where no class has two images."""
        if ctx.dataset is None:
            raise DataError("similarity: give a data set with labels (--data)")
        ctx.dataset.require("label")
        labels = [image.attributes["label"] for image in _images(ctx.dataset, ctx.params)]
        if not 1 < len(set(labels)) < len(labels):
            raise DataError(
                f"similarity: data set {ctx.dataset.id!r} needs two classes, and a class with two images; it has "
                f"{len(labels)} images of {len(set(labels))} classes"
            )
        return super().plan(ctx)

    def workload(self, cell: Cell) -> Workload:
        return Workload(_images(cell.require_dataset(), cell.params))

    def run(self, cell: Cell, model: Model) -> pa.Table:
        """Columns item, image, cue, label, match, look, look_label, to_match, to_look, cue_to_match, cue_to_look,
        nearest, nearest_label, cue_nearest_label, alike, chance, error."""
        return measure(_images(cell.require_dataset(), cell.params), cell.params.cues, model)

    def seconds(self, cell: Cell, model: Model) -> float:
        """Looking at the images, besides embedding them; by a trial on the first few."""
        images = _images(cell.require_dataset(), cell.params)
        start = perf_counter()
        for image in images[:_TIMED]:
            try:
                looks(image.load())
            except ImageError:
                continue
        return (perf_counter() - start) * len(images) / min(len(images), _TIMED)

    def score(self, cell: Cell, rows: pa.Table) -> list[Estimate]:
        metrics = {metric.name: metric for metric in cell.spec.metrics}
        return correct(results(_good(rows), metrics, cell.seed), "holm", "tests")

    def outcomes(self, cell: Cell, rows: pa.Table, estimate: Estimate) -> Outcomes | None:
        """Triplets, which are the same for every model; neighbours; standings."""
        return outcomes(_good(rows), estimate)

    def figures(self, cell: Cell, rows: pa.Table, estimates: Sequence[Estimate]) -> list[Figure]:
        return figures(_good(rows), estimates)

    def validation(self) -> Sequence[Validation]:
        from clipaudit_audits.meaning.similarity_validation import plans

        return plans()


def _images(dataset: Dataset, params: SimilarityParams) -> list[ImageRef]:
    at = spread([image.attributes["label"] for image in dataset.images], params.max_items, 0)
    return [dataset.images[i] for i in at]


def _good(rows: pa.Table) -> list[Mapping[str, Any]]:
    return sorted((row for row in rows.to_pylist() if row["error"] is None), key=lambda row: str(row["item"]))
