"""Pairs of a factorial, and shares of pairs of words, against plain loops."""

from __future__ import annotations

from itertools import product

import clipaudit_audits.social_bias.counterfactual_pairs as pairs
import numpy as np
import pytest
from clipaudit_audits.social_bias.counterfactual_pairs import Change, Table, corners, pairs_within


def table(seed: int) -> Table:
    """A factorial with gaps and with a repeated picture, in any order."""
    rng = np.random.default_rng(seed)
    levels = {"tone": ("b", "a", "c"), "hair": ("long", "short")}
    every = list(product(("p", "q", "r"), *levels.values()))
    chosen = [every[i] for i in rng.choice(len(every), 15)]
    who, tone, hair = zip(*chosen, strict=True)
    return Table(
        tuple(map(str, range(15))), who, {"tone": tone, "hair": hair}, levels, rng.standard_normal((15, 6))
    )  # fmt: skip


def by_loop(made: Table, changes: list[Change]) -> set[tuple[int, ...]]:
    """The same by comparing everything with everything; of a repeated picture the last."""
    last = {
        (who, tone, hair): i
        for i, (who, tone, hair) in enumerate(zip(made.clusters, *made.attributes.values(), strict=True))
    }
    found = set()
    for (who, *values), i in last.items():
        own = dict(zip(made.attributes, values, strict=True))
        if all(own[c.attribute] == c.before for c in changes):
            corner = [i]
            for made_ in list(product((False, True), repeat=len(changes)))[1:]:
                other = own | {c.attribute: c.after for c, done in zip(changes, made_, strict=True) if done}
                corner.append(last.get((who, other["tone"], other["hair"]), -1))
            if min(corner) >= 0:
                found.add(tuple(corner))
    return found


@pytest.mark.parametrize("seed", range(8))
def test_corners_are_those_of_a_plain_search(seed: int) -> None:
    made = table(seed)
    tone, hair = Change("tone", "b", "c"), Change("hair", "short", "long")
    for changes in ([tone], [hair], [tone, hair], [hair, tone]):
        found = corners(made, changes)
        assert {tuple(row) for row in found.tolist()} == by_loop(made, changes)
        assert len({tuple(row) for row in found.tolist()}) == len(found)
    assert corners(made, [Change("tone", "b", "green")]).shape == (0, 2)


def test_shares_of_many_pairs_come_from_evenly_spaced_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    cosines = rng.standard_normal((2000, 8))
    gaps = [0.1, 1.0, 2.0]
    all_of_them = pairs_within(cosines, gaps)
    spread = np.abs(cosines[:, :, None] - cosines[:, None])[:, *np.triu_indices(8, 1)]
    assert all_of_them == pytest.approx([(spread < gap).mean() for gap in gaps])
    monkeypatch.setattr(pairs, "MAX_PAIRS", 28 * 500)
    assert pairs_within(cosines, gaps) == pytest.approx(all_of_them, abs=0.02)
    chosen = np.linspace(0, 1999, 500).round().astype(int)
    assert pairs_within(cosines, gaps) == pytest.approx([(spread[chosen] < gap).mean() for gap in gaps])
