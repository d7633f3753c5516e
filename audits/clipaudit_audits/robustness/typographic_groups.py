"""Accuracy and flips by annotated group of what is shown. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from clipaudit.results import Estimate, GroupsAre
from clipaudit_audits.robustness.labelled import GROUP, heading
from clipaudit_audits.robustness.typographic_estimates import Scorer

if TYPE_CHECKING:
    import pyarrow as pa

KIND = {"wrong": "with a wrong label on them", "real": "photographed with a wrong label"}


def by_group(scorer: Scorer, rows: pa.Table, how: GroupsAre) -> list[Estimate]:
    """Accuracy under attack, and written label chosen, in every group. `how`: who named the groups ("annotated")."""
    kind = next(kind for kind in ("real", "wrong") if scorer.results.named(kind))
    outcome, found = scorer.outcome(kind), []
    for column in (name for name in rows.column_names if name.startswith(GROUP)):
        name = column.removeprefix(GROUP)
        of = {row["base"]: row[column] for row in rows.select(["base", "kind", column]).to_pylist() if row[column]}
        group = np.array([of.get(base, "") for base in scorer.results.bases])
        for level in sorted(set(of.values())):
            among = outcome.seen & (group == level)
            where = f"Of images {how} as {name} {level}, {KIND[kind]},"
            subgroup = {heading(column, how): level}
            found += [
                scorer.rate(
                    "attacked_accuracy", scorer.share_of(outcome.right, among), f"{where} the model was right on {{}}.",
                    role="secondary", subgroup=subgroup,
                ),
                scorer.rate(
                    "written_rate", scorer.share_of(outcome.wrote, among),
                    f"{where} it chose the written label for {{}}.", role="secondary", subgroup=subgroup,
                ),
            ]  # fmt: skip
    return found
