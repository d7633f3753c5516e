"""Association tests, an interval of their effect and an interval of a rate: against scipy with a Python statistic.

Work is what the definition of the statistic takes: two operations per value and resample for a mean of each set.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from clipaudit_audits.social_bias.association_effect import Comparison, Sample, effect_interval, permutation_tests
from numpy.typing import NDArray
from scipy import stats
from side_by_side import Bench, Side

from clipaudit.results import Interval
from clipaudit.stats.bootstrap import bca_ratio
from clipaudit.stats.permutation import partitions

RESAMPLES = 9_999
TESTS, WORDS, ATTRIBUTES, ITEMS = 4, 40, 8, 500
Floats = NDArray[np.float64]


def benches() -> Iterator[Bench]:
    yield _permutation()
    yield _effect()
    yield _rate()


def _permutation() -> Bench:
    """One-sided p of the difference of two means; ours gives the two-sided p and the null spread of d with it."""
    rng = np.random.default_rng(0)
    shift = np.repeat([0.3, 0.0], WORDS)
    samples = [Sample(rng.standard_normal(2 * WORDS) + shift, WORDS) for _ in range(TESTS)]

    def ours() -> list[float]:
        partitions.cache_clear()
        return [found.greater.p for found in permutation_tests(samples, 0, RESAMPLES)]

    def theirs() -> list[float]:
        return [
            float(
                stats.permutation_test(
                    (sample.values[:WORDS], sample.values[WORDS:]), lambda x, y: np.mean(x) - np.mean(y),
                    vectorized=False, n_resamples=RESAMPLES, alternative="greater", rng=0,
                ).pvalue
            )
            for sample in samples
        ]  # fmt: skip

    def agree(a: list[float], b: list[float]) -> str:
        return f"largest difference of p {np.abs(np.subtract(a, b)).max():.4f} (each drawn {RESAMPLES:,} times)"

    work = 2.0 * RESAMPLES * TESTS * 2 * WORDS
    return Bench("permutation test", Side("clipaudit", ours, lambda: work), Side("scipy", theirs, lambda: work), agree)


def _effect() -> Bench:
    """BCa interval of d; targets and attributes are all resampled."""
    rng = np.random.default_rng(1)
    cosines = rng.normal(0.2, 0.05, (2 * WORDS, 2 * ATTRIBUTES))
    cosines[:WORDS, :ATTRIBUTES] += 0.02
    sets = (*np.split(np.arange(2 * WORDS), 2), *np.split(np.arange(2 * ATTRIBUTES), 2))

    def effect(x: Floats, y: Floats, a: Floats, b: Floats) -> float:
        rows = np.concatenate([x, y])
        s = cosines[np.ix_(rows, a)].mean(axis=1) - cosines[np.ix_(rows, b)].mean(axis=1)
        return float((s[: len(x)].mean() - s[len(x) :].mean()) / s.std(ddof=1))

    def ours() -> Interval:
        return effect_interval(Comparison(cosines, WORDS, ATTRIBUTES), 0, "words", RESAMPLES)

    def theirs() -> Interval:
        return _interval(stats.bootstrap(sets, effect, vectorized=False, n_resamples=RESAMPLES, method="BCa", rng=0))

    work = 2.0 * RESAMPLES * cosines.size
    sides = Side("clipaudit", ours, lambda: work), Side("scipy", theirs, lambda: work)
    return Bench("bootstrap of an effect size", *sides, _ends, rounds=3)


def _rate() -> Bench:
    """BCa interval of hits / decided."""
    rng = np.random.default_rng(2)
    decided = (rng.random(ITEMS) < 0.8).astype(np.float64)
    hits = decided * (rng.random(ITEMS) < 0.3)

    def ours() -> Interval:
        return bca_ratio(hits, decided, n_resamples=RESAMPLES)

    def theirs() -> Interval:
        return _interval(
            stats.bootstrap(
                (hits, decided), lambda h, d: np.sum(h) / np.sum(d),
                paired=True, vectorized=False, n_resamples=RESAMPLES, method="BCa", rng=0,
            )
        )  # fmt: skip

    work = 2.0 * RESAMPLES * 2 * ITEMS
    sides = Side("clipaudit", ours, lambda: work), Side("scipy", theirs, lambda: work)
    return Bench("bootstrap of a rate", *sides, _ends)


def _interval(found: Any) -> Interval:
    ends = found.confidence_interval
    return Interval(low=float(ends.low), high=float(ends.high), level=0.95, method="scipy")


def _ends(ours: Interval, theirs: Interval) -> str:
    return f"[{ours.low:.4f}, {ours.high:.4f}] against [{theirs.low:.4f}, {theirs.high:.4f}]"
