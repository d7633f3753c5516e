"""What the markedness audit declares."""

from __future__ import annotations

from clipaudit.contract import AuditSpec, MetricSpec, Need
from clipaudit.results import Direction, Harm
from clipaudit_audits.social_bias.markedness_params import MarkednessParams
from clipaudit_audits.template_sensitivity import AGREEMENT

_AWAY = Direction.AWAY_FROM_NULL_IS_WORSE

SPEC = AuditSpec(
    id="markedness",
    version="1",
    family="social bias",
    title="Who is just a person?",
    question="Whose images does the model call 'a person', and whose does it name by their group?",
    harm="People of some groups count as the default, others are marked as different.",
    kind_of_harm=Harm.ERASURE,
    citations=(
        "Wolfe, Caliskan 2022, Markedness in Visual Semantic AI, FAccT",
        "Lum, Zhang, Bower 2022, De-biasing \"bias\" measurement, FAccT",
        "Arvesen 1969, Jackknifing U-statistics, Annals of Mathematical Statistics",
    ),
    needs=frozenset({Need.SCORES}),
    uses=frozenset({Need.EMBEDDINGS}),
    data=("fairface", "fairface-1.25", "utkface", "fluent-people", "avatars"),
    params=MarkednessParams,
    metrics=(
        MetricSpec(
            name="unmarked_rate", title="Unmarked label preferred", unit="proportion", range=(0.0, 1.0),
            cluster_key="image",
            formula="share of images for which the unmarked label scores above the labels of all groups of the column",
        ),
        MetricSpec(
            name="unmarked_gap", title="Gap in unmarked labels", unit="points", direction=Direction.HIGHER_IS_WORSE,
            range=(0.0, 100.0), null_value=0.0, cluster_key="image", formula="largest minus smallest rate of a group",
        ),
        MetricSpec(
            name="between_group_variance", title="Variance between groups", unit="points²",
            direction=Direction.HIGHER_IS_WORSE, null_value=0.0, cluster_key="image",
            formula="variance of the groups' rates minus the mean of their sampling variances; may be negative",
        ),
        MetricSpec(
            name="above_own_rate", title="Unmarked label above the own group's", unit="proportion", range=(0.0, 1.0),
            cluster_key="image",
            formula="share of images for which the unmarked label scores above that of their own group",
        ),
        MetricSpec(
            name="above_own_margin", title="Margin over the own group's label", unit="cosine", range=(-2.0, 2.0),
            null_value=0.0, cluster_key="image", formula="mean of cos(image, unmarked) - cos(image, own group's label)",
        ),
        MetricSpec(
            name="self_similarity", title="Self-similarity", unit="cosine", range=(-1.0, 1.0), cluster_key="image",
            formula="mean cosine over pairs of a group's images of different units",
        ),
        MetricSpec(
            name="self_similarity_difference", title="Self-similarity less the groups' mean", unit="cosine",
            direction=_AWAY, range=(-2.0, 2.0), null_value=0.0, cluster_key="image",
            formula="self-similarity of a group minus the mean of that of all groups that are large enough",
        ),
        MetricSpec(
            name="text_distance", title="Distance of the group's label to the unmarked one", unit="cosine distance",
            range=(0.0, 2.0), formula="mean over templates of 1 - cos(unmarked label, group's label)",
        ),
        AGREEMENT,
    ),
    limits=(
        "An unmarked label is no honour and a marked one no insult by itself; what counts is that groups differ.",
        "Rates hang on how groups are named: other names, other rates. The labels are in the parameters.",
        "Groups are annotations by others, or what was drawn; they are not how people see themselves.",
        "Self-similarity grows with everything that a group's images share, backgrounds and cropping among them.",
        "A gap is above 0 by chance, the more so the more and the smaller the groups: read it beside its chance value.",
    ),
    methods="For each column of groups the labels on offer are the unmarked one and those of all its groups; the best "
    "one is given, a tie is none. Rates per group and per intersection: fairlearn's MetricFrame, Wilson intervals at "
    "the effective size under clusters. Gaps: permuted groups give chance and p, a simultaneous max-|t| bound the "
    "smallest true gap, Lum et al. the variance between groups. Margins: BCa bootstrap over natural units. "
    "Self-similarity: all pairs of images of different units, each once (never an image with itself); delete-one-unit "
    "jackknife; each group against the mean of the groups by t. Benjamini-Hochberg over all gaps, and over all "
    "differences in self-similarity. Distances of texts are of single texts and have no interval.",
)  # fmt: skip
