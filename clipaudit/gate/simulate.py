"""How often the gate goes red, by simulation: of runs whose true worsening is known. Beside it the naive rule.

Items are right or wrong in both runs. Of each rule's items a share `discordant` changes; without a true change as many
get better as worse. The naive rule is red where the difference seen is larger than the margin.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clipaudit.gate import holm, rules
from clipaudit.gate.measured import Measured
from clipaudit.gate.results import Allowed, State
from clipaudit.results import Interval
from clipaudit.stats.paired_score import change_interval

Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Rates:
    """Shares of simulated runs. power: mean of what the gate itself states as its power at twice the margin."""

    red: float
    passed: float
    inconclusive: float
    naive_red: float
    power: float


def simulate(
    worsening: Sequence[float],
    *,
    items: int,
    discordant: float,
    margin: float,
    alpha: float = 0.05,
    runs: int = 2000,
    seed: int = 0,
) -> Rates:
    """Rates over `runs` simulated pairs of runs.

    Args:
        worsening: (k,) the true change of each of k rules, as a share of the items; positive is worse.
        items: of each rule, independent of those of the others.
        discordant: share of items that change; at least the largest |worsening|.
        margin: of every rule.
    """
    rng = np.random.default_rng(seed)
    counts = np.stack([_changes(rng, items, discordant, true, runs) for true in worsening], axis=1)  # (runs, k, 2)
    kinds, number = np.unique(counts.reshape(-1, 2), axis=0, return_inverse=True)  # what is alike is weighed once
    number = number.reshape(runs, len(worsening))
    found = _measured(kinds, items, 1 - alpha)
    level, strict = alpha / 2, alpha / 2 / len(worsening)
    weighed = [rules.weigh(one, Allowed(high=margin)) for one in found]
    power = np.array([rules.power_at_twice(one, margin, strict) for one in found], dtype=np.float64)
    states = [_gate([[weighed[i]] for i in run], level) for run in number.tolist()]
    naive = ((counts[..., 0] - counts[..., 1]) / items > margin).any(axis=1)
    red, passed, undecided = (states.count(each) / runs for each in (State.FAIL, State.PASS, State.INCONCLUSIVE))
    return Rates(red, passed, undecided, float(naive.mean()), float(power[number[:, 0]].mean()))


def _changes(rng: np.random.Generator, items: int, discordant: float, true: float, runs: int) -> Counts:
    """(runs, 2) items that got worse and that got better."""
    worse, better = (discordant + true) / 2, (discordant - true) / 2
    return rng.multinomial(items, [worse, better, 1 - discordant], size=runs)[:, :2]


def _measured(counts: Counts, items: int, level: float) -> list[Measured]:
    """What the gate measures where so many (kinds, 2) items got worse and better."""
    low, high = change_interval(counts[:, 0], counts[:, 1], items, level)
    return [
        Measured(
            (up - down) / items,
            Interval(low=a, high=b, level=level, method="score interval"),
            items,
            paired=True,
            gained=up,
            lost=down,
        )
        for (up, down), a, b in zip(counts.tolist(), low.tolist(), high.tolist(), strict=True)
    ]


def _gate(run: Sequence[Sequence[rules.Weighed]], level: float) -> State:
    """FAIL if any rule fails, PASS if all pass."""
    adjusted = holm.over_all(run)
    states = [rules.decide(rule, p, level, True) for rule, p in zip(run, adjusted, strict=True)]
    if State.FAIL in states:
        return State.FAIL
    return State.PASS if set(states) == {State.PASS} else State.INCONCLUSIVE
