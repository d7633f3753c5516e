"""Rows made ready: groupings, and the ranking of their images by every query."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from clipaudit.results import GroupsAre
from clipaudit.stats.clusters import codes
from clipaudit_audits.social_bias.groups import Grouping, groupings
from clipaudit_audits.social_bias.retrieval_skew_measures import Rankings
from clipaudit_audits.social_bias.retrieval_skew_queries import Query
from clipaudit_audits.social_bias.retrieval_skew_rows import Measured

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class RankedPools:
    """Pools of images and the queries that rank them. Queries that the model refused are not among `queries`.

    ks: lengths of the top. least: images that a judged group has. pairs: whether pairs of columns are groupings too.
    whole: whether rankings of single columns are kept to their end (NDKL needs it). own_pools: each unit its pool.
    basis: what the groups are.
    """

    made: Measured
    seed: int
    ks: tuple[int, ...]
    least: int
    pairs: bool
    whole: bool
    own_pools: bool
    basis: GroupsAre

    @cached_property
    def queries(self) -> tuple[tuple[str, Query], ...]:
        """(unit, query), unit by unit in alphabetical order."""
        return tuple(
            (unit, query)
            for unit in sorted(self.made.asked)
            for query in self.made.asked[unit]
            if query.text not in self.made.refused
        )

    @cached_property
    def groupings(self) -> list[Grouping]:
        return groupings(self.made.columns, self.made.readable, self.least, self.pairs, basis=self.basis)

    @cached_property
    def order(self) -> Ints:
        """(q, n) items of each query's pool, best first; -1 beyond the pool. Ties fall as a seeded lot decides."""
        lot = np.random.default_rng([self.seed, 0]).permutation(len(self.made.items))
        readable = self.made.readable
        units = np.array(self.made.units)
        rows: list[Ints] = []
        for unit in sorted(self.made.asked):
            members = lot[(units[lot] == unit) & readable[lot]]
            for position, query in enumerate(self.made.asked[unit]):
                if query.text not in self.made.refused:
                    rows.append(members[np.argsort(-self.made.scores[members, position], kind="stable")])
        longest = max(map(len, rows), default=0)
        order = np.full((len(rows), longest), -1, np.int64)
        for line, row in zip(order, rows, strict=True):
            line[: len(row)] = row
        return order

    def rankings(self, grouping: Grouping) -> Rankings:
        """The rankings without images of no judged group, cut to what the longest top needs for a pair of columns."""
        included = np.flatnonzero(grouping.codes >= 0)
        place = np.full(len(grouping.codes) + 1, -1)
        place[included] = np.arange(len(included))
        full = self.own_pools or (self.whole and len(grouping.columns) == 1)
        order = self.order if len(included) == len(grouping.codes) else _packed(place[self.order])
        if not full:
            order = order[:, : 2 * max(self.ks) + 32]  # resampled pools may need more than k ranks
        return Rankings(
            order=order,
            codes=grouping.codes[included],
            n_groups=len(grouping.values),
            clusters=codes([self.made.clusters[i] for i in included]),
            units=codes([self.made.units[i] for i in included]),
            query_clusters=codes([query.cluster or unit for unit, query in self.queries]),
            full=full,
        )


def _packed(order: Ints) -> Ints:
    """(q, n) with the entries of each row that are not -1 moved to its front; columns of -1 only are cut off."""
    absent = order < 0
    if not absent.any():
        return order
    width = int((~absent).sum(axis=1).max(initial=0))
    return np.take_along_axis(order, np.argsort(absent, axis=1, kind="stable"), axis=1)[:, :width]


def judged_queries(rankings: Rankings) -> NDArray[np.bool_]:
    """(q,) whether a query's pool holds every group: else its shares cannot be compared with those of others."""
    if not rankings.units.any():  # a single pool: every group is in it
        return np.ones(len(rankings.order), np.bool_)
    found = np.where(rankings.order < 0, -1, rankings.codes[rankings.order])
    return np.asarray(np.all([(found == group).any(axis=1) for group in range(rankings.n_groups)], axis=0))


def by_template(values: NDArray[np.float64], queries: Sequence[tuple[str, Query]]) -> dict[str, float]:
    """Template -> mean of the queries' values (q,), without NaN."""
    found: dict[str, list[float]] = {}
    for (_, query), value in zip(queries, values.tolist(), strict=True):
        if np.isfinite(value):
            found.setdefault(query.template, []).append(value)
    return {template: float(np.mean(own)) for template, own in found.items()}
