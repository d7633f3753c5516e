"""Simultaneous bounds: what can be said of the largest of many differences, all of them looked at.

The critical value is that of max |t| over all contrasts under the joint normal distribution of the groups' rates
(Hothorn, Bretz and Westfall 2008). A bootstrap interval of max - min would be invalid: its replicates are larger than
the value that they come from.
"""

from __future__ import annotations

import numpy as np

from clipaudit.results import Interval
from clipaudit.stats.gap_rates import Floats, Rates

N_DRAWS = 4000
_CHUNK = 500
_PSEUDO = 4  # units added at the pooled rate, for variances only: a rate of 0 or 1 is not known exactly


def gap_bound(rates: Rates, rng: np.random.Generator, level: float = 0.95) -> Interval:
    """Lower bound of the largest true difference between two groups; open above.

    With probability `level` all differences lie within their bounds at once, so the largest of the lower bounds is one
    of the largest difference.
    """
    first, second = np.triu_indices(len(rates.p), 1)
    contrasts = np.zeros((len(first), len(rates.p)))
    contrasts[np.arange(len(first)), first], contrasts[np.arange(len(first)), second] = 1.0, -1.0
    return _lower(contrasts, rates, rng, level, f"max-|t| over {len(first):,} pairs")


def shortfall_bound(rates: Rates, rng: np.random.Generator, level: float = 0.95) -> Interval:
    """Lower bound of how far the worst true rate lies below the mean of the true rates; open above."""
    k = len(rates.p)
    return _lower(np.full((k, k), 1 / k) - np.eye(k), rates, rng, level, f"max-|t| over {k:,} groups")


def worst_interval(rates: Rates, rng: np.random.Generator, level: float = 0.95) -> Interval:
    """Interval of the lowest true rate, from simultaneous intervals of all."""
    k = len(rates.p)
    errors, critical = _critical(np.eye(k), rates, rng, level)
    low, high = float((rates.p - critical * errors).min()), float((rates.p + critical * errors).min())
    return Interval(low=max(0.0, low), high=min(1.0, high), level=level, method=f"max-|t| over {k:,} groups")


def _lower(contrasts: Floats, rates: Rates, rng: np.random.Generator, level: float, method: str) -> Interval:
    errors, critical = _critical(contrasts, rates, rng, level)
    bounds = np.abs(contrasts @ rates.p) - critical * errors
    return Interval(
        low=max(0.0, float(bounds.max())), high=None, level=level, method=f"simultaneous {method}, lower bound"
    )


def _critical(contrasts: Floats, rates: Rates, rng: np.random.Generator, level: float) -> tuple[Floats, float]:
    """(c,) standard errors of the contrasts (c, k), and the quantile of the largest |t| among them."""
    covariance = _steadied(rates)
    errors = np.sqrt(np.maximum(np.einsum("ck,kl,cl->c", contrasts, covariance, contrasts, optimize=True), 0.0))
    if not errors.any():
        return errors, 0.0
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    scaled = (contrasts[errors > 0] / errors[errors > 0, None] @ root).T
    draws = rng.standard_normal((N_DRAWS, len(covariance)))
    largest = [np.abs(draws[i : i + _CHUNK] @ scaled).max(axis=1) for i in range(0, N_DRAWS, _CHUNK)]
    return errors, float(np.quantile(np.concatenate(largest), level))


def _steadied(rates: Rates) -> Floats:
    """(k, k) covariance whose variances are at least those of rates drawn a little towards the pooled one."""
    drawn = (rates.units * rates.p + _PSEUDO * rates.pooled) / (rates.units + _PSEUDO)
    least = drawn * (1 - drawn) / rates.units
    variances = np.diag(rates.covariance)
    return np.asarray(rates.covariance + np.diag(np.maximum(least - variances, 0.0)))
