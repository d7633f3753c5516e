"""One cell of the markedness audit: which images are given the unmarked label, column by column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from clipaudit.contract import AuditSpec, Cell
from clipaudit.results import GroupsAre
from clipaudit_audits.social_bias.denigration_labels import choose
from clipaudit_audits.social_bias.disparity_measures import Compared, Outcome, compare
from clipaudit_audits.social_bias.groups import Grouping, groupings
from clipaudit_audits.social_bias.markedness_params import MarkednessParams, all_labels
from clipaudit_audits.social_bias.markedness_rows import Answers, Floats, read
from clipaudit_audits.social_bias.markedness_similarity import Similarity, similarity
from clipaudit_audits.social_bias.rate_estimates import large_groups, selection

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Study:
    """Answers, and what the parameters say of them."""

    answers: Answers
    params: MarkednessParams
    spec: AuditSpec
    seed: int
    basis: GroupsAre

    @cached_property
    def labels(self) -> tuple[str, ...]:
        return all_labels(self.params)

    @cached_property
    def groupings(self) -> list[Grouping]:
        """Groups of any size, in the order of `Answers.similar`."""
        several = self.params.intersections
        return groupings(self.answers.columns, self.answers.readable, 1, pairs=several, whole=several, basis=self.basis)

    def values(self, column: str) -> list[str]:
        """The values of a column of groups."""
        return sorted({value for value in self.answers.columns[column] if value.strip()})

    def missing(self, column: str) -> list[str]:
        """Labels of a column that are refused or not recorded."""
        gone = {*self.answers.refused, *self.answers.absent}
        return [label for label in self.named(column).values() if label in gone]

    def named(self, column: str) -> dict[str, str]:
        """Value -> label of a column's values that have one."""
        return {value: label for value in self.values(column) if (label := self.params.terms[value])}

    @cached_property
    def judged(self) -> tuple[str, ...]:
        """Columns with all their labels: without one of them the unmarked label would win more often."""
        return tuple(column for column in self.params.groups if not self.missing(column))

    def offered(self, column: str) -> Mask:
        """(m,) the unmarked label and those of the column's groups."""
        named = {self.params.unmarked, *self.named(column).values()}
        return np.array([label in named for label in self.labels])

    def unmarked(self, column: str) -> Mask:
        """(n,) where the unmarked label is preferred to the labels of all groups of the column."""
        return np.asarray(self._chosen[column] == 0)

    @cached_property
    def _chosen(self) -> Mapping[str, NDArray[np.int64]]:
        return {column: choose(self.answers.scores, self.offered(column)) for column in self.judged}

    def unmarked_by_template(self, column: str) -> dict[str, Mask]:
        """Template -> the same under that template alone."""
        offered = self.offered(column)
        found = [choose(scores, offered) == 0 for scores in self.answers.by_template]
        return dict(zip(self.params.templates, found, strict=False))

    def margins(self, column: str) -> Floats:
        """(n,) score of the unmarked label less that of the image's own group; NaN where that has none."""
        place = {value: self.labels.index(label) for value, label in self.named(column).items()}
        own = [place.get(value, -1) for value in self.answers.columns[column]]
        scores = np.hstack([self.answers.scores, np.full((len(own), 1), np.nan)])
        return np.asarray(scores[:, 0] - scores[np.arange(len(own)), own])

    def lead(self, column: str) -> tuple[Floats, NDArray[np.int64]]:
        """(n,) score of the column's best label less that of the unmarked one, -inf where unreadable; that label."""
        named = np.flatnonzero(self.offered(column))[1:]  # the unmarked label is the first of all
        scores = self.answers.scores
        best = named[scores[:, named].argmax(axis=1)]
        lead = scores[np.arange(len(scores)), best] - scores[:, 0]
        return np.where(self.answers.readable & np.isfinite(lead), lead, -np.inf), best

    def compared(self, grouping: Grouping, values: Mask, about: str, metric: str) -> Compared | None:
        """A rate by group; None where no group has an item."""
        if not grouping.values:
            return None
        outcome = Outcome(metric, about, values, self.answers.readable)
        least, distinct = self.params.min_group, self.answers.distinct
        return compare(self.answers, grouping, outcome, selection(values, grouping), least, self.seed, distinct)

    def large(self, grouping: Grouping) -> Mask:
        """(k,) whether a group of the grouping is large enough to be compared."""
        return large_groups(grouping, self.answers.clusters, self.answers.distinct, self.params.min_group)

    def similarity(self, number: int) -> Similarity | None:
        """Self-similarity of the groups of `groupings[number]`; None without embeddings."""
        if self.answers.similar is None:
            return None
        grouping = self.groupings[number]
        means = self.answers.similar[:, number]
        return similarity(means, grouping.codes, self.answers.clusters, len(grouping.values))


def study(cell: Cell, rows: pa.Table) -> Study:
    """The rows of a cell."""
    return Study(read(rows, cell.params), cell.params, cell.spec, cell.seed, cell.groups_are)
