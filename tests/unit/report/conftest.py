"""The sample run of tests/helpers/report_sample.py, as fixtures."""

from __future__ import annotations

import pytest
from report_sample import ASSOCIATION, HOSTILE, cell, hostile_cell, make_manifest, make_result, make_thumbnails, model

from clipaudit.results import CellStatus, Manifest, RunResult, Untested


@pytest.fixture(scope="session")
def result() -> RunResult:
    return make_result()


@pytest.fixture(scope="session")
def thumbnails(result: RunResult) -> dict[str, bytes]:
    return make_thumbnails(result)


@pytest.fixture(scope="session")
def hostile() -> RunResult:
    return make_result(
        hostile_cell(),
        cell("errored", HOSTILE, ASSOCIATION, None, [], [], status=CellStatus.ERRORED, reason=HOSTILE, errors=(HOSTILE,)),
        suite_title=HOSTILE, model=model(name=HOSTILE, spec=HOSTILE, warnings=(HOSTILE,)), not_tested=(HOSTILE,),
        untested=(Untested(id=HOSTILE, title=HOSTILE, question=HOSTILE),),
    )  # fmt: skip


@pytest.fixture(scope="session")
def manifest() -> Manifest:
    return make_manifest()
