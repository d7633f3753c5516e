"""Lines about items that could not be read: each item is named once."""

from __future__ import annotations

import pyarrow as pa
import pytest

from clipaudit.contract import Audit, AuditSpec, Cell, Params, PlanContext, Workload
from clipaudit.engine.run import score_cell
from clipaudit.results import CellStatus, Estimate


class Silent(Audit):
    """An audit that finds nothing."""

    spec = AuditSpec(
        id="silent", version="1", family="test", title="Silent", question="?", harm="none", params=Params, metrics=()
    )

    def workload(self, cell: Cell) -> Workload:
        return Workload((), ())

    def run(self, cell: Cell, model: object) -> pa.Table:
        raise AssertionError

    def score(self, cell: Cell, rows: pa.Table) -> list[Estimate]:
        return []


@pytest.mark.parametrize("said", ["a.png: no such file", "no such file"])
def test_an_item_is_named_once(said: str) -> None:
    audit = Silent()
    cell = audit.plan(PlanContext(Params(), 0))[0]
    rows = pa.table({"item": ["a.png", "b.png"], "error": [said, None]})
    result = score_cell(audit, cell, "key", rows, max_error_rate=0.6)
    assert result.status is CellStatus.DONE
    assert result.errors == ("a.png: no such file",)
    failed = score_cell(audit, cell, "key", rows, max_error_rate=0.1)
    assert failed.reason.endswith("first: a.png: no such file")
