"""Plans that can be measured on the same runs, and these runs."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from clipaudit.contract import Audit
from clipaudit.errors import UsageError
from clipaudit.validation.plan import Validation
from clipaudit.validation.trial import Trial, trial

if TYPE_CHECKING:
    from clipaudit.data.dataset import Dataset
    from clipaudit.models.protocol import Model

APART = 10_000  # levels have seeds of their own: their runs are independent


@dataclass(frozen=True)
class Scenario:
    """Runs that serve several plans: by their places in `Audit.validation()`."""

    data: Callable[[], Dataset | None]
    params: Mapping[str, Any]
    models: tuple[str | Callable[[int], Model], ...]
    plans: tuple[int, ...]
    null: bool
    seeds: int | None

    def count(self, level: int, seeds: int) -> int:
        """Seeds of a level: twice as many where nothing is planted, as false positives are rare."""
        wanted = 2 * seeds if level == 0 and self.null else seeds
        return wanted if self.seeds is None else min(wanted, self.seeds)


def scenarios(plans: Sequence[Validation]) -> list[Scenario]:
    """In the order of their first plans. UsageError for a plan without levels."""
    found: dict[tuple[Any, ...], Scenario] = {}
    for place, plan in enumerate(plans):
        if not plan.levels:
            raise UsageError(f"the validation {plan.title!r} has no level")
        models = tuple(level.model for level in plan.levels)
        key = (plan.data, json.dumps(plan.params, sort_keys=True, default=str), models, plan.seeds)
        same = found.setdefault(key, Scenario(plan.data, plan.params, models, (), False, plan.seeds))
        found[key] = replace(same, plans=(*same.plans, place), null=same.null or plan.null)
    return list(found.values())


def measure(audit: Audit, number: int, level: int, seeds: range) -> list[tuple[Trial, ...]]:
    """For each seed the trial of each plan of the audit's scenario `number`, at one level.

    Plans are made here, not handed over: a process needs the audit alone.
    """
    plans = audit.validation()
    scenario = scenarios(plans)[number]
    data = scenario.data()
    with TemporaryDirectory() as folder:
        return [_one(audit, plans, scenario, level, seed, data, Path(folder)) for seed in seeds]


def _one(
    audit: Audit,
    plans: Sequence[Validation],
    scenario: Scenario,
    level: int,
    number: int,
    data: Dataset | None,
    folder: Path,
) -> tuple[Trial, ...]:
    from clipaudit.testing import estimates

    seed = APART * level + number
    try:
        found = estimates(audit, _opened(scenario.models[level], seed, folder), data, params=scenario.params, seed=seed)
        return tuple(trial(audit.spec, plans[place], found) for place in scenario.plans)
    except Exception as error:
        error.add_note(
            f"while validating {audit.spec.id}: {plans[scenario.plans[0]].title}, level {level}, seed {seed}"
        )
        raise


def _opened(model: str | Callable[[int], Model], seed: int, folder: Path) -> Model:
    from clipaudit.models.load import open_model

    if not isinstance(model, str):
        return model(seed)
    return open_model(f"control:{model.replace('{seed}', str(seed))}", cache_dir=folder, precision="float32")
