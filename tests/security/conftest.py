"""A finished run to read, as anybody may hand it over."""

from __future__ import annotations

from pathlib import Path

import pytest
from gate_runs import accuracy, answers, cell, write_run


@pytest.fixture
def stored_run(tmp_path: Path) -> Path:
    """The directory of a run with one finished cell and its rows."""
    right = [i % 5 > 0 for i in range(40)]
    one = cell([accuracy(right)])
    return write_run(tmp_path / "run", [one], {one.slug: answers(right)})
