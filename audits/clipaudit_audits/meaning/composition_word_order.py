"""Word order: does the model prefer a caption to the same words in another order?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pydantic import Field

from clipaudit.contract import AuditSpec, Cell, MetricSpec, Need, Outcomes, Params, PlanContext
from clipaudit.errors import DataError
from clipaudit.results import Direction, Estimate, Harm
from clipaudit.stats.multiple import correct
from clipaudit.stimuli.recipe import seed_from
from clipaudit_audits.meaning.composition import CaptionChoice
from clipaudit_audits.meaning.composition_choices import Choices
from clipaudit_audits.meaning.composition_estimates import results
from clipaudit_audits.meaning.composition_first import first
from clipaudit_audits.meaning.composition_first import outcomes as first_outcomes
from clipaudit_audits.meaning.composition_rows import Pair
from clipaudit_audits.meaning.composition_shuffles import KINDS, Kind, shuffled
from clipaudit_audits.meaning.composition_spec import BLIND_METHODS, LANGUAGE_PRIORS, METRICS, MIN_PAIRS

if TYPE_CHECKING:
    import pyarrow as pa

    from clipaudit.data.dataset import Dataset
    from clipaudit.validation.plan import Validation


class WordOrderParams(Params):
    """What is shuffled, and how."""

    captions: tuple[str, ...] = Field(
        default=(), description='Columns with captions; empty: those whose names begin with "caption".'
    )
    shuffles: tuple[Kind, ...] = Field(default=KINDS, min_length=1, description="What changes places.")
    max_items: int = Field(default=500, ge=2, description="Most images used.")


SPEC = AuditSpec(
    id="word_order",
    version="2",
    family="meaning",
    title="Word order",
    question="Does the model prefer a caption of an image to the same words in another order, and would it without the "
    "image?",
    kind_of_harm=Harm.REASONS,
    harm="A model that reads a sentence as a bag of words cannot tell who does what to whom: a search for one finds "
    "the other.",
    citations=(
        "Yuksekgonul, Bianchi, Kalluri, Jurafsky, Zou 2023, When and why vision-language models behave like "
        "bags-of-words, and what to do about it, ICLR",
        "Hsieh, Zhang, Ma, Kembhavi, Krishna 2023, SugarCrepe: fixing hackable benchmarks for vision-language "
        "compositionality, NeurIPS Datasets and Benchmarks",
        LANGUAGE_PRIORS,
    ),
    needs=frozenset({Need.SCORES}),
    uses=frozenset({Need.EMBEDDINGS}),
    data=("coco-captions",),
    columns=("caption1",),
    params=WordOrderParams,
    metrics=(
        MetricSpec(
            name="first", title="True caption before all shuffles", unit="proportion", range=(0, 1),
            direction=Direction.LOWER_IS_WORSE, cluster_key="image", min_n=MIN_PAIRS,
            formula="P(the true caption has the highest score of 1 + k); those that tie share it; chance 1 / (1 + k)",
        ),
        *METRICS,
    ),
    limits=(
        "Most shuffles are no English: who has read much text can choose without the image, and the gain says whether "
        "the image adds anything.",
        "Words of open classes are told by a list of the others, so verbs move along with nouns and adjectives.",
        "A model can fail here and still serve those who search by single words.",
    ),
    methods="Captions as they are, against shuffles that are drawn with the cell's seed and differ from them: words of "
    "open classes among themselves, all words, groups of three words, words within such groups. " + BLIND_METHODS,
)  # fmt: skip


class WordOrder(CaptionChoice):
    """See `spec`."""

    spec = SPEC

    def plan(self, ctx: PlanContext) -> list[Cell]:
        """One cell. DataError without captions."""
        if ctx.dataset is None:
            raise DataError("word_order: give a data set with captions (--data)")
        _columns(ctx.dataset, ctx.params)
        return super().plan(ctx)

    def pairs(self, cell: Cell) -> list[Pair]:
        """Every caption of every image with each of its shuffles, as far as there are any."""
        dataset, params = cell.require_dataset(), cell.params
        found: dict[str, Pair] = {}
        for image in dataset.head(params.max_items).images:
            for column in _columns(dataset, params):
                caption = " ".join(image.attributes[column].split())
                for kind in params.shuffles:
                    false = shuffled(caption, kind, seed_from(cell.seed, image.id, caption, kind))
                    if false is not None:
                        found.setdefault(
                            f"{image.id}#{caption}#{kind}",
                            Pair(f"{image.id}, {column}, {kind}", image, kind, caption, false),
                        )
        return list(found.values())

    def score(self, cell: Cell, rows: pa.Table) -> list[Estimate]:
        metrics: dict[str, Any] = {metric.name: metric for metric in cell.spec.metrics}
        choices = Choices.of(rows)
        found = [*first(choices, metrics["first"], cell.seed), *results(choices, metrics, cell.seed)]
        return correct(found, "holm", "tests")

    def outcomes(self, cell: Cell, rows: pa.Table, estimate: Estimate) -> Outcomes | None:
        if estimate.metric == "first":
            return first_outcomes(Choices.of(rows))
        return super().outcomes(cell, rows, estimate)

    def validation(self) -> Sequence[Validation]:
        from clipaudit_audits.meaning.word_order_validation import plans

        return plans()


def _columns(dataset: Dataset, params: WordOrderParams) -> tuple[str, ...]:
    dataset.require(*params.captions)
    found = params.captions or tuple(sorted(name for name in dataset.columns if name.startswith("caption")))
    if not found:
        raise DataError(f'word_order: data set {dataset.id!r} has no column whose name begins with "caption"; name one')
    return found
