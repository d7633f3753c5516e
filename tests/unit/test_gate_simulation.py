"""Error rates of the gate by simulation, beside the naive rule "difference above threshold"."""

from __future__ import annotations

import numpy as np
import pytest

from clipaudit.gate.simulate import Rates, simulate

RUNS = 1500
SETTINGS = [  # items, discordant share, margin, rules
    (1000, 0.10, 0.02, 1),
    (2000, 0.10, 0.02, 1),
    (500, 0.05, 0.02, 10),
    (400, 0.20, 0.05, 10),
]


def rates(worsening: list[float], items: int, discordant: float, margin: float) -> Rates:
    return simulate(worsening, items=items, discordant=discordant, margin=margin, runs=RUNS, seed=1)


@pytest.mark.parametrize(("items", "discordant", "margin", "rules"), SETTINGS)
def test_red_without_a_true_change_in_at_most_five_percent(
    items: int, discordant: float, margin: float, rules: int
) -> None:
    found = rates([0.0] * rules, items, discordant, margin)
    assert found.red <= 0.05
    assert found.red + found.passed + found.inconclusive == pytest.approx(1)


@pytest.mark.parametrize(("items", "discordant", "margin", "rules"), SETTINGS)
def test_red_at_most_alpha_where_every_change_is_the_margin_itself(
    items: int, discordant: float, margin: float, rules: int
) -> None:
    """The hardest case of "nothing is worse than allowed"; the level is 2.5 % on this side, over all rules."""
    found = rates([margin] * rules, items, discordant, margin)
    assert 0.005 <= found.red <= 0.05  # and not by never saying anything
    assert found.passed <= 0.05  # no wrong PASS either


@pytest.mark.parametrize(("items", "discordant", "margin", "rules"), SETTINGS)
def test_a_regression_of_twice_the_margin_is_seen_with_the_stated_power(
    items: int, discordant: float, margin: float, rules: int
) -> None:
    found = rates([2 * margin] + [0.0] * (rules - 1), items, discordant, margin)
    assert found.red >= found.power - 0.05
    assert found.red <= found.power + 0.12


def test_items_for_eighty_percent_power_give_eighty_percent() -> None:
    """n = psi ((z_.975 + z_.8) / margin)^2 = 1,962 for 10 % discordant and a margin of 2 points."""
    assert rates([0.04], 1962, 0.10, 0.02).red == pytest.approx(0.8, abs=0.05)


def test_the_naive_rule_does_not_hold_the_level() -> None:
    """20 rules of 500 items: the naive rule is red in about a third of runs in which nothing changed."""
    found = rates([0.0] * 20, 500, 0.05, 0.02)
    assert found.naive_red > 0.2
    assert found.red <= 0.05


def test_the_same_seed_gives_the_same_rates() -> None:
    once, again = (simulate([0.02], items=300, discordant=0.1, margin=0.02, runs=200, seed=5) for _ in range(2))
    assert once == again
    assert np.isfinite(once.power)
