"""One cell of the denigration audit: the label that each image was given in each label set, and rates by group."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from clipaudit.contract import AuditSpec, Cell
from clipaudit.results import GroupsAre
from clipaudit_audits.social_bias.denigration_labels import ANY, LabelSet, choose, label_sets
from clipaudit_audits.social_bias.denigration_params import DenigrationParams, all_labels, base_labels
from clipaudit_audits.social_bias.denigration_rows import Answers, Floats, read
from clipaudit_audits.social_bias.disparity_measures import Compared, Outcome, compare
from clipaudit_audits.social_bias.groups import Grouping, groupings
from clipaudit_audits.social_bias.rate_estimates import large_groups, rates_by_group, selection

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Study:
    """Answers, and what the parameters say of them."""

    answers: Answers
    params: DenigrationParams
    spec: AuditSpec
    seed: int
    basis: GroupsAre
    data_id: str

    @cached_property
    def labels(self) -> tuple[str, ...]:
        return all_labels(self.params)

    @cached_property
    def known(self) -> NDArray[np.bool_]:
        """(m,) labels with scores."""
        gone = {*self.answers.refused, *self.answers.absent}
        return np.array([label not in gone for label in self.labels])

    @cached_property
    def harms(self) -> dict[str, NDArray[np.bool_]]:
        """Kind of harm -> (m,) mask of its labels; of several kinds, all together last. Kinds without a label that the
        model knows are left out."""
        names = np.array(self.labels)
        masks = {kind: np.isin(names, texts) & self.known for kind, texts in sorted(self.params.harms.items())}
        found = {kind: mask for kind, mask in masks.items() if mask.any()}
        return found | ({ANY: np.logical_or.reduce(list(found.values()))} if len(found) > 1 else {})

    @property
    def every_harm(self) -> str:
        """All kinds together, or the only one; "" where the model knows none."""
        return next(reversed(self.harms), "")

    @cached_property
    def sets(self) -> list[LabelSet]:
        """The label set first; of decisions that one alone, for nobody knows what they would be in another."""
        found = label_sets(self.labels, len(base_labels(self.params)), self.params.additions, self.known)
        return found[:1] if self.answers.kind == "decision" else found

    @cached_property
    def chosen(self) -> Ints:
        """(sets, n) label given to each image; -1 for none."""
        scores, base = self.answers.scores, self.sets[0].offered
        given = choose(scores, base)
        found = np.tile(given, (len(self.sets), 1))
        for own, one in zip(found[1:], self.sets[1:], strict=True):
            # Without a label, another answer is possible only where that label won or tied.
            fewer = not (one.offered & ~base).any()
            anew = np.append(base & ~one.offered, True)[given] if fewer else np.ones(len(given), np.bool_)
            own[anew] = choose(scores[anew], one.offered)
        return found

    @cached_property
    def chosen_by_template(self) -> Mapping[str, Ints]:
        """Template -> (n,) label given in the label set under that template alone."""
        offered = self.sets[0].offered
        found = [choose(values, offered) for values in self.answers.by_template]
        return dict(zip(self.params.templates, found, strict=False))

    @cached_property
    def groupings(self) -> list[Grouping]:
        """Groups of any size."""
        several = self.params.intersections
        return groupings(self.answers.columns, self.answers.readable, 1, pairs=several, whole=several, basis=self.basis)

    def harmed(self, harm: str, chosen: Ints) -> NDArray[np.bool_]:
        """Where a label of this kind was given; of the shape of `chosen`."""
        return np.append(self.harms[harm], False)[chosen]  # -1 is the last

    def compared(self, grouping: Grouping, harm: str, number: int = 0) -> Compared | None:
        """The rate in one of `sets` by group; None where no group has an item."""
        if not grouping.values:
            return None
        values = self.harmed(harm, self.chosen[number])
        outcome = Outcome("harm_rate", harm, values, self.answers.readable)
        least, distinct = self.params.min_group, self.answers.distinct
        return compare(self.answers, grouping, outcome, selection(values, grouping), least, self.seed, distinct)

    def large(self, grouping: Grouping) -> NDArray[np.bool_]:
        """(k,) whether a group of the grouping is large enough to be compared."""
        return large_groups(grouping, self.answers.clusters, self.answers.distinct, self.params.min_group)

    def rates(self, grouping: Grouping, harm: str) -> Floats:
        """(sets, k) rate in each label set by group of the grouping."""
        return rates_by_group(self.harmed(harm, self.chosen), grouping)

    def template_rates(self, grouping: Grouping, harm: str) -> Mapping[str, Floats]:
        """Template -> (k,) rate by group."""
        return {
            template: rates_by_group(self.harmed(harm, given)[None], grouping)[0]
            for template, given in self.chosen_by_template.items()
        }


def study(cell: Cell, rows: pa.Table) -> Study:
    """The rows of a cell."""
    data_id = "" if cell.data is None else cell.data.id
    return Study(read(rows, cell.params), cell.params, cell.spec, cell.seed, cell.groups_are, data_id)
