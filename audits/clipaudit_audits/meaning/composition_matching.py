"""Two images, two captions: which belongs to which, in the manner of Winoground."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from clipaudit.contract import Audit, AuditSpec, Cell, MetricSpec, Need, Outcomes, PlanContext, Workload
from clipaudit.errors import DataError
from clipaudit.results import (
    BarsFigure,
    Direction,
    Estimate,
    Figure,
    GalleryFigure,
    GalleryItem,
    Harm,
    Point,
    Reference,
)
from clipaudit.stats.multiple import correct
from clipaudit.text import printable
from clipaudit_audits.meaning.composition_matching_estimates import CHANCE, outcomes, results
from clipaudit_audits.meaning.composition_matching_rows import asked, examples, measure
from clipaudit_audits.wording import percent

if TYPE_CHECKING:
    import pyarrow as pa

    from clipaudit.models.protocol import Model
    from clipaudit.validation.plan import Validation

MIN_EXAMPLES = 20
WORST = 6


def _metric(name: str, title: str, formula: str) -> MetricSpec:
    return MetricSpec(
        name=f"{name}_score", title=title, unit="proportion", direction=Direction.LOWER_IS_WORSE, range=(0, 1),
        null_value=CHANCE[name], cluster_key="example", min_n=MIN_EXAMPLES, formula=formula,
    )  # fmt: skip


SPEC = AuditSpec(
    id="composition_matching",
    version="1",
    family="meaning",
    title="Two images, two captions",
    question="Of two images and two captions that differ in who does what, does the model match each to its own?",
    kind_of_harm=Harm.REASONS,
    harm="A search for who does what to whom finds its opposite, and a check of captions lets the wrong one pass.",
    citations=(
        "Thrush, Jiang, Bartolo, Singh, Williams, Kiela, Ross 2022, Winoground: probing vision and language models for "
        "visio-linguistic compositionality, CVPR",
        "Diwan, Berry, Choi, Harwath, Mahowald 2022, Why is Winoground hard? Investigating failures in visuolinguistic "
        "compositionality, EMNLP",
    ),
    needs=frozenset({Need.SCORES}),
    uses=frozenset({Need.EMBEDDINGS}),
    data=("winoground",),
    columns=("example", "caption"),
    metrics=(
        _metric("text", "Text score", "P(s(c0, i0) > s(c1, i0) and s(c1, i1) > s(c0, i1))"),
        _metric("image", "Image score", "P(s(c0, i0) > s(c0, i1) and s(c1, i1) > s(c1, i0))"),
        _metric("group", "Group score", "P(text score and image score)"),
    ),
    limits=(
        "Chance is that of four scores in random order; a model that follows one of the four can fall below it.",
        "Many published examples are hard for other reasons than word order (Diwan et al. 2022).",
    ),
    methods="Captions as they are, without a template; scores are compared within an example only, and a tie earns "
    "nothing. Intervals: Wilson over examples. Tests: exact binomial against chance, Holm over the three.",
)


class CompositionMatching(Audit):
    """See `spec`."""

    spec = SPEC

    def plan(self, ctx: PlanContext) -> list[Cell]:
        """One cell. DataError without two images to an example."""
        if ctx.dataset is None:
            raise DataError("composition_matching: give a data set with the columns example and caption (--data)")
        ctx.dataset.require("example", "caption")
        examples(ctx.dataset)
        return super().plan(ctx)

    def workload(self, cell: Cell) -> Workload:
        found = asked(examples(cell.require_dataset()))
        texts = dict.fromkeys(text for example in found for text in example.captions)
        return Workload([image for example in found for image in example.images], list(texts))

    def run(self, cell: Cell, model: Model) -> pa.Table:
        """Columns item (the example), image_0, image_1, caption_0, caption_1, tag, s00, s01, s10, s11, error."""
        return measure(examples(cell.require_dataset()), model)

    def score(self, cell: Cell, rows: pa.Table) -> list[Estimate]:
        metrics = {metric.name: metric for metric in cell.spec.metrics}
        published = cell.data is not None and cell.data.id == "winoground"
        return correct(results(_good(rows), metrics, published), "holm", "tests")

    def outcomes(self, cell: Cell, rows: pa.Table, estimate: Estimate) -> Outcomes | None:
        """Which examples earn the score."""
        return outcomes(_good(rows), estimate)

    def figures(self, cell: Cell, rows: pa.Table, estimates: Sequence[Estimate]) -> list[Figure]:
        if not estimates:
            return []
        return [_bars(estimates), _worst(_good(rows))]

    def validation(self) -> Sequence[Validation]:
        from clipaudit_audits.meaning.composition_matching_validation import plans

        return plans()


def _good(rows: pa.Table) -> list[Mapping[str, Any]]:
    return sorted((row for row in rows.to_pylist() if row["error"] is None), key=lambda row: str(row["item"]))


def _bars(estimates: Sequence[Estimate]) -> BarsFigure:
    points = tuple(
        Point(
            label=e.title, group=e.subgroup.get("tag", "all examples"), value=e.value, n=e.n,
            low=e.interval.low if e.interval else None, high=e.interval.high if e.interval else None,
        )
        for e in estimates
    )  # fmt: skip
    references = tuple(
        Reference(
            label=f"chance, {'text and image' if name == 'text' else name}", value=CHANCE[name], source="random order"
        )
        for name in ("text", "group")
    )
    said = "; ".join(f"{e.title} {percent(e.value)}" for e in estimates if not e.subgroup and e.value is not None)
    return BarsFigure(
        id="scores", title="Matching two images and two captions", y_label="share of examples", points=points,
        references=references, y_range=(0, 1), alt=f"{said}.", caption="Bars: Wilson 95 % intervals.",
    )  # fmt: skip


def _worst(rows: Sequence[Mapping[str, Any]]) -> GalleryFigure:
    """The examples whose own pairs score least above the crossed ones."""
    ranked = sorted(rows, key=lambda row: (_margin(row), row["item"]))[:WORST]
    entries = tuple(
        GalleryItem(
            items=(row["image_0"], row["image_1"]), score=_margin(row),
            caption=f"“{printable(row['caption_0'])}” / “{printable(row['caption_1'])}”",
        )
        for row in ranked
    )  # fmt: skip
    return GalleryFigure(
        id="worst", title="Least well matched", entries=entries, columns=("first image", "second image"),
        caption="Sum of the two true scores less that of the two crossed ones.",
        alt=f"The {len(entries)} examples with the smallest lead of the true pairs, from {_margin(ranked[0]):.3f} up.",
    )  # fmt: skip


def _margin(row: Mapping[str, Any]) -> float:
    return float(row["s00"] + row["s11"] - row["s01"] - row["s10"])
