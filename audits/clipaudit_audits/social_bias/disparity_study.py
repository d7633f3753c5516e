"""One cell of the disparity audit: its answers, compared by every grouping."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa

from clipaudit.contract import AuditSpec, Cell
from clipaudit.results import GroupsAre
from clipaudit.stats.gap_rates import Floats
from clipaudit_audits.social_bias.disparity_measures import (
    Compared,
    Outcome,
    accuracy,
    class_rates,
    compare,
    frame,
    reported_classes,
)
from clipaudit_audits.social_bias.disparity_params import DisparityParams, classes
from clipaudit_audits.social_bias.disparity_rows import Answers, read
from clipaudit_audits.social_bias.groups import Grouping, groupings


@dataclass(frozen=True)
class Study:
    """Answers, and what the parameters say of them."""

    answers: Answers
    params: DisparityParams
    spec: AuditSpec
    seed: int
    basis: GroupsAre

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes that could be asked for."""
        refused = set(self.answers.refused)
        return tuple(one.name for one in classes(self.params) if not set(one.texts) <= refused)

    @cached_property
    def reported(self) -> tuple[str, ...]:
        """The classes whose rates are reported."""
        return reported_classes(self.answers, self.classes)

    @cached_property
    def groupings(self) -> list[Grouping]:
        """Groups of any size; which are large enough depends on the rate."""
        several = self.params.intersections
        return groupings(self.answers.columns, self.answers.readable, 1, pairs=several, whole=several, basis=self.basis)

    def accuracies(self, grouping: Grouping) -> Compared | None:
        """Accuracy by group; None where no group has an item."""
        if not grouping.values:
            return None
        values = frame(self.answers, grouping, "")["accuracy"]
        return self._compared(grouping, accuracy(self.answers), values)

    def rates(self, grouping: Grouping, about: str) -> dict[str, Compared]:
        """Metric -> rates of one class by group. None of groups that are the annotated classes themselves."""
        if self.params.target in grouping.columns or not grouping.values:
            return {}
        values = frame(self.answers, grouping, about)
        found = {
            outcome.metric: self._compared(grouping, outcome, values[outcome.metric])
            for outcome in class_rates(self.answers, about)
        }
        return {metric: one for metric, one in found.items() if one is not None}

    def _compared(self, grouping: Grouping, outcome: Outcome, values: Floats) -> Compared | None:
        least, distinct = self.params.min_group, self.answers.distinct
        return compare(self.answers, grouping, outcome, values, least, self.seed, distinct)


def study(cell: Cell, rows: pa.Table) -> Study:
    """The rows of a cell; parameters say which columns are groups."""
    return Study(read(rows, cell.params), cell.params, cell.spec, cell.seed, cell.groups_are)
