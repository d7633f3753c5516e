"""The modality gap against closed forms, slow definitions, a planted gap and clouds without one."""

from __future__ import annotations

from functools import partial

import numpy as np
import pyarrow as pa
import pytest
from clipaudit_audits.meaning import modality_gap_measures as measures
from clipaudit_audits.meaning.modality_gap import ModalityGap, ModalityGapParams
from clipaudit_audits.meaning.modality_gap_estimates import Clouds, outcomes, results
from clipaudit_audits.meaning.modality_gap_figures import SHOWN, figures
from scipy.stats import binom

from clipaudit.contract import PlanContext
from clipaudit.data.registry import DataRegistry
from clipaudit.errors import DataError
from clipaudit.results import Estimate, ScatterFigure

METRICS = {metric.name: metric for metric in ModalityGap.spec.metrics}


def _cloud(rng: np.random.Generator, n: int, shift: float, dim: int = 32) -> np.ndarray:
    """Unit vectors around (shift, 0, 0, ...)."""
    vectors = rng.normal(size=(n, dim)) / np.sqrt(dim)
    vectors[:, 0] += shift
    return measures.unit(vectors)


def _length(clouds: np.ndarray, kept: np.ndarray) -> float:
    """Of the gap between the first hundred and the others."""
    return float(np.linalg.norm(measures.gap(clouds[:100][kept[:100]], clouds[100:][kept[100:]])))


def _rows(images: np.ndarray, texts: np.ndarray, by: str = "caption") -> pa.Table:
    lines = [
        {
            "item": f"{kind}{i:04d}",
            "kind": kind,
            "pair": f"p{i % len(images):04d}",
            "by": by,
            "vector": v,
            "error": None,
        }
        for kind, cloud in (("image", images), ("text", texts))
        for i, v in enumerate(cloud.tolist())
    ]
    return pa.Table.from_pylist(lines)


def _scored(images: np.ndarray, texts: np.ndarray, seed: int = 0) -> dict[str, Estimate]:
    found = results(Clouds(_rows(images, texts)), METRICS, seed)
    return {e.metric + "".join(f" {value}" for value in e.subgroup.values()): e for e in found}


def test_measures_by_hand() -> None:
    images, texts = np.array([[1.0, 0], [0, 1]]), np.array([[-1.0, 0], [0, 1]])
    assert measures.gap(images, texts).tolist() == [1.0, 0.0]
    assert measures.alignment(images, texts).tolist() == [4.0, 0.0]
    assert measures.uniformities(images)(np.ones((1, 2)))[0] == pytest.approx(-4.0)  # one pair, |u - v|^2 = 2
    assert measures.effective_rank(np.eye(5)) == pytest.approx(4.0)  # centred: four equal singular values


def test_uniformity_is_the_mean_over_pairs_of_different_items() -> None:
    rng = np.random.default_rng(0)
    vectors, counts = _cloud(rng, 12, 0.3), rng.integers(0, 3, 12).astype(float)
    drawn = np.repeat(np.arange(12), counts.astype(int))
    pairs = [(i, j) for i in drawn for j in drawn if i != j]
    weights = [np.exp(-2 * ((vectors[i] - vectors[j]) ** 2).sum()) for i, j in pairs]
    # copies of one item are left out of the sum, and with them out of the number of pairs
    assert measures.uniformities(vectors)(counts[None])[0] == pytest.approx(np.log(np.mean(weights)), abs=1e-12)


def test_ranks_are_those_of_a_sorted_list_and_ties_count_against() -> None:
    rng = np.random.default_rng(1)
    queries, found = _cloud(rng, 20, 0), _cloud(rng, 60, 0)
    right = np.arange(60) % 20 == np.arange(20)[:, None]
    slow = [min(list(np.argsort(-(found @ q))).index(i) + 1 for i in np.flatnonzero(r)) for q, r in zip(queries, right, strict=True)]  # fmt: skip
    assert measures.ranks(queries, found, right).tolist() == slow
    same = np.ones((3, 2))
    assert measures.ranks(same[:1], same, np.array([[True, False, False]])).tolist() == [3]


def test_closing_the_gap_moves_the_means_together() -> None:
    rng = np.random.default_rng(2)
    images, texts = _cloud(rng, 200, 0.5), _cloud(rng, 200, -0.5)
    lengths = [np.linalg.norm(measures.gap(*measures.shifted(images, texts, share))) for share in (-1, 0, 0.5, 1)]
    assert lengths[0] > lengths[1] > lengths[2] > lengths[3]
    assert lengths[1] == pytest.approx(np.linalg.norm(measures.gap(images, texts)))
    assert lengths[3] < 0.1 * lengths[1]


def test_a_planted_gap_is_found_at_its_size() -> None:
    """Two clouds on opposite sides: the distance of their means in the limit of many items is known."""
    rng = np.random.default_rng(3)
    limit = float(np.linalg.norm(measures.gap(_cloud(rng, 200_000, 0.4), _cloud(rng, 200_000, -0.4))))
    held = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        clouds = np.concatenate([_cloud(rng, 100, 0.4), _cloud(rng, 100, -0.4)])
        found = measures.jackknife(partial(_length, clouds), np.tile([f"p{i}" for i in range(100)], 2), seed)
        held += found.low <= limit <= found.high
    low, high = binom.interval(0.999, 60, 0.95)
    assert low - 3 <= held <= high  # the distance is a little too large at this n, as its note says


def test_one_cloud_is_no_gap_as_often_as_alpha_says() -> None:
    alarms = 0.0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        images, texts = _cloud(rng, 40, 0.3), _cloud(rng, 40, 0.3)
        draws = measures.exchanged_gaps(images, texts, seed, 199)
        alarms += float((1 + (draws >= np.linalg.norm(measures.gap(images, texts))).sum()) / 200 <= 0.05)
    low, high = binom.interval(0.998, 200, 0.05)
    assert low <= alarms <= high


def test_clouds_apart_are_told_apart() -> None:
    rng = np.random.default_rng(7)
    found = _scored(_cloud(rng, 100, 0.4), _cloud(rng, 100, -0.4))
    assert found["separability"].value == pytest.approx(1.0, abs=0.02)
    assert found["gap"].test is not None
    assert found["gap"].test.p < 0.01


def test_one_cloud_cannot_be_told_apart() -> None:
    rng = np.random.default_rng(4)
    found = _scored(_cloud(rng, 150, 0.3), _cloud(rng, 150, 0.3))
    assert found["separability"].value == pytest.approx(0.5, abs=0.12)


def test_rotation_changes_nothing() -> None:
    rng = np.random.default_rng(5)
    images, texts = _cloud(rng, 40, 0.4), _cloud(rng, 80, -0.2)
    turn = np.linalg.qr(rng.normal(size=(32, 32)))[0]
    before, after = _scored(images, texts), _scored(images @ turn, texts @ turn)
    assert before.keys() == after.keys()
    for name in before:
        assert after[name].value == pytest.approx(before[name].value, abs=1e-6), name


def test_recall_with_perfect_pairs_and_with_none() -> None:
    rng = np.random.default_rng(6)
    images = _cloud(rng, 50, 0.0)
    assert _scored(images, images)["recall image to text 1"].value == 1.0
    shuffled = _scored(images, _cloud(rng, 50, 0.0))["recall image to text 10"]
    assert shuffled.value == pytest.approx(0.2, abs=0.2)  # 10 of 50 by chance


def test_a_set_needs_two_texts() -> None:
    dataset = DataRegistry({}).open("objects")
    params = ModalityGapParams(captions=("label",))
    assert ModalityGap().plan(PlanContext(params, 0, dataset))
    with pytest.raises(DataError, match="no column 'captoin'"):
        ModalityGap().plan(PlanContext(ModalityGapParams(captions=("captoin",)), 0, dataset))
    with pytest.raises(DataError, match="fewer than two different texts"):
        ModalityGap().plan(PlanContext(ModalityGapParams(max_items=2), 0, dataset.head(1)))


def test_the_plane_keeps_the_gap_and_shows_the_widest_of_the_rest() -> None:
    rng = np.random.default_rng(4)
    images, texts = rng.normal(size=(60, 5)) * [0.1, 0.1, 0.1, 2.0, 0.1], rng.normal(size=(40, 5)) * 0.1
    images[:, 0] += 1
    first, second = measures.plane(images, texts)
    between = first.mean(axis=0) - second.mean(axis=0)
    assert between == pytest.approx([np.linalg.norm(measures.gap(images, texts)), 0.0], abs=1e-12)
    assert (first.mean(axis=0) + second.mean(axis=0)) / 2 == pytest.approx([0.0, 0.0], abs=1e-12)
    axis = measures.gap(images, texts) / np.linalg.norm(measures.gap(images, texts))
    rest = np.concatenate([images - images.mean(axis=0), texts - texts.mean(axis=0)]) @ (
        np.eye(5) - np.outer(axis, axis)
    )
    widest = np.linalg.eigvalsh(rest.T @ rest).max()  # sum of squares along the first principal component
    centred = np.concatenate([first - first.mean(axis=0), second - second.mean(axis=0)])
    assert (centred[:, 1] ** 2).sum() == pytest.approx(widest)


def test_chance_of_recall_is_that_of_drawing_without_replacement() -> None:
    assert measures.chance_of_recall(np.array([5, 5]), 145, 1) == pytest.approx(5 / 145)
    assert measures.chance_of_recall(np.array([2]), 5, 2) == pytest.approx(1 - (3 / 5) * (2 / 4))
    assert measures.chance_of_recall(np.array([1, 2]), 4, 4) == 1.0


def test_alignment_of_exchanged_texts_is_that_of_all_pairs() -> None:
    rng = np.random.default_rng(5)
    images, texts, names = _cloud(rng, 12, 0.2), _cloud(rng, 4, 0.2), [f"n{i % 4}" for i in range(12)]
    draws = measures.misaligned(images, texts, names, 0, 4000)
    every = np.mean([((u - v) ** 2).sum() for u in images for v in texts])
    assert draws.mean() == pytest.approx(every, abs=4 * draws.std() / np.sqrt(4000))


def test_the_clouds_are_thinned_and_their_centres_are_of_all() -> None:
    rng = np.random.default_rng(6)
    images, texts = _cloud(rng, 300, 0.4), _cloud(rng, 300, -0.4)
    figure = figures(Clouds(_rows(images, texts)), [], (0.0, 1.0), 0)[0]
    assert isinstance(figure, ScatterFigure)
    assert [len(cloud.x) for cloud in figure.clouds] == [SHOWN, SHOWN]
    (x0, y0), (x1, y1) = (cloud.centre or (np.nan, np.nan) for cloud in figure.clouds)
    assert x0 - x1 == pytest.approx(np.linalg.norm(measures.gap(images, texts)))
    assert (y0, y1) == pytest.approx((0, 0), abs=1e-12)


@pytest.mark.parametrize("by", ["caption", "label"])
def test_outcomes_give_the_estimates(by: str) -> None:
    rng = np.random.default_rng(8)
    images = _cloud(rng, 40, 0.4)
    clouds = Clouds(
        _rows(images, measures.unit(np.concatenate([images, images]) + 0.3 * rng.normal(size=(80, 32))), by)
    )
    tried = 0
    for estimate in results(clouds, METRICS, 0):
        if (found := outcomes(clouds, estimate)) is not None:
            assert found.scale * found.above.sum() / found.below.sum() == pytest.approx(estimate.value)
            assert len(set(found.items)) == len(found.items) == estimate.n
            assert len(set(found.clusters)) == estimate.clusters
            tried += 1
    assert tried == (7 if by == "caption" else 2)
