"""The cue-conflict audit from end to end on models that follow shape with a known probability."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from clipaudit_audits.meaning.cue_conflict import CueConflict
from clipaudit_audits.meaning.cue_conflict_categories import CATEGORIES, IMAGENET_INDICES, imagenet_names
from clipaudit_audits.meaning.cue_conflict_measures import shape_bias_interval
from clipaudit_audits.meaning.cue_conflict_params import CueConflictParams
from clipaudit_audits.meaning.cue_conflict_rows import decide, measure
from clipaudit_audits.meaning.cue_conflict_score import cues_of, usable
from clipaudit_audits.meaning.cue_conflict_stimuli import selection
from PIL import Image
from scipy.stats import binom

from clipaudit.contract import Cell, PlanContext
from clipaudit.data.dataset import Dataset
from clipaudit.data.registry import DataRegistry
from clipaudit.errors import DataError, ImageError
from clipaudit.models.control import load_control
from clipaudit.models.protocol import Model, Scores
from clipaudit.results import DataInfo, Estimate, GalleryFigure, ShapeTextureFigure, Status
from clipaudit.stimuli.objects import items

AUDIT = CueConflict()
STIMULI = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "cue_conflict"


class Picture:
    """An image in memory; a cut-out if it has alpha."""

    def __init__(self, name: str, image: Image.Image | None = None, **attributes: str) -> None:
        self.id, self.attributes, self.digest, self.image = name, attributes, name, image

    def load(self) -> Image.Image:
        if self.image is None:
            raise ImageError(f"{self.id}: cannot be read")
        return self.image


def _dataset(images: list, columns: tuple[str, ...]) -> Dataset:
    info = DataInfo(id="set", title="set", digest="0", items=len(images), licence="none", consent="drawings")
    return Dataset(info, images, columns)


DRAWN = _dataset(list(items(2)), ("label", "variant"))
PUBLISHED = _dataset(
    [Picture(f"{s}{i}-{t}", shape=s, texture=t) for s in CATEGORIES for t in CATEGORIES for i in range(2)],
    ("shape", "texture"),
)
SMALL = {"pairs": 20, "classes": 6, "per_class": 2, "strengths": (0.5, 1.0)}


def _cell(dataset: Dataset, **params: object) -> Cell:
    return AUDIT.plan(PlanContext(CueConflictParams.model_validate(params), 1, dataset))[0]


def _score(model: Model, cell: Cell) -> tuple[pa.Table, list[Estimate]]:
    rows = AUDIT.run(cell, model)
    return rows, AUDIT.score(replace(cell, dataset=None), rows)


def _find(estimates: list[Estimate], metric: str, **subgroup: str) -> Estimate:
    return next(e for e in estimates if e.metric == metric and dict(e.subgroup) == subgroup)


def test_a_shape_follower_has_its_own_shape_bias() -> None:
    rows, estimates = _score(load_control("shape?q=0.7&accuracy=0.8"), _cell(PUBLISHED))
    bias = _find(estimates, "shape_bias")
    assert bias.interval.low <= 0.7 <= bias.interval.high
    assert bias.status is Status.EFFECT
    assert any("32 stimuli with shape and texture of one class are left out" in note for note in bias.notes)
    assert [r.value for r in bias.references if r.label == "humans"] == [0.9587]
    assert "only which wins" in bias.sentence
    accuracy = _find(estimates, "cue_accuracy")
    assert accuracy.n == 480
    assert accuracy.interval.low <= 0.8 + 0.2 / 15 <= accuracy.interval.high  # a miss may hit the other cue
    assert len([e for e in estimates if "shape class" in e.subgroup]) == 16
    figures = AUDIT.figures(_cell(PUBLISHED), rows, estimates)
    chart = next(f for f in figures if isinstance(f, ShapeTextureFigure))
    assert {p.group for p in chart.points} == {"this model", "humans"}
    assert len(next(f for f in figures if isinstance(f, GalleryFigure)).entries) == 6


@pytest.mark.parametrize("q", [0.3, 0.9])
def test_interval_holds_the_planted_probability(q: float) -> None:
    params = CueConflictParams()
    chosen, covered, runs = selection(PUBLISHED, params, 1), 0, 60
    for seed in range(runs):
        found = cues_of(usable(measure(load_control(f"shape?q={q}&seed={seed}"), chosen, params)))
        interval = shape_bias_interval(found, seed)
        covered += interval.low <= q <= interval.high
    assert covered >= binom.ppf(0.001, runs, 0.94)


def test_a_model_that_knows_nothing_shows_nothing() -> None:
    _, estimates = _score(load_control("null?seed=3"), _cell(PUBLISHED))
    assert _find(estimates, "shape_bias").status is Status.NO_EFFECT
    assert _find(estimates, "cue_accuracy").status is Status.NO_EFFECT
    assert _find(estimates, "cue_accuracy").value == pytest.approx(2 / 16, abs=0.05)


def test_presets_are_kept_apart() -> None:
    few = replace(PUBLISHED, images=PUBLISHED.images[::8])
    model = Knows(lambda known, label, template: float(known["shape"] in label))
    direct = _find(_score(model, _cell(few))[1], "shape_bias")
    averaged = _find(_score(model, _cell(few, protocol="imagenet1k"))[1], "shape_bias")
    assert (direct.role, averaged.role) == ("primary", "preset")
    assert _cell(few, protocol="imagenet1k").title == f"{_cell(few).title} (imagenet1k)"
    assert "CLIP ViT-B/16" not in {r.label for r in direct.references}
    assert "CLIP ViT-L/14" not in {r.label for r in averaged.references}


class Knows:
    """Gives a table of scores, by the image's attribute and the label asked for."""

    capabilities = load_control("null").capabilities

    def __init__(self, rule, kind: str = "cosine") -> None:
        self.info, self.rule, self.kind = load_control("null").info, rule, kind

    def score_labels(self, images, labels, templates) -> Scores:
        values = np.array([[self.rule(i.attributes, label, templates[0]) for label in labels] for i in images])
        return Scores(values, self.kind, (None,) * len(images))


@pytest.mark.parametrize("kind", ["cosine", "probability", "decision"])
def test_imagenet1k_decides_by_the_mean_within_a_class(kind: str) -> None:
    """The model sees the first ImageNet class of the shape in everything."""
    first = {name: imagenet_names()[indices[0]] for name, indices in IMAGENET_INDICES.items()}
    model = Knows(lambda known, label, template: float(label == first[known["shape"]]), kind)
    _, estimates = _score(model, _cell(PUBLISHED, protocol="imagenet1k"))
    assert _find(estimates, "shape_bias").value == 1.0


def test_imagenet1k_needs_the_published_classes() -> None:
    with pytest.raises(DataError, match="is none of them"):
        AUDIT.workload(_cell(DRAWN, protocol="imagenet1k"))


def test_prompts_that_steer_are_seen() -> None:
    """Asked for the texture the model names the texture, otherwise the shape."""

    def rule(known: dict[str, str], label: str, template: str) -> float:
        return float(label == known["texture" if "texture" in template else "shape"])

    _, estimates = _score(Knows(rule), _cell(PUBLISHED, protocol="caption-steered"))
    steering = _find(estimates, "steering")
    assert steering.value == 100
    assert steering.status is Status.EFFECT
    assert _find(estimates, "shape_bias", prompt="texture of").value == 0


def test_the_detectable_steering_is_the_bootstrap_error_times_2_8() -> None:
    """80 % power at .05 two-sided needs 2.8 standard errors; the interval is 3.92 of them wide."""
    rng = np.random.default_rng(0)

    def rule(known: dict[str, str], label: str, template: str) -> float:
        return float(rng.random()) + 0.4 * (label in (known["shape"], known["texture"]))

    _, estimates = _score(Knows(rule), _cell(PUBLISHED, protocol="caption-steered"))
    steering = _find(estimates, "steering")
    width = steering.interval.high - steering.interval.low
    assert steering.minimum_detectable == pytest.approx(2.8 * width / 3.92, rel=0.1)


def test_conflicts_of_cutouts_and_their_controls() -> None:
    cell = _cell(DRAWN, **SMALL)
    rows, estimates = _score(load_control("shape?q=0.2"), cell)
    assert len(AUDIT.workload(cell).images) == rows.num_rows == 20 * 2 + 12 * 3
    bias = _find(estimates, "shape_bias")
    assert bias.interval.low <= 0.2 <= bias.interval.high
    assert bias.n == 20
    for kind in ("intact", "shape-only", "texture-only"):
        assert _find(estimates, "control_accuracy", shown=kind).value == 1.0
    assert _find(estimates, "shape_bias", sources="both recognised").value == bias.value
    gallery = next(f for f in AUDIT.figures(cell, rows, estimates) if isinstance(f, GalleryFigure))
    assert all(len(entry.items) == 3 for entry in gallery.entries)


def test_the_balance_point_is_where_it_was_planted() -> None:
    """Each pair turns from shape to texture at its own strength, half of them below .6."""
    turns: dict[str, float] = {}
    rng = np.random.default_rng(0)

    def rule(known: dict[str, str], label: str, template: str) -> float:
        if "strength" not in known:
            return float(label == known["label"])
        pair = known["shape_id"] + known["texture_id"]
        turn = turns.setdefault(pair, rng.normal(0.6, 0.15))
        return float(label == known["shape" if float(known["strength"]) < turn else "texture"])

    cell = _cell(DRAWN, pairs=60, classes=12, per_class=2, strengths=(0.2, 0.4, 0.6, 0.8, 1.0))
    _, estimates = _score(Knows(rule), cell)
    balance = _find(estimates, "balance_strength")
    assert balance.value == pytest.approx(0.5, abs=0.12)  # the last strength seen as shape and the first as texture
    assert balance.interval.low < balance.value < balance.interval.high
    assert balance.clusters <= 60
    assert balance.clusters <= balance.n


def test_label_order_changes_nothing() -> None:
    rng = np.random.default_rng(0)
    values, order = rng.random((50, 7)), rng.permutation(7)
    names = list("abcdefg")
    assert decide(values, names) == decide(values[:, order], [names[i] for i in order])


def test_equal_scores_decide_nothing() -> None:
    assert decide(np.array([[0.0, 0.0], [np.nan, np.nan], [0.1, 0.0]]), ["a", "b"]) == [None, None, "a"]


def test_scores_follow_from_stored_rows_alone(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    for dataset, params in ((PUBLISHED, {"protocol": "caption-steered"}), (DRAWN, SMALL)):
        cell = _cell(dataset, **params)
        rows, estimates = _score(load_control("shape?q=0.5&accuracy=0.8"), cell)
        pq.write_table(rows, tmp_path / "rows.parquet")
        assert AUDIT.score(replace(cell, dataset=None), pq.read_table(tmp_path / "rows.parquet")) == estimates


def _photograph() -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8))


def test_few_images_give_fewer_pairs() -> None:
    """Six images, one a class, give at most thirty pairs, and none of them twice."""
    chosen = selection(_dataset(list(items(1)[:6]), ("label",)), CueConflictParams(strengths=(1.0,)), 1)
    pairs = [one.pair for one in chosen.stimuli if one.kind == "conflict"]
    assert 6 <= len(pairs) == len(set(pairs)) <= 30
    _, estimates = _score(load_control("shape?q=0.5"), _cell(_dataset(list(items(1)[:6]), ("label",))))
    note = _find(estimates, "shape_bias").notes[0]
    assert note == f"{len(pairs)} pairs of outline and texture, not 80: the images give no more without repeating one."


def test_images_without_outline_are_counted_not_shown() -> None:
    flat = Picture("flat", _photograph(), label="wall")
    cell = _cell(_dataset([*items(1)[:6], flat], ("label",)), **{**SMALL, "classes": 7})
    rows, estimates = _score(load_control("shape?q=0.5"), cell)
    left_out = [row for row in rows.to_pylist() if row["unusable"] is not None]
    assert all("flat" in row["item"] and "alpha" in row["unusable"] for row in left_out)
    assert len(left_out) > 3
    assert all(row["error"] is None for row in left_out)
    assert "1 of 7 source images could not be used" in _find(estimates, "shape_bias").notes[0]


def test_no_outline_at_all_is_one_clear_line() -> None:
    images = [Picture(str(i), _photograph(), label=f"c{i % 3}") for i in range(6)]
    with pytest.raises(DataError, match=r"no conflict can be made.*needs an alpha channel") as caught:
        AUDIT.run(_cell(_dataset(images, ("label",)), **SMALL), load_control("null"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("images", "columns", "words"),
    [
        ([Picture("a", kind="x")], ("kind",), "no column 'label'"),
        ([Picture("a", label="cup")], ("label",), "two or more"),
    ],
)
def test_unsuitable_data_is_one_clear_line(images: list, columns: tuple[str, ...], words: str) -> None:
    with pytest.raises(DataError, match=words):
        AUDIT.workload(_cell(_dataset(images, columns)))


class Broken:
    """A model that cannot read one image."""

    def __init__(self, bad: str) -> None:
        self.inner, self.bad = load_control("shape?q=0.5"), bad
        self.info, self.capabilities = self.inner.info, self.inner.capabilities

    def score_labels(self, images, labels, templates) -> Scores:
        scores = self.inner.score_labels(images, labels, templates)
        values = scores.values.copy()
        values[[i.id == self.bad for i in images]] = np.nan
        return Scores(values, scores.kind, tuple("cannot be read" if i.id == self.bad else None for i in images))


def test_unreadable_images_are_rows_with_an_error() -> None:
    rows, estimates = _score(Broken("bear0-cat"), _cell(PUBLISHED))
    failed = [row for row in rows.to_pylist() if row["error"] is not None]
    assert [(row["item"], row["decision"]) for row in failed] == [("bear0-cat", None)]
    assert _find(estimates, "cue_accuracy").n == 479


def test_the_published_stimuli_are_read_by_their_card() -> None:
    if not STIMULI.is_dir():
        pytest.skip(f"the published stimuli are not at {STIMULI}")
    dataset = DataRegistry({"cue-conflict": STIMULI}).open("cue-conflict")
    _, estimates = _score(load_control("shape?q=1"), _cell(dataset))
    bias = _find(estimates, "shape_bias")
    assert (bias.n, bias.value) == (320, 1.0)
    assert bias.interval.low == pytest.approx(320 / (320 + 1.96**2), rel=1e-3)
