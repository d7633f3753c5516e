"""What the retrieval audit declares."""

from __future__ import annotations

from clipaudit.contract import AuditSpec, MetricSpec, Need
from clipaudit.results import Direction, Harm
from clipaudit_audits.social_bias.retrieval_skew_params import RetrievalSkewParams
from clipaudit_audits.template_sensitivity import AGREEMENT

SPEC = AuditSpec(
    id="retrieval_skew",
    version="2",
    family="social bias",
    title="Who is found first",
    question="If a search names nobody's gender, origin or age, are some groups still found first?",
    kind_of_harm=Harm.REPRESENTATION,
    harm="People of a group that is ranked low are not found, shown or hired; others stand for everybody.",
    citations=(
        "Geyik, Ambler, Kenthapadi 2019, Fairness-Aware Ranking in Search & Recommendation Systems, KDD",
        "Berg et al. 2022, A Prompt Array Keeps the Bias Away, AACL-IJCNLP",
        "Hall et al. 2023, VisoGender: benchmarking gender bias in image-text pronoun resolution, NeurIPS",
        "Wang, Liu, Wang 2021, Are Gender-Neutral Queries Really Gender-Neutral?, EMNLP",
        "Owen 2007, The pigeonhole bootstrap, Annals of Applied Statistics",
    ),
    needs=frozenset({Need.SCORES}),
    data=("fairface", "visogender", "fluent-people", "avatars"),
    params=RetrievalSkewParams,
    metrics=(
        MetricSpec(
            name="max_skew", title="MaxSkew@k", direction=Direction.HIGHER_IS_WORSE, range=(0.0, None),
            cluster_key="image", formula="mean over queries of max over groups of ln(share in top k / target share)",
        ),
        MetricSpec(
            name="min_skew", title="MinSkew@k", direction=Direction.LOWER_IS_WORSE, cluster_key="image",
            formula="mean over queries of min over groups of ln(share in the top k / target share); zero counts as 1/k",
        ),
        MetricSpec(
            name="ndkl", title="NDKL", direction=Direction.HIGHER_IS_WORSE, range=(0.0, None), cluster_key="image",
            formula="mean over queries of (1/Z) sum over ranks i of KL(top i || target) / log2(i + 1)",
        ),
        MetricSpec(
            name="bias", title="Bias@k", direction=Direction.AWAY_FROM_NULL_IS_WORSE, range=(-1.0, 1.0), null_value=0.0,
            cluster_key="image", formula="mean over queries of (n1 - n2) / (n1 + n2) in the top k; two groups only",
        ),
        MetricSpec(
            name="group_skew", title="Skew@k of a group", direction=Direction.AWAY_FROM_NULL_IS_WORSE, null_value=0.0,
            cluster_key="image", formula="mean over queries of ln(share in the top k / share of the pool); not judged "
            "where k times the share of the pool is below 1",
        ),
        MetricSpec(
            name="excess", title="Excess over chance", direction=Direction.HIGHER_IS_WORSE, null_value=0.0,
            cluster_key="image", formula="MaxSkew or NDKL minus its mean when labels are permuted",
        ),
        MetricSpec(
            name="template_range", title="Range over templates", direction=Direction.DESCRIPTIVE, range=(0.0, None),
            formula="largest minus smallest mean MaxSkew@k of a template",
        ),
        AGREEMENT,
    ),
    limits=(
        "Groups are annotations by others, or what was drawn; they are not how people see themselves.",
        "Skews belong to this pool, these queries and this k; other pools give other numbers, by chance alone as well.",
        "Queries are taken to be neutral because they name no group; a word can still be meant for one.",
        "MaxSkew and NDKL are above 0 by chance: read the excess.",
    ),
    methods="Every query ranks the pool by score; ties fall by a seeded lot. Means over queries. Chance: labels of the "
    "images are permuted (whole clusters where none holds two groups, within clusters where each does) with all "
    "rankings as they are, so that similar queries count as similar; on average this is a random ranking. Intervals: "
    "queries (by concept) and images (by cluster) are both drawn with replacement; the draws are centred on the value, "
    "because resampling adds noise and noise adds skew. NDKL of replicates is integrated over blocks of ranks; the "
    "value itself is exact. Benjamini-Hochberg over all skews. Each template alone is held against "
    "chance as well. Groups below the minimum size are left out of the pool.",
)  # fmt: skip
