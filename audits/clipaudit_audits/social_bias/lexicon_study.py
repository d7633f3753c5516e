"""One cell of the lexicon audit, and what each word finds first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from clipaudit.contract import AuditSpec, Cell
from clipaudit.results import Interval, Test
from clipaudit.stats import multiple
from clipaudit.stats.ranking_resample import multiplicities, one_hot, replicates
from clipaudit_audits.social_bias.groups import Grouping
from clipaudit_audits.social_bias.lexicon_rows import read
from clipaudit_audits.social_bias.lexicon_words import WordCategory
from clipaudit_audits.social_bias.ranked_pools import RankedPools
from clipaudit_audits.social_bias.retrieval_skew_measures import Rankings, exchangeable, interval, strata_of

Floats = NDArray[np.float64]

ALPHA = 0.05
_PERMUTATIONS = 4999
_BOOTSTRAPS = 500
_CHUNK = 200
_TIE = 1e-9


@dataclass(frozen=True)
class Study(RankedPools):
    """The pool of a cell, ranked by words."""

    spec: AuditSpec
    categories: tuple[WordCategory, ...]
    cluster: str
    templates: tuple[str, ...]

    @cached_property
    def alone(self) -> dict[str, Study]:
        """Template -> the same pool ranked under it alone; nothing where scores were not measured apart."""
        if not self.made.by_template:
            return {}
        each = zip(self.templates, self.made.by_template, strict=True)
        return {name: replace(self, made=replace(self.made, scores=scores, by_template=())) for name, scores in each}

    @property
    def k(self) -> int:
        return self.ks[0]

    @property
    def words(self) -> list[str]:
        return [query.text for _, query in self.queries]

    @cached_property
    def tops(self) -> dict[str, WordTops]:
        """Name of a grouping -> what words find first, where that can be judged."""
        found = ((grouping.name, word_tops(self, grouping)) for grouping in self.groupings)
        return {name: tops for name, tops in found if tops is not None}

    @cached_property
    def adjusted(self) -> dict[str, Floats]:
        """Name of a grouping -> (q, G) p after Benjamini-Hochberg over all words and groups of all groupings."""
        if not self.tops:
            return {}
        every = list(self.tops.values())
        ends = np.cumsum([tops.p.size for tops in every])[:-1]
        parts = np.split(
            multiple.adjusted(np.concatenate([tops.p.ravel() for tops in every]), "benjamini-hochberg"), ends
        )
        return {tops.grouping.name: part.reshape(tops.p.shape) for tops, part in zip(every, parts, strict=True)}


def study(cell: Cell, rows: pa.Table) -> Study:
    """The rows of a cell."""
    params = cell.params
    return Study(
        made=read(rows, params), seed=cell.seed, ks=(params.k,), least=params.min_group, pairs=params.intersections,
        whole=False, own_pools=False, basis=cell.groups_are, spec=cell.spec, categories=params.categories,
        cluster=params.cluster, templates=tuple(dict.fromkeys(params.templates)),
    )  # fmt: skip


@dataclass(frozen=True)
class WordTops:
    """One grouping: what the top k of every word holds.

    counts: (q, G); pool: (G,) shares; p: (q, G) two-sided; method of the test.
    """

    grouping: Grouping
    rankings: Rankings
    k: int
    counts: Floats
    pool: Floats
    p: Floats
    method: str
    smallest_p: float | None

    @property
    def skews(self) -> Floats:
        """(q, G) ln(share / share of the pool), a count of 0 taken as 1."""
        return np.asarray(np.log(np.maximum(self.counts, 1.0) / self.k / self.pool))

    def test(self, word: int, group: int) -> Test:
        return Test(p=float(self.p[word, group]), method=self.method, smallest_p=self.smallest_p)


def word_tops(made: Study, grouping: Grouping) -> WordTops | None:
    """None where fewer than two groups are large enough, or k is the whole of what is left."""
    if len(grouping.values) < 2 or not made.queries:
        return None
    rankings = made.rankings(grouping)
    n = len(rankings.codes)
    if made.k >= n:
        return None
    counts = top_counts(rankings, made.k)
    sizes = np.bincount(rankings.codes, minlength=rankings.n_groups)
    what, _ = exchangeable(rankings.codes, rankings.clusters, rankings.units)
    if what == "images":
        p, method, smallest = hypergeometric_p(counts, sizes, made.k), "hypergeometric, exact, two-sided", None
    else:
        p, smallest = _permutation_p(rankings, counts, made.k, made.seed), 1 / (_PERMUTATIONS + 1)
        method = f"permutation test: {what} permuted {_PERMUTATIONS:,} times"
    return WordTops(grouping, rankings, made.k, counts, sizes / n, p, method, smallest)


def top_counts(rankings: Rankings, k: int) -> Floats:
    """(q, G) images of each group among the first k of each word."""
    return np.asarray(replicates(rankings.order, rankings.columns, [k], full=False).top[:, 0, :, 0])


def hypergeometric_p(counts: Floats, sizes: Sequence[int] | NDArray[np.int64], k: int) -> Floats:
    """(q, G) p of counts among k images drawn without replacement: the sum over all counts that are no likelier."""
    from scipy.stats import hypergeom

    total = int(np.sum(sizes))
    result = np.empty(np.shape(counts))
    for group, size in enumerate(sizes):
        mass = hypergeom(total, int(size), k).pmf(np.arange(k + 1))
        ordered = np.sort(mass)
        table = np.cumsum(ordered)[np.searchsorted(ordered, mass * (1 + 1e-7), side="right") - 1]
        result[:, group] = np.minimum(table[np.rint(counts[:, group]).astype(np.int64)], 1.0)
    return np.maximum(result, np.finfo(np.float64).tiny)


def _permutation_p(rankings: Rankings, counts: Floats, k: int, seed: int) -> Floats:
    """(q, G) two-sided p: distance of the count from its mean under permutation, (b + 1) / (m + 1)."""
    rng, draw = np.random.default_rng([seed, 4]), exchangeable(rankings.codes, rankings.clusters, rankings.units)[1]
    order = rankings.order[:, :k]
    tops = [
        replicates(
            order, one_hot(draw(min(_CHUNK, _PERMUTATIONS - a), rng), rankings.n_groups), [k], full=False
        ).top[:, 0].astype(np.uint16)
        for a in range(0, _PERMUTATIONS, _CHUNK)
    ]  # fmt: skip
    null = np.concatenate(tops, axis=2)
    centre = null.mean(axis=2)
    distance = np.abs(counts - centre)[:, :, None] * (1 - _TIE)
    return np.asarray(((np.abs(null - centre[:, :, None]) >= distance).sum(axis=2) + 1) / (_PERMUTATIONS + 1))


def share_interval(tops: WordTops, word: int, group: int, seed: int) -> Interval:
    """Of the group's share in the word's top: images (clusters) are resampled, the draws centred on the value."""
    rankings = tops.rankings
    rng = np.random.default_rng([seed, 5])
    drawn = multiplicities(
        rankings.clusters, strata_of(rankings.codes, rankings.clusters, rankings.units), _BOOTSTRAPS, rng
    )
    columns = one_hot(rankings.codes, rankings.n_groups, drawn)
    found = replicates(rankings.order[[word]], columns, [tops.k], full=False)
    draws = found.top[0, 0, group] / tops.k
    return interval(float(tops.counts[word, group] / tops.k), draws[np.isfinite(draws)], "images", bounds=(0.0, 1.0))
