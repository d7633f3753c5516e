"""From rows to estimates of error consistency, with their sentences. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from clipaudit.numbers import counted, interval_text
from clipaudit.results import Direction, Estimate, Interval, Status, Test
from clipaudit.stats.bootstrap import bca
from clipaudit.stats.intervals import wilson
from clipaudit.stats.null import null_from_draws
from clipaudit.stats.power import mde_null
from clipaudit_audits.meaning.error_consistency_measures import attainable, kappas, mean_of, shuffled_means
from clipaudit_audits.wording import between, percent

if TYPE_CHECKING:
    import pyarrow as pa

    from clipaudit.contract import MetricSpec

Floats = NDArray[np.float64]
MODEL = "the model"
DRAWS = 10_000
MIN_TRIALS = 30


class Trials:
    """Correctness (k, n) of the model (first) and of each observer; NaN without an answer."""

    def __init__(self, rows: pa.Table) -> None:
        good = sorted((row for row in rows.to_pylist() if row["error"] is None), key=lambda row: str(row["item"]))
        names = sorted({name for row in good for name in row["observers"]})
        self.names = (MODEL, *names)
        self.items = [row["item"] for row in good]
        self.correct: Floats = np.full((len(self.names), len(good)), np.nan)
        place = {name: i for i, name in enumerate(self.names)}
        for column, row in enumerate(good):
            self.correct[0, column] = row["decision"] == row["truth"]
            for name, response in zip(row["observers"], row["responses"], strict=True):
                self.correct[place[name], column] = response.casefold() == row["truth"].casefold()

    def accuracy(self, i: int) -> float:
        """Share of the answered trials that decider i has right."""
        return float(np.nanmean(self.correct[i]))


def results(trials: Trials, metrics: dict[str, MetricSpec], seed: int) -> list[Estimate]:
    """Mean kappa with the observers beside theirs with each other; each observer's; accuracies."""
    n, people = len(trials.items), range(1, len(trials.names))
    if n == 0 or not people:
        return []
    ours = mean_of(kappas(trials.correct, [(0, i) for i in people]))
    theirs = list(combinations(people, 2))
    found = [_with_people(trials, ours, metrics["kappa"], seed)]
    if theirs:
        among = mean_of(kappas(trials.correct, theirs))
        found += [_among(trials, among, len(theirs), metrics["human_kappa"], seed)]
        found += [_shortfall(trials, lambda c: among(c) - ours(c), metrics["shortfall"], seed)]
    found += [_accuracy(trials, i, metrics["accuracy"]) for i in (0, *people)]
    return found + [_one(trials, i, metrics["kappa"], seed) for i in people]


def _estimate(spec: MetricSpec, trials: Trials, value: float | None, interval: Interval, **more: Any) -> Estimate:
    n = len(trials.items)
    status = Status.TOO_SMALL if n < spec.min_n else Status.DESCRIBED
    return Estimate(
        metric=spec.name, value=value, unit=spec.unit, interval=interval, n=n, clusters=n, null_value=spec.null_value,
        cluster_key=spec.cluster_key, status=status,
        **{"title": spec.title, "direction": spec.direction, **more},
    )  # fmt: skip


def _value(statistic: Any, trials: Trials) -> float | None:
    value = float(statistic(np.ones((1, len(trials.items))))[0])
    return value if np.isfinite(value) else None


def _with_people(trials: Trials, statistic: Any, spec: MetricSpec, seed: int) -> Estimate:
    value = _value(statistic, trials)
    interval = bca(statistic, len(trials.items), seed, unit="trials")
    people = counted(len(trials.names) - 1, "observer")
    if value is None:
        said = "Error consistency is not defined: the model, or everybody else, is always right or always wrong."
        return _estimate(spec, trials, None, interval, sentence=said)
    draws = shuffled_means(trials.correct[0], trials.correct[1:], seed, DRAWS)
    null = null_from_draws(draws, f"the model's right answers dealt out anew, {DRAWS:,} times")
    p = (1 + int((np.abs(draws - draws.mean()) >= abs(value - draws.mean()) - 1e-12).sum())) / (DRAWS + 1)
    test = Test(p=p, method=f"Monte Carlo permutation of trials ({DRAWS:,})", smallest_p=1 / (DRAWS + 1))
    low, high = attainable(trials.accuracy(0), float(np.nanmean(trials.correct[1:])))
    sentence = (
        f"The model is right and wrong on the same trials as {people} with a mean kappa of {value:.2f}"
        f"{_bounds(interval)} over {counted(len(trials.items), 'trial')} (0: as their accuracies alone would have it; "
        f"accuracies of {percent(trials.accuracy(0))} and {percent(float(np.nanmean(trials.correct[1:])))} allow "
        f"{_span(low, high)}). It does not show that model and people err for the same reason."
    )
    return _estimate(
        spec, trials, value, interval, test=test, null=null, sentence=sentence,
        minimum_detectable=mde_null(null.sd) if null.sd else None,
    )  # fmt: skip


def _among(trials: Trials, statistic: Any, pairs: int, spec: MetricSpec, seed: int) -> Estimate:
    value, interval = _value(statistic, trials), bca(statistic, len(trials.items), seed, unit="trials")
    shown = "is not defined" if value is None else f"is {value:.2f}{_bounds(interval)}"
    return _estimate(
        spec, trials, value, interval, role="control", direction=Direction.DESCRIPTIVE,
        sentence=f"Among the observers themselves mean kappa {shown} ({counted(pairs, 'pair')}): the band that a "
        "model would have to reach to err as people do.",
    )  # fmt: skip


def _shortfall(trials: Trials, statistic: Any, spec: MetricSpec, seed: int) -> Estimate:
    value, interval = _value(statistic, trials), bca(statistic, len(trials.items), seed, unit="trials")
    said = "cannot be given" if value is None else f"is {value:.2f}{_bounds(interval)}"
    return _estimate(
        spec, trials, value, interval, role="secondary",
        sentence=f"Mean kappa among people less that between the model and people {said}. Observers are not resampled: "
        "it is about these people.",
    )  # fmt: skip


def _accuracy(trials: Trials, i: int, spec: MetricSpec) -> Estimate:
    answers = trials.correct[i][np.isfinite(trials.correct[i])]
    right, n = int(answers.sum()), len(answers)
    interval = wilson(right, n)
    value = right / n if n else None
    shown = "nothing" if value is None else f"{percent(value)}{between(interval, 100)} of {counted(n, 'trial')}"
    made = _estimate(
        spec, trials, value, interval, role="secondary", subgroup={"decider": trials.names[i]},
        sentence=f"Right by the shape: {trials.names[i]}, {shown}.",
    )  # fmt: skip
    return made.model_copy(update={"n": n, "clusters": n})


def _one(trials: Trials, i: int, spec: MetricSpec, seed: int) -> Estimate:
    statistic = mean_of(kappas(trials.correct, [(0, i)]))
    value, interval = _value(statistic, trials), bca(statistic, len(trials.items), seed, unit="trials")
    shared = int(np.isfinite(trials.correct[[0, i]]).all(axis=0).sum())
    shown = "not defined" if value is None else f"{value:.2f}{_bounds(interval)}"
    made = _estimate(
        spec, trials, value, interval, role="secondary", subgroup={"observer": trials.names[i]},
        sentence=f"With {trials.names[i]}: kappa {shown} over {counted(shared, 'trial')}.",
    )  # fmt: skip
    return made.model_copy(update={"n": shared, "clusters": shared})


def _bounds(interval: Interval) -> str:
    return "" if interval.low is None else f" {interval_text(interval.low, interval.high)}"


def _span(low: float, high: float) -> str:
    return f"{low:.2f} to {high:.2f}".replace("-", "\N{MINUS SIGN}")


def matrix(trials: Trials) -> tuple[Sequence[str], Floats]:
    """Names, and kappa of each pair (k, k); 1 on the diagonal, NaN where not defined."""
    k = len(trials.names)
    pairs = list(combinations(range(k), 2))
    values = np.eye(k)
    for (i, j), value in zip(pairs, kappas(trials.correct, pairs)(np.ones((1, len(trials.items))))[0], strict=True):
        values[i, j] = values[j, i] = value
    return trials.names, values
