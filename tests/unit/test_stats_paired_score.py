"""Tango's score interval against published values, closed forms and a numerical likelihood."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import ndtri

from clipaudit.stats.paired_score import change_interval, change_score


def test_published_interval() -> None:
    """Airway hyper-responsiveness before and after transplantation (1, 7 of 21): Fagerland, Lydersen and Laake 2014."""
    low, high = change_interval(1, 7, 21)
    assert (round(float(low), 3), round(float(high), 3)) == (-0.517, -0.026)


@pytest.mark.parametrize(("b", "c", "n"), [(9, 1, 100), (0, 3, 40), (25, 25, 60), (1, 0, 500)])
def test_at_no_change_it_is_mcnemar(b: int, c: int, n: int) -> None:
    assert float(change_score(b, c, n, 0.0)) == pytest.approx((b - c) / np.sqrt(b + c))


def test_nothing_changed_has_a_closed_form() -> None:
    z = float(ndtri(0.975)) ** 2
    low, high = change_interval(0, 0, np.array([50, 1000]))
    assert high == pytest.approx(z / (np.array([50, 1000]) + z))
    assert low == pytest.approx(-high)


@pytest.mark.parametrize(("b", "c", "n", "delta"), [(9, 1, 100, 0.03), (3, 8, 50, 0.1), (2, 0, 30, -0.05)])
def test_spread_is_that_of_the_likeliest_shares(b: int, c: int, n: int, delta: float) -> None:
    """The closed form of the constrained estimate against maximising the trinomial likelihood."""

    def loss(q: float) -> float:
        p = q + delta
        rest = 1 - p - q
        return -sum(k * np.log(max(x, 1e-300)) for k, x in ((b, p), (c, q), (n - b - c, rest)))

    low, high = max(0.0, -delta), (1 - delta) / 2
    q = minimize_scalar(loss, bounds=(low, high), method="bounded", options={"xatol": 1e-12}).x
    spread = np.sqrt(n * (2 * q + delta - delta**2))
    assert float(change_score(b, c, n, delta)) == pytest.approx((b - c - n * delta) / spread, rel=1e-4)


def test_interval_ends_are_where_the_score_is_the_quantile() -> None:
    b, c, n = np.array([9, 40, 0]), np.array([1, 20, 7]), np.array([100, 160, 90])
    low, high = change_interval(b, c, n, 0.9)
    assert change_score(b, c, n, low) == pytest.approx(ndtri(0.95), rel=1e-6)
    assert change_score(b, c, n, high) == pytest.approx(-ndtri(0.95), rel=1e-6)


def test_coverage_with_few_changed_items() -> None:
    """300 items of which 3 % change: 95 % intervals cover about that often."""
    rng = np.random.default_rng(0)
    counts = rng.multinomial(300, [0.02, 0.01, 0.97], size=20_000)
    low, high = change_interval(counts[:, 0], counts[:, 1], 300)
    assert 0.94 <= float(((low <= 0.01) & (high >= 0.01)).mean()) <= 0.975


def test_extremes_are_finite_ends_and_signed_scores() -> None:
    low, high = change_interval([10, 0], [0, 10], 10)
    assert (high[0], low[1]) == (pytest.approx(1), pytest.approx(-1))
    assert change_score(10, 0, 10, [-1.0, 1.0]).tolist() == [np.inf, 0.0]
