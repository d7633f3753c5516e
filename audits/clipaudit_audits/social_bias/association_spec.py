"""What the association audit is: its identity, parameters, metrics and limits."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from clipaudit.contract import AuditSpec, MetricSpec, Need, Params
from clipaudit.results import Direction, Harm
from clipaudit_audits.social_bias.association_catalogue import described
from clipaudit_audits.social_bias.association_estimates import EFFECT, MIN_N, PUBLISHED, SINGLE
from clipaudit_audits.template_sensitivity import AGREEMENT

_METHODS = (
    "d is bounded and has no fixed thresholds: each is printed beside the spread that chance alone gives. p: two-sided "
    "permutation, all partitions up to 100,000, else a random sample of them, (b + 1)/(m + 1). Units are words (over "
    "their templates), identities or images; stimuli are averaged within units. Units that occur in both sets (a drawn "
    "identity) are tested as pairs, by sign flips. Interval: BCa bootstrap of the units of X, Y, A and B; p takes A, B "
    "as given, so that an interval can hold 0 where p is small: the finding then depends on the attributes chosen. The "
    "two-sided test is the finding; the one-sided one is kept beside it. Each finding on words is also computed under "
    "every template alone."
)


class AssociationParams(Params):
    """What is compared, and how often chance is tried."""

    preset: str = Field(
        "auto",
        description="The tests: a preset, the path of a TOML file, or auto (the preset of the data set; seat without "
        f"one). Presets: {described()}.",
    )
    templates: tuple[str, ...] = Field(
        (),
        description="Every word is filled into each template; a word's prompts are one unit. Empty: those of the "
        "preset. {a} is the article of words that take one; after ' | ' stands the form for plural words.",
    )
    max_items: int = Field(1000, ge=4, description="Images per set; of a larger set this many are drawn.")
    permutations: int = Field(
        10_000, ge=1000, le=1_000_000, description="Partitions drawn where there are more than 100,000 to enumerate."
    )
    correction: Literal["holm", "benjamini-hochberg"] = Field("holm", description="Correction over the tests.")
    single_category: bool = Field(True, description="Also test each target set on its own (SC-EAT).")
    digest: str = Field(
        "", description="Filled in when planning: what the tests hold, so that an edited file is run anew."
    )


SPEC = AuditSpec(
    id="association",
    version="2",
    family="social bias",
    title="Association test",
    question="Does the model place groups of people (or their names) nearer to some attributes than to others?",
    kind_of_harm=Harm.STEREOTYPING,
    harm="A search, ranking or tagging system built on the model can reproduce the stereotype.",
    citations=(
        "Caliskan, Bryson and Narayanan 2017, doi:10.1126/science.aal4230",
        "May et al. 2019, doi:10.18653/v1/N19-1063",
        "Steed and Caliskan 2021, doi:10.1145/3442188.3445932",
    ),
    needs=frozenset({Need.EMBEDDINGS}),
    data=("avatars", "fluent-people", "fairface", "fairface-1.25", "utkface", "ieat"),
    params=AssociationParams,
    part="preset",
    metrics=(
        MetricSpec(
            name=EFFECT, title="Association (effect size d)", direction=Direction.AWAY_FROM_NULL_IS_WORSE,
            null_value=0.0, cluster_key="word, identity or image", min_n=MIN_N,
            formula="s(w) = mean_a cos(w, a) - mean_b cos(w, b); d = (mean_X s - mean_Y s) / sd(s, ddof 1)",
        ),
        MetricSpec(
            name=SINGLE, title="Association of one target set (single-category d)", null_value=0.0,
            cluster_key="word, identity or image", min_n=MIN_N,
            formula="c(a) = mean_x cos(x, a); d = (mean_A c - mean_B c) / sd(c, ddof 1)",
        ),
        MetricSpec(
            name=PUBLISHED, title="Effect size d, published protocol", null_value=0.0, min_n=MIN_N,
            formula="d as above; one-sided p over equal-size partitions, uncorrected",
        ),
        AGREEMENT,
    ),
    limits=(
        "Shows distances in the embedding space, not decisions about people.",
        "Depends on the words and images chosen: another choice can give another d.",
        "Annotations of people are those of others, not how the people shown see themselves.",
        "Names and drawings stand in for groups; they say nothing of a person.",
    ),
    methods=_METHODS,
)  # fmt: skip
