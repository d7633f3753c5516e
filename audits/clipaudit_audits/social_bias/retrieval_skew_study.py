"""One cell of the retrieval audit: its rows, with what its parameters say of them."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from clipaudit.contract import AuditSpec, Cell
from clipaudit_audits.social_bias.ranked_pools import RankedPools
from clipaudit_audits.social_bias.retrieval_skew_params import RetrievalSkewParams
from clipaudit_audits.social_bias.retrieval_skew_rows import read


@dataclass(frozen=True)
class Study(RankedPools):
    """The pools of a cell."""

    spec: AuditSpec
    params: RetrievalSkewParams


def study(cell: Cell, rows: pa.Table) -> Study:
    """The rows of a cell; parameters say which columns are groups."""
    params = cell.params
    return Study(
        made=read(rows, params), seed=cell.seed, ks=params.k, least=params.min_group, pairs=params.intersections,
        whole=True, own_pools=bool(params.unit), basis=cell.groups_are, spec=cell.spec, params=params,
    )  # fmt: skip
