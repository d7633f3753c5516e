"""Simultaneous bounds: what can be said of the largest of many differences, all of them looked at.

The critical value is that of max |t| over all contrasts under the joint normal distribution of the groups' rates
(Hothorn, Bretz and Westfall 2008). The limits are not p +- critical x error, which fails for rates near 0 and 1 in
small groups (a rate of 1 would be certain), but combined from exact limits of each rate at that critical value, as
Newcombe 1998 does for two proportions and Zou 2008 for sums and correlated rates (MOVER). They err on the safe side.

A bootstrap interval of max - min would be invalid: its replicates are larger than the value that they come from.
"""

from __future__ import annotations

import numpy as np

from clipaudit.results import Interval
from clipaudit.stats.gap_rates import Floats, Rates, exact_limits, steadied

N_DRAWS = 4000
_CHUNK = 500


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
    return _lower(np.full((k, k), 1 / k) - np.eye(k), rates, rng, level, f"max-|t| over {k:,} groups", signed=True)


def worst_interval(rates: Rates, rng: np.random.Generator, level: float = 0.95) -> Interval:
    """Interval of the lowest true rate, from simultaneous intervals of all."""
    k = len(rates.p)
    low, high = exact_limits(rates, _critical(np.eye(k), rates, rng, level))
    return Interval(low=float(low.min()), high=float(high.min()), level=level, method=f"max-|t| over {k:,} groups")


def _lower(
    contrasts: Floats, rates: Rates, rng: np.random.Generator, level: float, method: str, signed: bool = False
) -> Interval:
    """The largest lower limit of contrasts (c, k) of the rates, or of their sizes where they are not `signed`."""
    low, high = exact_limits(rates, _critical(contrasts, rates, rng, level))
    values = contrasts @ rates.p
    turned = contrasts if signed else np.where(values < 0, -1.0, 1.0)[:, None] * contrasts
    reach = turned * np.where(turned > 0, rates.p - low, high - rates.p)
    below = np.sqrt(np.maximum(np.einsum("ck,kl,cl->c", reach, _correlation(rates), reach, optimize=True), 0.0))
    limit = max(0.0, float((turned @ rates.p - below).max()))
    return Interval(low=limit, high=None, level=level, method=f"simultaneous {method}, lower bound")


def _critical(contrasts: Floats, rates: Rates, rng: np.random.Generator, level: float) -> float:
    """Quantile of the largest |t| among contrasts (c, k) of rates that are jointly normal."""
    covariance = steadied(rates)
    errors = np.sqrt(np.einsum("ck,kl,cl->c", contrasts, covariance, contrasts, optimize=True))
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    scaled = (contrasts / errors[:, None] @ root).T
    draws = rng.standard_normal((N_DRAWS, len(covariance)))
    largest = [np.abs(draws[i : i + _CHUNK] @ scaled).max(axis=1) for i in range(0, N_DRAWS, _CHUNK)]
    return float(np.quantile(np.concatenate(largest), level))


def _correlation(rates: Rates) -> Floats:
    """(k, k) of the rates: not 0 off the diagonal only where a unit has items in several groups."""
    errors = np.sqrt(np.diag(steadied(rates)))
    found = rates.covariance / np.outer(errors, errors)
    np.fill_diagonal(found, 1.0)
    return np.asarray(found)
