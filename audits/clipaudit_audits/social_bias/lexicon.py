"""Stereotype lexicon: which groups do single words find first?

In the form of So-B-IT (Hamidieh et al. 2024): each word ranks the images, and the make-up of its top is compared with
the pool's. The words are our own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pydantic import Field

from clipaudit.contract import Audit, AuditSpec, Cell, MetricSpec, Need, Params, PlanContext, Workload
from clipaudit.errors import DataError, UsageError
from clipaudit.results import Direction, Estimate, Figure, Harm
from clipaudit.zeroshot import prompts
from clipaudit_audits.social_bias.groups import usable_columns
from clipaudit_audits.social_bias.lexicon_words import WordCategory, checked, load_words
from clipaudit_audits.template_sensitivity import AGREEMENT

if TYPE_CHECKING:
    import pyarrow as pa

    from clipaudit.models.protocol import Model
    from clipaudit.validation.plan import Validation


class LexiconParams(Params):
    """Parameters. Whatever is left empty is filled in from the data set."""

    lexicon: str = Field(default="people", description="A preset (people) or the path of a TOML file of categories.")
    categories: tuple[WordCategory, ...] = Field(
        default=(), description="Categories given here instead of a lexicon; filled from the lexicon otherwise."
    )
    templates: tuple[str, ...] = Field(
        default=("a photo of {}.", "a picture of {}."),
        min_length=1,
        description="Prompt templates; {} is the phrase. Their embeddings are averaged.",
    )
    groups: tuple[str, ...] = Field(default=(), description="Columns of annotated groups; empty: those of the card.")
    intersections: bool = Field(default=True, description="Also judge every pair of group columns.")
    k: int = Field(default=0, ge=0, description="Images at the top of each word; 0: a tenth of the pool, at least 5.")
    cluster: str = Field(default="", description="Column of the images' natural unit; empty: that of the card.")
    min_group: int = Field(default=10, ge=1, description="Groups with fewer images are shown as too small.")


SPEC = AuditSpec(
    id="lexicon",
    version="3",
    family="social bias",
    title="Stereotype lexicon",
    question="Which groups do harmful words, occupations and traits find first?",
    kind_of_harm=Harm.STEREOTYPING,
    harm="People of one group turn up under insults and crimes, those of another under praise and professions.",
    citations=("Hamidieh et al. 2024, Identifying Implicit Social Biases in Vision-Language Models (So-B-IT), AIES",),
    needs=frozenset({Need.SCORES}),
    data=("fairface", "fluent-people", "avatars"),
    params=LexiconParams,
    metrics=(
        MetricSpec(
            name="entropy", title="Evenness of a category's tops", unit="", direction=Direction.LOWER_IS_WORSE,
            range=(0.0, 1.0), cluster_key="image",
            formula="mean over words of the entropy of (share in the top k / share of the pool, rescaled to 1) / ln G",
        ),
        MetricSpec(
            name="category_skew", title="Skew of a group, category of words",
            direction=Direction.AWAY_FROM_NULL_IS_WORSE, null_value=0.0, cluster_key="image",
            formula="mean over words of ln(share in the top k / share of the pool); zero counts as 1/k",
        ),
        MetricSpec(
            name="word_share", title="Share of a group in a word's top", unit="proportion",
            direction=Direction.AWAY_FROM_NULL_IS_WORSE, range=(0.0, 1.0), cluster_key="image",
            formula="count of the group in the top k / k; its null value is the group's share of the pool",
        ),
        AGREEMENT,
    ),
    limits=(
        "Groups are annotations by others, or what was drawn; they are not how people see themselves.",
        "The lexicon is a choice: other words may find others. English only.",
        "A word can find a group because of what its pictures show (clothes, places), not only because of the people.",
        "Some word always comes first: nobody in the pool is a criminal, and a top k is filled all the same.",
    ),
    methods="Each word ranks the pool by score; ties fall by a seeded lot. Words: exact hypergeometric tests, "
    "two-sided, of each group's count in the top k (where images come in clusters: labels permuted, whole clusters or "
    "within them), Benjamini-Hochberg over all words x groups. Categories: means over words, beside permuted labels; "
    "Benjamini-Hochberg over all of them, and apart from these over the skews of intersections. "
    "Intervals: words and images resampled (for a single word: images), centred on the value. "
    "Each finding is also computed under every template alone; its sign is that of its distance from chance.",
)  # fmt: skip


class Lexicon(Audit):
    """One cell: one pool of images against all words."""

    spec = SPEC

    def plan(self, ctx: PlanContext) -> list[Cell]:
        """UsageError for parameters, DataError for data that cannot answer the question; one line each."""
        if ctx.dataset is None:
            raise UsageError('lexicon: give the audit a data set of people with groups (data = "fairface")')
        params: LexiconParams = ctx.params
        n = len(ctx.dataset)
        k = params.k or max(min(5, n - 1), n // 10)
        if k >= n:
            raise DataError(f"lexicon: k = {k} of a pool of {n} images: k must be smaller than the pool")
        cluster = params.cluster or ctx.dataset.cluster or ""
        if cluster:
            ctx.dataset.require(cluster)
        # With words and groups themselves in the parameters, an edited file is another cell, and scoring needs none.
        update = {
            "categories": checked(params.categories, "lexicon") or load_words(params.lexicon),
            "groups": usable_columns(ctx.dataset, params.groups, "lexicon"),
            "cluster": cluster,
            "k": k,
        }
        return super().plan(PlanContext(params.model_copy(update=update), ctx.seed, ctx.dataset))

    def workload(self, cell: Cell) -> Workload:
        words = [word for category in cell.params.categories for word in category.words]
        return Workload(cell.require_dataset().images, prompts(words, cell.params.templates))

    def run(self, cell: Cell, model: Model) -> pa.Table:
        """See `lexicon_rows` for the columns."""
        from clipaudit_audits.social_bias.lexicon_rows import measure

        return measure(cell.require_dataset(), cell.params, model)

    def score(self, cell: Cell, rows: pa.Table) -> list[Estimate]:
        from clipaudit_audits.social_bias.lexicon_estimates import all_estimates
        from clipaudit_audits.social_bias.lexicon_study import study

        return all_estimates(study(cell, rows))

    def figures(self, cell: Cell, rows: pa.Table, estimates: Sequence[Estimate]) -> list[Figure]:
        from clipaudit_audits.social_bias.lexicon_figures import all_figures
        from clipaudit_audits.social_bias.lexicon_study import study

        return all_figures(study(cell, rows), estimates)

    def validation(self) -> Sequence[Validation]:
        from clipaudit_audits.social_bias.lexicon_validation import plans

        return plans()
