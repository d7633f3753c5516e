"""The wording of prompts: planted effects of a template and of groups, chance, and closed forms."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from clipaudit_audits.robustness.prompts import Prompts
from clipaudit_audits.robustness.prompts_measures import changed, disagreement, kendall, spread_test
from clipaudit_audits.robustness.prompts_params import PromptParams
from PIL import Image
from pydantic import ValidationError
from scipy.stats import binom, kendalltau
from statsmodels.stats.contingency_tables import mcnemar

from clipaudit.contract import Cell, PlanContext
from clipaudit.data.dataset import Dataset
from clipaudit.errors import DataError, NotSupported, UsageError
from clipaudit.models.control import load_control
from clipaudit.models.protocol import Model, Scores
from clipaudit.results import CurveFigure, DataInfo, Estimate, HeatmapFigure, Status
from clipaudit.stimuli.objects import items
from clipaudit.stimuli.small_changes import Changed

AUDIT = Prompts()
NAMES = ("apple", "pear", "plum", "cup", "key", "bag")
TEMPLATES = ("a photo of a {}.", "a picture of a {}.", "a drawing of a {}.", "{}")


class Picture:
    """A photograph of a class; no pixel is needed."""

    def __init__(self, name: str, **attributes: str) -> None:
        self.id, self.attributes, self.digest = name, attributes, name

    def load(self) -> object:
        raise AssertionError("no pixel is needed")


def dataset(n: int = 240, names: tuple[str, ...] = NAMES) -> Dataset:
    hues = ("red", "blue", "green")
    images = [Picture(f"{i:03d}", label=names[i % len(names)], hue=hues[i // 6 % 3]) for i in range(n)]
    info = DataInfo(id="set", title="set", digest="0", items=n, licence="none", consent="drawings", groups=("hue",))
    return Dataset(info, images, ("label", "hue"))


def cell(data: Dataset, seed: int = 1, **params: object) -> Cell:
    return AUDIT.plan(PlanContext(PromptParams.model_validate({"templates": TEMPLATES} | params), seed, data))[0]


def scored(model: Model, one: Cell) -> list[Estimate]:
    return AUDIT.score(replace(one, dataset=None), AUDIT.run(one, model))


def find(estimates: list[Estimate], metric: str, **subgroup: str) -> Estimate:
    return next(e for e in estimates if e.metric == metric and (not subgroup or e.subgroup == subgroup))


def test_a_template_that_costs_accuracy_is_found_at_its_size() -> None:
    """Right with .9, under "drawing" with .5, by the same luck: the spread is the share in between, as are changes."""
    found = scored(load_control("varied?accuracy=0.9&when=drawing&then=0.5"), cell(dataset()))
    spread = find(found, "template_spread")
    assert spread.status is Status.EFFECT
    assert spread.value == pytest.approx(40, abs=9)
    assert "'a drawing of a {}.'" in spread.sentence
    changes = find(found, "prediction_changes")
    assert changes.value == pytest.approx(spread.value / 100)
    assert changes.interval.low <= 0.4 <= changes.interval.high
    assert find(found, "pair_disagreement").value == pytest.approx(changes.value * 3 / 6)  # 3 of 6 pairs
    drawing = find(found, "template_accuracy", template="a drawing of a {}.")
    assert drawing.interval.low <= 0.5 <= drawing.interval.high


def test_templates_without_effect_show_none() -> None:
    found = scored(load_control("varied?accuracy=0.8"), cell(dataset()))
    assert find(found, "template_spread").value == 0
    assert find(found, "template_spread").status is Status.NO_EFFECT
    assert find(found, "prediction_changes").value == 0


def test_interchangeable_templates_are_rejected_at_the_nominal_rate() -> None:
    rng, rejected, runs = np.random.default_rng(0), 0, 150
    for _ in range(runs):
        correct = rng.random((60, 4)) < rng.random((60, 1))
        rejected += spread_test(correct, [str(i) for i in range(60)], 1)[2].p <= 0.05
    assert binom.ppf(0.001, runs, 0.05) <= rejected <= binom.ppf(0.999, runs, 0.05)


def test_spread_of_two_templates_agrees_with_mcnemar() -> None:
    """For two templates the permutation test of the range is McNemar's exact test; an independent implementation."""
    rng = np.random.default_rng(1)
    base = rng.random(300) < 0.5
    correct = np.stack([base | (rng.random(300) < 0.2), base | (rng.random(300) < 0.12)], axis=1)
    b, c = (correct[:, 0] & ~correct[:, 1]).sum(), (correct[:, 1] & ~correct[:, 0]).sum()
    test = spread_test(correct, [str(i) for i in range(300)], 1)[2]
    assert test.p == pytest.approx(mcnemar([[0, b], [c, 0]], exact=True).pvalue, abs=0.02)


def test_clusters_change_places_as_a_whole() -> None:
    rng = np.random.default_rng(2)
    unit = np.repeat(np.arange(40), 5)
    correct = (rng.random((40, 3)) < 0.5)[unit]
    whole = spread_test(correct, [str(u) for u in unit], 1)[1]
    single = spread_test(correct, [str(i) for i in range(200)], 1)[1]
    assert whole.mean == pytest.approx(np.sqrt(5) * single.mean, rel=0.1)


def test_small_measures() -> None:
    predictions = np.array([[1, 1, 1], [1, 2, 1], [1, 2, 3]])
    assert changed(predictions).tolist() == [False, True, True]
    assert disagreement(predictions).tolist() == pytest.approx([0, 2 / 3, 1])
    rng = np.random.default_rng(3)
    a, b = rng.integers(0, 4, (20, 6)).astype(float), rng.integers(0, 4, 6).astype(float)
    assert kendall(a, b).tolist() == pytest.approx([kendalltau(row, b).statistic for row in a], nan_ok=True)


def test_a_gap_that_turns_with_the_template_is_marked() -> None:
    """Reds lose under "photo" and "picture", blues lose more under "drawing": the sign hangs on the template."""

    class Turning:
        info = load_control("varied").info

        def score_labels(self, images: list, labels: tuple, templates: tuple) -> Scores:
            values = np.zeros((len(images), len(labels)))
            for i, image in enumerate(images):
                hue, n = image.attributes["hue"], int(image.id[:3])
                hurt = "blue" if templates == ("a drawing of a {}.",) else "red"
                wrong = hue == hurt and n % 4 != 0
                values[i, (labels.index(image.attributes["label"]) + wrong) % len(labels)] = 1
            return Scores(values, "cosine", (None,) * len(images))

    one = cell(dataset())
    rows = AUDIT.run(one, Turning())
    found = AUDIT.score(replace(one, dataset=None), rows)
    gap = find(found, "group_gap")
    assert gap.status is Status.EFFECT
    assert "Its sign depends on the wording" in gap.sentence
    assert any("Template-sensitive" in note for note in gap.notes)
    stability = find(found, "sign_stability")
    assert stability.value == pytest.approx(4 / 5)  # of four templates and their ensemble, for one label set and top-1
    assert find(found, "rank_stability").value < 1
    assert "1 change" in find(found, "template_agreement").sentence
    figures = AUDIT.figures(one, rows, found)
    curve = next(f for f in figures if isinstance(f, CurveFigure))
    assert list(curve.series[0].y) == sorted(curve.series[0].y)
    assert sum(y > 0 for y in curve.series[0].y) == 8  # 4 of 5, for top-1 and for top-5
    heat = next(f for f in figures if isinstance(f, HeatmapFigure))
    assert heat.values[heat.rows.index("a drawing of a {}.")][0] < 0


def test_groups_that_differ_alike_under_all_templates() -> None:
    found = scored(load_control("varied?accuracy=0.9&when=red&then=0.4"), cell(dataset()))
    gap = find(found, "group_gap")
    assert gap.status is Status.EFFECT
    assert gap.value == pytest.approx(50, abs=15)
    assert find(found, "sign_stability").value == 1
    assert find(found, "rank_stability").value == 1
    null = scored(load_control("varied?accuracy=0.7"), cell(dataset()))
    assert find(null, "group_gap").status is Status.NO_EFFECT
    assert find(null, "group_gap").minimum_detectable > 0


def test_label_sets_and_crops_are_ways_of_asking() -> None:
    sets = {"longer": {"words": {"apple": "red apple"}, "extra": ["cloud", "road"]}}
    one = cell(dataset(60), label_sets=sets, crops=[1.0, 0.8])
    rows = AUDIT.run(one, load_control("varied?accuracy=0.9"))
    answers = rows["answers"].to_pylist()[0]
    assert len(answers) == 2 * 2 * 5
    assert {a["labels"] for a in answers} == {"as given", "longer"}
    assert {a["crop"] for a in answers} == {1.0, 0.8}
    right = [a["prediction"] for a in answers if a["rank"] == 1]
    assert set(right) == {"apple"}  # spelled as in the data set


def test_small_changes_do_what_they_say() -> None:
    base = items()[0]
    picture = np.asarray(Changed(base, "flip").load())
    plain = np.asarray(Changed(base, "crop", 1.0).load())
    assert (picture == plain[:, ::-1]).all()
    assert (np.asarray(Changed(base, "crop", 0.5).load()) == plain[72:216, 72:216]).all()
    assert Changed(base, "lanczos", 100).load().size == (100, 100)
    jpeg = Changed(base, "jpeg", 30).load()
    assert 0 < np.abs(np.asarray(jpeg).astype(int) - plain).mean() < 10
    assert isinstance(jpeg, Image.Image)
    assert jpeg.tobytes() == Changed(base, "jpeg", 30).load().tobytes()
    assert len({Changed(base, "jpeg", q).digest for q in (30, 40)}) == 2
    assert io.BytesIO(jpeg.tobytes()).getbuffer().nbytes == 288 * 288 * 3
    with pytest.raises(UsageError, match="no change 'crop' by 2"):
        Changed(base, "crop", 2)


def test_bad_input_is_one_line() -> None:
    with pytest.raises(DataError, match="has fewer than two classes in its column 'label'"):
        cell(dataset(names=("apple",)))
    with pytest.raises(DataError, match="has other words for 'tree', which is no class"):
        cell(dataset(), label_sets={"x": {"words": {"tree": "oak"}}})
    with pytest.raises(DataError, match="holds 'pear' twice"):
        cell(dataset(), label_sets={"x": {"extra": ["pear"]}})
    with pytest.raises(ValidationError, match="a template occurs twice"):
        PromptParams(templates=("{}", "{}"))
    with pytest.raises(NotSupported, match="templates have no effect"):
        AUDIT.run(cell(dataset()), load_control("classifier"))
