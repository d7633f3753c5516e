"""Every level of every plan over many seeds, in one process or several."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from clipaudit import __version__
from clipaudit.contract import Audit
from clipaudit.validation.plan import Planted, Validation
from clipaudit.validation.results import AuditValidation, Curve, Level, ValidationResult
from clipaudit.validation.scenario import measure, scenarios
from clipaudit.validation.trial import Trial

SEEDS = 100
_BATCH = 10  # seeds of one level measured in one go


@dataclass(frozen=True)
class _Task:
    audit: Audit
    scenario: int
    level: int
    seeds: range


Trials = dict[tuple[int, int], list[Trial]]  # by plan and level


def validate(
    audits: Sequence[Audit],
    *,
    seeds: int = SEEDS,
    jobs: int = 1,
    on_batch: Callable[[str, int, int], None] = lambda audit, done, total: None,
) -> ValidationResult:
    """The curves of the audits that declare any.

    Args:
        seeds: per level; the level that plants nothing has twice as many.
        jobs: processes, each with one thread.
        on_batch: told the audit, and how many batches of how many are done.
    """
    tasks = [task for audit in audits for task in _tasks(audit, seeds)]
    found: dict[str, Trials] = {}
    for done, (task, rows) in enumerate(zip(tasks, _measured(tasks, jobs), strict=True), start=1):
        plans = scenarios(task.audit.validation())[task.scenario].plans
        for row in rows:
            for plan, one in zip(plans, row, strict=True):
                found.setdefault(task.audit.spec.id, {}).setdefault((plan, task.level), []).append(one)
        on_batch(task.audit.spec.id, done, len(tasks))
    done_audits = [_audit(audit, found[audit.spec.id]) for audit in audits if audit.spec.id in found]
    return ValidationResult(clipaudit_version=__version__, audits=tuple(done_audits))


def _tasks(audit: Audit, seeds: int) -> Iterator[_Task]:
    for number, scenario in enumerate(scenarios(audit.validation())):
        for level in range(len(scenario.models)):
            count = scenario.count(level, seeds)
            for start in range(0, count, _BATCH):
                yield _Task(audit, number, level, range(start, min(count, start + _BATCH)))


def _measured(tasks: Sequence[_Task], jobs: int) -> Iterator[list[tuple[Trial, ...]]]:
    """In the order of the tasks."""
    if jobs == 1:
        yield from (measure(task.audit, task.scenario, task.level, task.seeds) for task in tasks)
        return
    from joblib import Parallel, delayed, parallel_config

    with parallel_config("loky", n_jobs=jobs, inner_max_num_threads=1):
        calls = (delayed(measure)(task.audit, task.scenario, task.level, task.seeds) for task in tasks)
        yield from Parallel(return_as="generator", batch_size=1)(calls)


def _audit(audit: Audit, trials: Trials) -> AuditValidation:
    spec = audit.spec
    curves = tuple(
        _curve(plan, [trials[place, level] for level in range(len(plan.levels))])
        for place, plan in enumerate(audit.validation())
    )
    return AuditValidation(audit=spec.id, version=spec.version, title=spec.title, family=spec.family, curves=curves)


def _curve(plan: Validation, trials: Sequence[Sequence[Trial]]) -> Curve:
    first, model = trials[0][0], plan.levels[0].model
    return Curve(
        metric=plan.metric,
        subgroup=", ".join(plan.values),
        title=plan.title,
        x_label=plan.x_label,
        unit=first.unit,
        model=model if isinstance(model, str) else getattr(model, "__name__", "a model of its own"),
        interval=first.interval,
        test=first.test,
        n=first.n,
        clusters=first.clusters,
        null=plan.null,
        levels=tuple(level_of(planted, found) for planted, found in zip(plan.levels, trials, strict=True)),
    )


def level_of(planted: Planted, trials: Sequence[Trial]) -> Level:
    """All trials of one level, counted."""
    import numpy as np

    known = [one for one in trials if one.value is not None]
    values = np.array([one.value for one in known], dtype=float)
    mean = float(values.mean()) if len(values) else None
    truth = mean if planted.truth is None else planted.truth
    ends = [
        (-np.inf if one.low is None else one.low, np.inf if one.high is None else one.high)
        for one in known
        if (one.low, one.high) != (None, None)  # with one end it is a bound
    ]
    tests = [one.rejects for one in known if one.rejects is not None]
    return Level(
        effect=planted.effect,
        truth=_short(truth),
        truth_is_mean=planted.truth is None,
        runs=len(known),
        undefined=len(trials) - len(known),
        mean=_short(mean),
        sd=_short(float(values.std(ddof=1))) if len(values) > 1 else None,
        judged_intervals=0 if truth is None else len(ends),
        covered=0 if truth is None else sum(low <= truth <= high for low, high in ends),
        judged_tests=len(tests),
        rejected=sum(tests),
        found=sum(one.found for one in known),
        any_found=sum(one.any_found for one in trials),
    )


def _short(value: float | None) -> float | None:
    """Six digits: simulation error is far larger."""
    return None if value is None else float(f"{value:.6g}")
