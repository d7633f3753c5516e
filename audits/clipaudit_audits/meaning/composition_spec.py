"""What `composition` asks, and how it is measured; and the metrics that it shares with `word_order`."""

from __future__ import annotations

from pydantic import Field

from clipaudit.contract import AuditSpec, MetricSpec, Need, Params
from clipaudit.results import Direction, Harm

MIN_PAIRS = 20


class CompositionParams(Params):
    """Which pairs are asked."""

    kinds: tuple[str, ...] = Field(default=(), description="Kinds of pairs asked (column `kind`); empty: all.")
    text_only: bool = Field(
        default=False, description="Show the model no image: only what the texts give away is measured."
    )


METRICS = (
    MetricSpec(
        name="accuracy", title="True caption taken", unit="proportion", direction=Direction.LOWER_IS_WORSE,
        range=(0, 1), null_value=0.5, cluster_key="image", min_n=MIN_PAIRS,
        formula="P(score of the true caption > score of the false one); a tie counts one half",
    ),
    MetricSpec(
        name="gain", title="Lead over the choice without the image", unit="points", null_value=0.0,
        direction=Direction.LOWER_IS_WORSE, range=(-100, 100), cluster_key="image", min_n=MIN_PAIRS,
        formula="100 (right - right of the strongest choice without the image)",
    ),
    MetricSpec(
        name="accuracy_given", title="True caption taken, by what the texts give away", unit="proportion",
        direction=Direction.LOWER_IS_WORSE, range=(0, 1), cluster_key="image", min_n=MIN_PAIRS,
        formula="P(right | the strongest choice without the image is right, or wrong)",
    ),
    MetricSpec(
        name="text_only", title="Without the image", unit="proportion", range=(0, 1), null_value=0.5,
        cluster_key="image", min_n=MIN_PAIRS, formula="P(the true caption is taken by one who sees no image)",
    ),
)  # fmt: skip

BLIND_METHODS = (
    "The same choice without the image is made in four ways: by length (fewer words); by fluency (mean log-probability "
    "of a word-bigram model, Witten-Bell, learnt from the true captions of all other images); by the model's own text "
    "tower (cosine to the mean true caption of other images); by the average image (cosine to the mean of the other "
    "images). The gain is over the strongest of them on the same pairs, which favours it: where "
    "several are equally strong the gain looks some points smaller than it is, and the high end of its interval allows "
    "for all of them. Intervals: BCa bootstrap over images. Tests: sign-flip permutation over images, Holm over them."
)
LANGUAGE_PRIORS = (
    "Lin, Chen, Pathak, Zhang, Ramanan 2024, Revisiting the role of language priors in vision-language models, ICML"
)

SPEC = AuditSpec(
    id="composition",
    version="2",
    family="meaning",
    title="Compositional hard negatives",
    question="Does the model take a true caption rather than one in which an object, an attribute or a relation is "
    "added, replaced or swapped, and would it without the image?",
    kind_of_harm=Harm.REASONS,
    harm="Search, filters and alt texts that rest on the model treat a sentence and its opposite as the same, or "
    "follow how a sentence reads rather than what the image shows.",
    citations=(
        "Hsieh, Zhang, Ma, Kembhavi, Krishna 2023, SugarCrepe: fixing hackable benchmarks for vision-language "
        "compositionality, NeurIPS Datasets and Benchmarks",
        LANGUAGE_PRIORS,
    ),
    needs=frozenset({Need.SCORES}),
    uses=frozenset({Need.EMBEDDINGS}),
    data=("sugar-crepe",),
    columns=("caption", "negative"),
    params=CompositionParams,
    metrics=METRICS,
    limits=(
        "False captions were written by a language model and checked by people; some are true all the same.",
        "A pair asks for one difference between two sentences; it does not ask whether the scene was understood.",
        "Choices without the image are simple ones; a larger language model may find more in the texts.",
    ),
    methods=f"Captions as they are, without a template. {BLIND_METHODS}",
)  # fmt: skip
