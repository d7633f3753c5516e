"""Run directories as `clipaudit run` leaves them, with findings and rows of one's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from clipaudit import __version__
from clipaudit.engine.store import RunStore
from clipaudit.plugins import load_audit
from clipaudit.results import (
    CellResult,
    CellStatus,
    DataInfo,
    Direction,
    Estimate,
    Interval,
    Manifest,
    ModelInfo,
    RunResult,
)
from clipaudit.stats.intervals import wilson

FINGERPRINT = "0123456789abcdef" * 4


def estimate(value: float | None = 0.8, low: float | None = 0.75, high: float | None = 0.85, **more: Any) -> Estimate:
    """Zero-shot accuracy of 400 images, unless told otherwise."""
    fields = {
        "metric": "accuracy", "title": "Zero-shot accuracy", "unit": "proportion", "n": 400,
        "direction": Direction.LOWER_IS_WORSE, "interval": Interval(low=low, high=high, method="Wilson"),
        "sentence": "It was so.",
    } | more  # fmt: skip
    return Estimate(value=value, **fields)


def accuracy(right: Sequence[bool]) -> Estimate:
    """What the audit would say of these answers."""
    bounds = wilson(sum(right), len(right))
    return estimate(sum(right) / len(right), bounds.low, bounds.high, n=len(right), clusters=len(right))


def cell(estimates: Sequence[Estimate], audit: str = "zero_shot", data: str = "objects", **more: Any) -> CellResult:
    """A finished cell, unless told otherwise."""
    info = DataInfo(
        id=data, title=data, digest=more.pop("digest", "d" * 64), items=400, licence="CC0", consent="drawn",
        groups=("race",),
    )  # fmt: skip
    spec = load_audit(audit).spec
    params = spec.params.model_validate(more.pop("params", {})).model_dump(mode="json")
    fields = {
        "key": "0" * 16, "slug": f"{audit}.{data}", "title": spec.title, "audit": spec.info(), "data": info,
        "params": params, "status": CellStatus.DONE, "estimates": tuple(estimates), "rows": 400,
    } | more  # fmt: skip
    return CellResult(**fields)


def answers(right: Sequence[bool]) -> pa.Table:
    """Rows of the zero-shot audit: so many images, named rightly or wrongly."""
    return pa.Table.from_pylist(
        [
            {"item": f"i{i:04}", "cluster": f"i{i:04}", "error": None, "label": "cat", "top": None,
             "prediction": "cat" if ok else "dog"}
            for i, ok in enumerate(right)
        ]
    )  # fmt: skip


def write_run(
    path: Path,
    cells: Sequence[CellResult],
    rows: Mapping[str, pa.Table] | None = None,
    *,
    fingerprint: str = FINGERPRINT,
    name: str = "a model",
    suite_digest: str = "5" * 64,
    version: str = __version__,
    seed: int = 0,
    finished: bool = True,
) -> Path:
    """The directory of a run; rows by slug."""
    store = RunStore(path)
    result = RunResult(
        clipaudit_version=version, suite="small", seed=seed, cells=tuple(cells),
        model=ModelInfo(spec=name, name=name, fingerprint=fingerprint, kind="control", capabilities=("scores",)),
    )  # fmt: skip
    with store.writing():
        for one in cells:
            if one.status is CellStatus.DONE:
                store.commit(one, (rows or {}).get(one.slug), {})
        digest = store.write_result(result)
        store.write_manifest(
            Manifest(
                started="2026-01-01T00:00:00+00:00", finished="2026-01-01T00:01:00+00:00" if finished else None,
                python="3.11", platform="linux", packages={}, hardware={}, suite_digest=suite_digest,
                model_fingerprint=fingerprint, seed=seed, result_digest=digest,
            )
        )  # fmt: skip
    return path
