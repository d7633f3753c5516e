"""How much groups differ: the variance between them, without that of sampling.

Lum, Zhang and Bower 2022, De-biasing "bias" measurement, FAccT: the variance of observed rates is that of true rates
plus sampling noise; a resampled variance holds the noise twice. Hence the estimate is corrected once, and each
replicate twice ("double-corrected").
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from clipaudit.results import Interval
from clipaudit.stats.gap_rates import Floats, Rates, steadied

N_DRAWS = 4000


class Between(NamedTuple):
    """value: unbiased estimate of the variance between the true rates; below 0 where noise explains more than all."""

    value: float
    interval: Interval


def between_variance(rates: Rates, rng: np.random.Generator, level: float = 0.95) -> Between:
    """Variance (ddof 1) of the true rates of at least two groups, and its interval.

    Replicates are p + e, e normal with the covariance of p (`steadied`): what resampling items within groups gives for
    large groups. Noise is the mean variance less the mean covariance of two groups, 0 where no unit is in both.
    """
    noise, drawn = _noise(rates.covariance), steadied(rates)
    values, vectors = np.linalg.eigh(drawn)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    replicates = rates.p + rng.standard_normal((N_DRAWS, len(rates.p))) @ root.T
    draws = replicates.var(axis=1, ddof=1) - noise - _noise(drawn)
    value = float(rates.p.var(ddof=1)) - noise
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    interval = Interval(
        low=min(float(low), value), high=max(float(high), value), level=level, method="double-corrected bootstrap"
    )
    return Between(value, interval)


def _noise(covariance: Floats) -> float:
    """What errors with this covariance (k, k) add to a variance between k groups, on average."""
    k = len(covariance)
    return float((np.trace(covariance) - covariance.sum() / k) / (k - 1))
