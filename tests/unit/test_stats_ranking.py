"""Metrics of rankings against closed forms, loops written from the papers, and replicates counted one by one."""

from __future__ import annotations

import csv
from collections import Counter
from math import log, log2
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import hypergeom

from clipaudit.stats import ranking
from clipaudit.stats.ranking_resample import block_ends, multiplicities, one_hot, permuted, replicates

SHARED = Path(__file__).resolve().parents[2] / ".." / "shared" / "data"


def loop_max_skew(groups: list[int], target: dict[int, float], k: int) -> tuple[float, float]:
    """MaxSkew@k and MinSkew@k as Geyik et al. and Berg et al. say: a share of 0 is taken as 1/k."""
    found = Counter(groups[:k])
    skews = [log(max(found[g], 1) / k) - log(share) for g, share in target.items()]
    return max(skews), min(skews)


def loop_ndkl(groups: list[int], target: dict[int, float]) -> float:
    """NDKL as Geyik et al. 2019, equation 3."""
    total, z = 0.0, 0.0
    for i in range(1, len(groups) + 1):
        found = Counter(groups[:i])
        kl = sum(n / i * log(n / i / target[g]) for g, n in found.items())
        total += kl / log2(i + 1)
        z += 1 / log2(i + 1)
    return total / z


@pytest.mark.parametrize("seed", range(5))
def test_metrics_equal_loops_from_the_papers(seed: int) -> None:
    rng = np.random.default_rng(seed)
    ranked = rng.integers(0, 3, (7, 40))
    target = dict(enumerate(rng.dirichlet([3, 3, 3]).tolist()))
    shares = list(target.values())
    for k in (1, 5, 17):
        counts = (ranked[:, :k, None] == np.arange(3)).sum(axis=1)
        expected = [loop_max_skew(row.tolist(), target, k) for row in ranked]
        np.testing.assert_allclose(ranking.skew(counts, shares).max(axis=-1), [e[0] for e in expected])
        np.testing.assert_allclose(ranking.skew(counts, shares).min(axis=-1), [e[1] for e in expected])
    np.testing.assert_allclose(ranking.ndkl(ranked, shares), [loop_ndkl(row.tolist(), target) for row in ranked])


def test_shorter_rankings_end_where_they_end() -> None:
    whole, padded = [0, 1, 1, 0, 1], [[0, 1, 1, 0, 1, -1, -1]]
    assert ranking.ndkl(padded, [0.4, 0.6]).item() == pytest.approx(loop_ndkl(whole, {0: 0.4, 1: 0.6}))


def test_closed_forms() -> None:
    # Only one of two groups in the top: skews ln 2 and ln(1/k / .5); Bias 1; entropy 0; NDKL of one rank = ln 2.
    assert ranking.skew([10, 0], [0.5, 0.5]).tolist() == pytest.approx([log(2), log(0.2)])
    assert ranking.bias([10, 0], [0, 0]).tolist() == [1.0, 0.0]
    assert ranking.normalised_entropy([10, 0]).item() == 0.0
    assert ranking.normalised_entropy([3, 1]).item() == pytest.approx(-(0.75 * log2(0.75) + 0.25 * log2(0.25)))
    assert ranking.normalised_entropy([30, 10], [0.75, 0.25]).item() == pytest.approx(1.0)
    assert ranking.ndkl([[0]], [0.5, 0.5]).item() == pytest.approx(log(2))


def expected_max_skew(sizes: tuple[int, int], k: int) -> float:
    """Mean MaxSkew@k of a random ranking of two groups, by enumeration."""
    n = sum(sizes)
    mass = [(h, hypergeom(n, sizes[0], k).pmf(h)) for h in range(k + 1)]
    target = (sizes[0] / n, sizes[1] / n)
    return sum(p * max(log(max(h, 1) / k / target[0]), log(max(k - h, 1) / k / target[1])) for h, p in mass if p > 0)


def null_draws(sizes: list[int], k: int, count: int, full: bool) -> tuple[np.ndarray, np.ndarray | None]:
    """(count, groups) counts in the top k and (count,) NDKL, of permuted labels."""
    labels, rng = np.repeat(np.arange(len(sizes)), sizes), np.random.default_rng(0)
    order = np.arange(len(labels) if full else k)[None]
    columns = one_hot(permuted(labels, np.zeros_like(labels), count, rng), len(sizes))
    found = replicates(order, columns, [k], full=full, with_ndkl=full)
    return found.top[0, 0].T, None if found.ndkl is None else found.ndkl[1, 0]


def test_null_of_visogender() -> None:
    """Ten images of men and ten of women: MaxSkew@5 .278, NDKL .168 by chance alone."""
    top, kl = null_draws([10, 10], 5, 20_000, full=True)
    assert kl is not None
    assert expected_max_skew((10, 10), 5) == pytest.approx(0.278, abs=0.0015)
    assert ranking.skew(top, [0.5, 0.5]).max(axis=-1).mean() == pytest.approx(expected_max_skew((10, 10), 5), abs=0.004)
    assert kl.mean() == pytest.approx(0.168, abs=0.002)


def test_null_of_fairface_race() -> None:
    path = SHARED / "fairface_val_labels.csv"
    if not path.exists():
        pytest.skip("the annotations of FairFace are not here")
    with path.open() as file:
        sizes = sorted(Counter(row["race"] for row in csv.DictReader(file)).values())
    assert sum(sizes) == 10_954
    top, _ = null_draws(sizes, 1000, 600, full=False)
    assert ranking.skew(top, np.array(sizes) / sum(sizes)).max(axis=-1).mean() == pytest.approx(0.103, abs=0.002)


@pytest.fixture
def rankings() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    return rng.random((4, 60)).argsort(axis=1), rng.integers(0, 3, 60)


def test_permuted_labels_are_counted_as_if_one_by_one(rankings: tuple[np.ndarray, np.ndarray]) -> None:
    order, labels = rankings
    drawn = permuted(labels, np.zeros_like(labels), 30, np.random.default_rng(0))
    exact = replicates(order, one_hot(drawn, 3), [5, 47], full=True, with_ndkl=True, every_rank=True)
    quick = replicates(order, one_hot(drawn, 3), [5, 47], full=True, with_ndkl=True)
    head = replicates(order[:, :47], one_hot(drawn, 3), [5, 47], full=False)
    shares = np.bincount(labels) / len(labels)
    assert exact.ndkl is not None
    assert quick.ndkl is not None
    for r in range(30):
        for q in range(4):
            ranked = drawn[order[q], r]
            for i, k in enumerate((5, 47)):
                counts = np.bincount(ranked[:k], minlength=3)
                for found in (exact, quick, head):
                    np.testing.assert_array_equal(found.top[q, i, :, r], counts)
            values = [ranking.ndkl(ranked[None], target).item() for target in ([1 / 3] * 3, shares)]
            np.testing.assert_allclose(exact.ndkl[:, q, r], values)
            np.testing.assert_allclose(quick.ndkl[:, q, r], values, rtol=0.02)
    np.testing.assert_array_equal(exact.pool[0, :, 0], np.bincount(labels))


def test_resampled_items_are_counted_as_if_repeated(rankings: tuple[np.ndarray, np.ndarray]) -> None:
    order, labels = rankings
    weights = multiplicities(np.arange(60), np.zeros(60, int), 40, np.random.default_rng(0))
    assert (weights.sum(axis=0) == 60).all()
    found = replicates(order, one_hot(labels, 3, weights), [5, 17], full=True, with_ndkl=True)
    assert found.ndkl is not None
    exact = np.empty((4, 40))
    for r in range(40):
        for q in range(4):
            ranked = np.repeat(labels[order[q]], weights[order[q], r])
            for i, k in enumerate((5, 17)):
                np.testing.assert_array_equal(found.top[q, i, :, r], np.bincount(ranked[:k], minlength=3))
            exact[q, r] = ranking.ndkl(ranked[None], [1 / 3] * 3).item()
    # By quadrature: an item drawn three times fills three ranks at once. What the bootstrap needs is the spread.
    assert np.corrcoef(found.ndkl[0].ravel(), exact.ravel())[0, 1] > 0.99
    assert found.ndkl[0].std() == pytest.approx(exact.std(), rel=0.1)


def test_labels_move_within_blocks_and_clusters_are_drawn_whole() -> None:
    labels, blocks = np.array([0, 1, 0, 0, 1, 1]), np.array([0, 1, 0, 1, 1, 0])
    drawn = permuted(labels, blocks, 200, np.random.default_rng(0))
    assert (drawn[blocks == 0].sum(axis=0) == 1).all()
    assert (drawn[blocks == 1].sum(axis=0) == 2).all()
    assert len(np.unique(drawn, axis=1).T) == 9
    counts = multiplicities(np.array([7, 7, 3, 3, 3]), np.zeros(5, int), 100, np.random.default_rng(0))
    assert (counts[0] == counts[1]).all()
    assert (counts[0] + counts[2] == 2).all()


def test_blocks_grow_and_hold_every_k() -> None:
    ends = block_ends(10_000, [1000, 777])
    assert {1000, 777, 10_000} <= set(ends.tolist())
    assert len(ends) < 100
    assert (np.diff(ends) <= np.maximum(1, ends[:-1] // 8 + 1)).all()


def test_many_groups_and_pieces_give_what_one_piece_gives() -> None:
    rng = np.random.default_rng(1)
    order, labels = rng.random((90, 300)).argsort(axis=1), rng.integers(0, 12, 300)
    drawn = permuted(labels, np.zeros_like(labels), 60, rng)
    together = replicates(order, one_hot(drawn, 12), [20], full=True, with_ndkl=True)
    alone = replicates(order[[70]], one_hot(drawn[:, [55]], 12), [20], full=True, with_ndkl=True)
    np.testing.assert_array_equal(together.top[70, :, :, 55], alone.top[0, :, :, 0])
    assert together.ndkl is not None
    assert alone.ndkl is not None
    np.testing.assert_allclose(together.ndkl[:, 70, 55], alone.ndkl[:, 0, 0])
