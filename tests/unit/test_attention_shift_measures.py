"""Closed forms, planted shifts and null calibration of what is measured between maps."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from clipaudit_audits.meaning import attention_shift_measures as measures
from clipaudit_audits.meaning.attention_shift import AttentionShift
from clipaudit_audits.meaning.attention_shift_estimates import FURTHER, SHIFTS, further
from clipaudit_audits.meaning.attention_shift_items import items
from clipaudit_audits.meaning.attention_shift_params import AttentionShiftParams
from clipaudit_audits.meaning.attention_shift_pictures import OVER, STOPS, colours
from clipaudit_audits.meaning.attention_shift_rows import Record, table
from numpy.typing import NDArray
from PIL import Image

from clipaudit.contract import Cell
from clipaudit.results import Estimate, GalleryFigure, Status
from clipaudit.stats.paired import paired_permutation

G = 4
AUDIT = AttentionShift()
CELL = Cell(AUDIT.spec, AttentionShiftParams(grid=G), 0)
LEFT = np.zeros((G, G))
LEFT[:, 0] = 1.0
RIGHT = LEFT[:, ::-1]


def uniform(n: int = G) -> NDArray[np.float64]:
    return np.full((n, n), 1 / n**2)


def test_share_is_positive_relevance_made_to_sum_to_one() -> None:
    assert measures.share(np.array([[3.0, -2.0], [1.0, 0.0]])).tolist() == [[0.75, 0.0], [0.25, 0.0]]  # type: ignore[union-attr]
    assert measures.share(np.array([[0.0, -1.0]])) is None


def test_divergence_of_known_shares() -> None:
    half = np.array([0.5, 0.5])
    assert measures.divergence(half, half) == 0.0
    # 1/2 KL(a|m) + 1/2 KL(b|m) with a = (1, 0), b = m-complement: H(0.75) - H(0.5)/2
    entropy = -(0.75 * np.log2(0.75) + 0.25 * np.log2(0.25))
    assert measures.divergence(np.array([1.0, 0.0]), half) == pytest.approx(entropy - 0.5)


def test_correlations_equal_scipys() -> None:
    from scipy.stats import pearsonr, spearmanr

    rng = np.random.default_rng(0)
    a, b = rng.random((G, G)), rng.integers(0, 4, (G, G)).astype(float)  # with ties
    assert measures.rank_correlation(a, b) == pytest.approx(spearmanr(a.ravel(), b.ravel()).statistic)
    assert measures.correlation(a, b) == pytest.approx(pearsonr(a.ravel(), b.ravel()).statistic)
    assert measures.rank_correlation(a, uniform()) is None


def test_centre_distance_mass_and_hit() -> None:
    left, right = LEFT / G, RIGHT / G
    assert measures.centre(uniform()).tolist() == [0.5, 0.5]
    assert measures.distance(left, right) == pytest.approx(0.75)
    assert measures.mass(left, LEFT) == 1.0
    assert measures.mass(uniform(), LEFT) == pytest.approx(0.25)
    assert measures.hit(left, LEFT)
    assert not measures.hit(right, LEFT)


def test_order_is_by_relevance_with_ties_at_random() -> None:
    relevance = np.array([[0.0, 5.0], [0.0, -1.0]])
    orders = {tuple(measures.order(relevance, np.random.default_rng(seed)).tolist()) for seed in range(20)}
    assert orders == {(1, 0, 2, 3), (1, 2, 0, 3)}


@pytest.mark.parametrize("patches", [9, 16, 25, 36, 49, 64, 196])
def test_steps_can_be_read_backwards(patches: int) -> None:
    steps = measures.counts(patches)
    assert steps == [patches - count for count in reversed(steps)]
    assert steps == sorted(set(steps))


def test_area_of_a_straight_line_is_its_middle() -> None:
    at = np.array(measures.counts(49)) / 49
    assert measures.area(1.0, 1 - at, 0.0, 49) == pytest.approx(0.5)


# --- estimates from planted maps --------------------------------------------------------------------------------


def rows_of(maps: Mapping[str, NDArray[np.float64]], n: int = 12, **more: Any) -> list[Record]:
    """The same maps for n images; deletion and insertion by the map beat random orders by 0.2 and 0.1."""
    made = []
    for i in range(n):
        for role, relevance in maps.items():
            jitter = 0.01 * i
            record: Record = {
                "item": f"i{i:02}", "cluster": f"i{i:02}", "label": f"l{i}", "misled": "other", "role": role,
                "prompt": role, "method": "Grad-CAM", "reason": "test", "cosine": 1.0, "blank": 0.0,
                "relevance": relevance.ravel().tolist(), "mask": LEFT.ravel().tolist(),
                "deletion": [0.3 - jitter] * 4, "random_deletion": [0.5] * 4, "insertion": [0.6 + jitter] * 4,
                "random_insertion": [0.5] * 4, "shuffled": RIGHT.ravel().tolist(), "occlusion": relevance.ravel().tolist(),
            }  # fmt: skip
            made.append(record | more)
    return made


def maps_of(misleading: NDArray[np.float64], **others: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    left = LEFT + 0.0
    return {"accurate": left, "accurate-1": left, "misleading": misleading, "neutral": left} | others


def scored(records: list[Record]) -> dict[tuple[str, str], Estimate]:
    return {(e.metric, e.subgroup.get("prompt", "")): e for e in AUDIT.score(CELL, table(records))}


def test_a_map_moved_from_left_to_right_is_found_in_full() -> None:
    found = scored(rows_of(maps_of(RIGHT)))
    assert found["divergence", "misleading"].value == pytest.approx(1.0)
    assert found["centre_shift", "misleading"].value == pytest.approx(0.75)
    assert found["mass_shift", "misleading"].value == pytest.approx(-100.0)
    assert found["mass", "accurate"].value == pytest.approx(1.0)
    assert found["mass", "accurate"].null_value == pytest.approx(0.25)
    assert found["pointing", "misleading"].value == 0.0
    assert found["divergence", "misleading"].status is Status.EFFECT
    assert found["divergence", "neutral"].value == 0.0
    assert found["divergence", "neutral"].status is Status.NO_EFFECT


def test_what_a_paraphrase_moves_as_well_is_no_shift() -> None:
    found = scored(rows_of(maps_of(RIGHT, **{"accurate-1": RIGHT + 0.0})))
    for metric in ("divergence", "rank_loss", "centre_shift", "mass_shift"):
        assert found[metric, "misleading"].value == pytest.approx(0.0)
        assert found[metric, "misleading"].status is Status.NO_EFFECT


def test_a_misleading_prompt_that_moves_less_than_wording_is_no_effect() -> None:
    found = scored(rows_of(maps_of(LEFT + 0.0, **{"accurate-1": RIGHT + 0.0})))
    assert found["divergence", "misleading"].value == pytest.approx(-1.0)
    assert found["divergence", "misleading"].status is Status.NO_EFFECT


def test_faithful_maps_gain_what_is_planted() -> None:
    found = scored(rows_of(maps_of(RIGHT)))
    at = np.array([0, *measures.counts(G * G), G * G]) / (G * G)
    inner = (at[-1] - at[1] + at[-2] - at[0]) / 2  # the trapezoids' weight of the four steps
    mean_jitter = 0.01 * 5.5
    assert found["faithfulness", "accurate"].value == pytest.approx(inner * ((0.2 + 0.1) / 2 + mean_jitter))
    assert found["faithfulness", "accurate"].status is Status.DESCRIBED


def test_unfaithful_maps_make_findings_inconclusive_and_are_not_shown() -> None:
    picture = {"picture": b"never opened"}
    good = rows_of(maps_of(RIGHT), **picture)
    bad = rows_of(maps_of(RIGHT), deletion=[0.5] * 4, insertion=[0.5] * 4, **picture)
    for records, shown in ((good, True), (bad, False)):
        rows = table(records)
        estimates = AUDIT.score(CELL, rows)
        figures = AUDIT.figures(CELL, rows, estimates)
        assert any(isinstance(figure, GalleryFigure) for figure in figures) is shown
    status = scored(bad)["divergence", "misleading"]
    assert status.status is Status.INCONCLUSIVE
    assert "the maps of the accurate prompt are not shown to beat covering patches at random" in status.notes
    assert not AUDIT.pictures(CELL, table(bad))


def test_the_gallery_shows_pictures_that_exist_on_one_scale() -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (64, 64), (128, 128, 128)).save(buffer, "WEBP", lossless=True)
    rows = table(rows_of(maps_of(RIGHT), picture=buffer.getvalue()))
    figures = AUDIT.figures(CELL, rows, AUDIT.score(CELL, rows))
    gallery = next(figure for figure in figures if isinstance(figure, GalleryFigure))
    pictures = {picture.id: np.asarray(picture.load(), np.float64) for picture in AUDIT.pictures(CELL, rows)}
    assert {item for entry in gallery.entries for item in entry.items} == set(pictures)
    assert len(gallery.entries) == 6
    assert len(gallery.columns) == len(gallery.entries[0].items) == 3
    assert gallery.scale is not None
    assert gallery.scale.high == "25.0 % or more"
    plain, accurate, misleading = (pictures[name] for name in gallery.entries[0].items)
    assert np.abs(plain - 128).max() <= 2
    top = colours(np.array([1.0]))[0] * OVER + 128 * (1 - OVER)
    assert np.abs(accurate[:, :4].mean(axis=(0, 1)) - top).max() < 8  # where all the relevance is
    assert accurate[:, :8].mean() + 30 < accurate[:, -8:].mean()
    assert misleading[:, -8:].mean() + 30 < misleading[:, :8].mean()


def test_maps_that_survive_shuffled_weights_are_not_believed() -> None:
    found = scored(rows_of(maps_of(RIGHT), shuffled=LEFT.ravel().tolist()))
    assert found["shuffled_agreement", ""].value == pytest.approx(1.0)
    assert found["shuffled_agreement", ""].status is Status.INCONCLUSIVE
    assert "the maps hardly change when the weights are shuffled" in found["mass", "accurate"].notes


def test_too_few_checked_images_are_said() -> None:
    records = rows_of(maps_of(RIGHT))
    for record in records:
        if record["item"] > "i04":
            record["deletion"] = None
    found = scored(records)
    assert found["faithfulness", "accurate"].n == 5
    assert found["divergence", "misleading"].status is Status.INCONCLUSIVE


def test_without_masks_what_needs_them_is_left_out() -> None:
    found = scored(rows_of(maps_of(RIGHT), mask=None))
    assert {metric for metric, _ in found} == {
        "divergence", "rank_loss", "centre_shift", "faithfulness", "occlusion_agreement", "shuffled_agreement",
    }  # fmt: skip


def test_random_maps_show_no_shift_more_often_than_they_may() -> None:
    """600 tests at 5 %: about 30 reject where prompts make no difference; 46 would be three deviations more."""
    rejected = 0
    for seed in range(150):
        rng = np.random.default_rng(seed)
        records = rows_of(maps_of(RIGHT), n=10)
        for record in records:
            record["relevance"] = rng.random(G * G).tolist()
        found = items(table(records))
        for name, (measure, _) in SHIFTS.items():
            values = [value for item in found if (value := measure(item, "misleading")) is not None]
            clusters = [item.cluster for item in found]
            test = further(values, clusters, 0) if name in FURTHER else paired_permutation(values, clusters)
            rejected += test.p <= 0.05
    assert 14 <= rejected <= 46


def test_colours_run_from_stop_to_stop() -> None:
    ends = colours(np.array([0.0, 1.0, 0.2]))
    for colour, stop in zip(ends, (STOPS[0], STOPS[-1], STOPS[1]), strict=True):
        assert colour.tolist() == [int(stop[i : i + 2], 16) for i in (1, 3, 5)]
    lightness = colours(np.linspace(0, 1, 50)) @ np.array([0.2126, 0.7152, 0.0722])
    assert (np.diff(lightness) < 0).all()
