"""One audit on one model, without a run directory: for tests of planted effects and of quiet where there is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

from clipaudit.contract import Audit, PlanContext
from clipaudit.data.dataset import Dataset
from clipaudit.models.control import load_control
from clipaudit.models.protocol import Model
from clipaudit.results import Estimate
from clipaudit.testing.check import opened, parsed


def estimates(
    audit: Audit | type[Audit],
    model: Model | str,
    dataset: Dataset | Literal["first in reach"] | None = "first in reach",
    *,
    params: Mapping[str, Any] | None = None,
    seed: int = 0,
) -> list[Estimate]:
    """The estimates of all cells of an audit.

    Args:
        model: or the words behind `control:`, as in "classifier?accuracy=0.8".

    The other arguments, and what is raised, are those of `check_audit`.

    >>> from clipaudit.plugins import load_audit
    >>> estimates(load_audit("zero_shot"), "classifier?accuracy=1")[0].value
    1.0
    """
    made = audit() if isinstance(audit, type) else audit
    data = opened(made) if dataset == "first in reach" else dataset
    shown = load_control(model) if isinstance(model, str) else model
    cells = made.plan(PlanContext(parsed(made, params or {}), seed, data))
    return [found for cell in cells for found in made.score(replace(cell, dataset=None), made.run(cell, shown))]
