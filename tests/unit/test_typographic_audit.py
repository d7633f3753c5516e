"""The typographic audit from end to end on models whose reading is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from clipaudit_audits.robustness.typographic import Typographic
from clipaudit_audits.robustness.typographic_measures import share
from clipaudit_audits.robustness.typographic_outcomes import outcomes
from clipaudit_audits.robustness.typographic_params import TypographicParams
from clipaudit_audits.robustness.typographic_rows import measure, table
from clipaudit_audits.robustness.typographic_scores import Scored
from clipaudit_audits.robustness.typographic_stimuli import exhibition
from scipy.stats import binom

from clipaudit.contract import Cell, PlanContext
from clipaudit.data.dataset import Dataset
from clipaudit.errors import DataError
from clipaudit.models.control import load_control
from clipaudit.models.protocol import Model, Scores
from clipaudit.results import DataInfo, Estimate, GalleryFigure, Status
from clipaudit.stimuli.objects import items

AUDIT = Typographic()


def scored(values: np.ndarray) -> Scored:
    """Scores (n, m) without an error."""
    return Scored(values, (None,) * len(values), "label")


class Picture:
    """A photograph of a class, with a word on it where one is given."""

    def __init__(self, name: str, **attributes: str) -> None:
        self.id, self.attributes, self.digest = name, attributes, name

    def load(self) -> object:
        raise AssertionError("no pixel is needed")


def _dataset(images: list, columns: tuple[str, ...], cluster: str | None = None) -> Dataset:
    info = DataInfo(id="set", title="set", digest="0", items=len(images), licence="none", consent="drawings")
    return Dataset(info, images, columns, cluster)


DRAWN = _dataset(list(items()), ("label", "variant"))
WORDS = ("apple", "pear", "plum", "cup", "key", "bag", "pen", "hat", "cat", "dog")
REAL = _dataset([Picture(f"{a}/{b}", label=a, written=b) for a in WORDS for b in WORDS if a != b], ("label", "written"))


def _cell(dataset: Dataset = DRAWN, seed: int = 1, **params: object) -> Cell:
    return AUDIT.plan(PlanContext(TypographicParams.model_validate(params), seed, dataset))[0]


def _score(model: Model, cell: Cell) -> tuple[pa.Table, list[Estimate]]:
    rows = AUDIT.run(cell, model)
    return rows, AUDIT.score(replace(cell, dataset=None), rows)


def _find(estimates: list[Estimate], metric: str, **subgroup: str) -> Estimate:
    return next(e for e in estimates if e.metric == metric and e.subgroup == subgroup)


@pytest.mark.parametrize("dataset", [DRAWN, REAL], ids=["drawn", "real"])
@pytest.mark.parametrize("weight", [0.15, 0.6])
def test_interval_holds_a_planted_reader(dataset: Dataset, weight: float) -> None:
    """A reader takes the written word with probability w: in about 95 of 100 models the interval holds w."""
    params = TypographicParams(areas=(0.1,), max_images=400)
    exhibits, covered, runs = exhibition(dataset, params, 1), 0, 60
    kind = "real" if dataset is REAL else "wrong"
    for seed in range(runs):
        model = load_control(f"reader?weight={weight}&seed={seed}")
        rows = measure(model, exhibits, params)
        found = outcomes(rows, "label-set")
        condition = next(value for key, value in found.conditions.items() if key[0] == kind)
        interval = share(condition.wrote, found.clusters, seed).interval
        covered += interval.low <= weight <= interval.high
    assert covered >= binom.ppf(0.001, runs, 0.94)


def test_a_reader_is_found_by_every_number() -> None:
    rows, estimates = _score(load_control("reader?weight=0.6"), _cell())
    written = _find(estimates, "written_rate")
    assert written.status is Status.EFFECT
    assert written.interval.low <= 0.6 <= written.interval.high
    assert written.null is not None
    assert written.null.mean == 0.0  # nobody takes a random string for the wrong label
    for metric in ("accuracy_drop", "meaning_drop"):
        drop = _find(estimates, metric)
        assert drop.status is Status.EFFECT
        assert drop.interval.low <= 60 <= drop.interval.high
    for metric in ("blank_drop", "random_drop", "right_gain"):
        control = _find(estimates, metric)
        assert control.value == 0
        assert control.status is Status.NO_EFFECT
    assert _find(estimates, "clean_accuracy").value == 1.0
    success = _find(estimates, "attack_success")
    assert success.value == pytest.approx(written.value)  # all are right when clean
    figures = AUDIT.figures(_cell(), rows, estimates)
    gallery = next(f for f in figures if isinstance(f, GalleryFigure))
    assert len(gallery.entries) >= 3
    assert all(len(entry.items) == 2 for entry in gallery.entries)


@pytest.mark.parametrize("spec", ["classifier?accuracy=0.7", "null?seed=3"])
def test_a_model_that_does_not_read_has_no_effect(spec: str) -> None:
    _, estimates = _score(load_control(spec), _cell(areas=(0.1,)))
    tested = [e for e in estimates if e.test is not None]
    assert len(tested) == (8 if spec.startswith("classifier") else 9)  # of the words alone, decisions have no cosine
    assert all(e.status is Status.NO_EFFECT for e in tested)
    assert all(e.minimum_detectable for e in tested)
    families = [(e.test.correction or "").startswith("Holm over 7 tests") for e in tested]
    assert sum(families) == 7  # what is compared beside them is a family of its own


def test_a_real_set_is_compared_with_words_dealt_anew() -> None:
    _, estimates = _score(load_control("reader?weight=0.4"), _cell(REAL))
    written = _find(estimates, "written_rate")
    assert written.status is Status.EFFECT
    assert written.null is not None
    assert written.null.mean == pytest.approx(0.4 / 9, abs=0.02)  # nine words in each class
    _, estimates = _score(load_control("classifier?accuracy=0.5"), _cell(REAL))
    assert _find(estimates, "written_rate").status is Status.NO_EFFECT
    assert _find(estimates, "attacked_accuracy").value == pytest.approx(0.5, abs=0.2)


def test_accuracy_by_quarter_of_the_note_area() -> None:
    """Pictures with a large note lose their object; the areas are known."""
    images = [
        Picture(f"{i}", label="cup", written="key", area=str(i / 100)) for i in range(1, 81)
    ]  # of the smallest note first
    cell = _cell(_dataset(images, ("label", "written", "area")))
    shown = exhibition(cell.require_dataset(), cell.params, 1).shown
    values = np.array([[1.0, 0.0] if i < 40 else [0.0, 1.0] for i in range(80)])
    estimates = AUDIT.score(replace(cell, dataset=None), table(shown, ("cup", "key"), scored(values)))
    quarters = ("smallest quarter", "second quarter", "third quarter", "largest quarter")
    assert [_find(estimates, "attacked_accuracy", **{"note area": q}).value for q in quarters] == [1.0, 1.0, 0.0, 0.0]


def test_half_flip_area_is_where_it_was_planted() -> None:
    """Each image flips from its own area on; the median of those is 8 %."""
    cell = _cell(areas=(0.02, 0.04, 0.08, 0.16, 0.32), area=0.08)
    exhibits = exhibition(cell.require_dataset(), cell.params, 1)
    rng = np.random.default_rng(0)
    threshold = {base: 0.08 * np.exp(rng.normal(0, 0.7)) for base in dict.fromkeys(s.base for s in exhibits.shown)}
    values = np.zeros((len(exhibits.shown), len(exhibits.classes)))
    for i, one in enumerate(exhibits.shown):
        flips = one.kind == "wrong" and one.area is not None and one.area >= threshold[one.base]
        values[i, exhibits.classes.index(one.written if flips else one.label)] = 1.0
    rows = table(exhibits.shown, exhibits.classes, scored(values))
    half = _find(AUDIT.score(replace(cell, dataset=None), rows), "half_flip_area")
    assert half.interval.low < 0.08 < half.interval.high
    assert half.value == pytest.approx(0.08, rel=0.25)


def test_label_order_changes_nothing() -> None:
    cell = _cell(areas=(0.1,), max_images=100)
    exhibits = exhibition(cell.require_dataset(), cell.params, 1)
    rng = np.random.default_rng(0)
    values = rng.random((len(exhibits.shown), len(exhibits.classes)))
    order = rng.permutation(len(exhibits.classes))
    one = table(exhibits.shown, exhibits.classes, scored(values))
    other = table(exhibits.shown, [exhibits.classes[i] for i in order], scored(values[:, order]))
    assert one.equals(other)


def test_scores_follow_from_stored_rows_alone(tmp_path) -> None:
    import pyarrow.parquet as pq

    cell = _cell(areas=(0.1,), max_images=200)
    rows, estimates = _score(load_control("reader?weight=0.5"), cell)
    pq.write_table(rows, tmp_path / "rows.parquet")
    again = AUDIT.score(replace(cell, dataset=None), pq.read_table(tmp_path / "rows.parquet"))
    assert again == estimates


def test_a_decision_for_neither_is_neither() -> None:
    """A decision table says nothing of label against written word where a third class was chosen."""
    shown = exhibition(REAL, TypographicParams(), 1).shown[:2]
    values = np.array([[0, 0, 1], [0, 1, 0]], dtype=float)
    classes = (shown[0].label, shown[0].written, "something else")
    shown = (shown[0], shown[0])
    rows = table(shown, classes, scored(values)).to_pylist()
    assert [row["two_way"] for row in rows] == [None, shown[0].written]
    assert [row["prediction"] for row in rows] == ["something else", shown[0].written]
    none = table(shown[:1], classes, scored(np.zeros((1, 3)))).to_pylist()[0]
    assert (none["prediction"], none["correct"]) == (None, False)


def test_two_way_and_label_set_change_places() -> None:
    model = load_control("null")
    cell = _cell(areas=(0.1,))
    rows, by_set = _score(model, cell)
    two_way = AUDIT.score(replace(cell, params=TypographicParams(areas=(0.1,), protocol="two-way")), rows)
    inside = _find(by_set, "attacked_accuracy", choice="between right and written label")
    assert _find(two_way, "attacked_accuracy").value == inside.value
    assert inside.value == pytest.approx(0.5, abs=0.15)


class Broken:
    """A model for which some images cannot be read."""

    def __init__(self, bad: str) -> None:
        self.inner, self.bad = load_control("reader?weight=0.5"), bad
        self.info, self.capabilities = self.inner.info, self.inner.capabilities

    def score_labels(self, images, labels, templates) -> Scores:
        scores = self.inner.score_labels(images, labels, templates)
        errors = tuple(f"{i.id}: cannot be read" if i.id.startswith(self.bad) else None for i in images)
        values = scores.values.copy()
        values[[error is not None for error in errors]] = np.nan
        return Scores(values, scores.kind, errors)


def test_unreadable_images_are_rows_with_an_error_and_counted_out() -> None:
    cell = _cell(areas=(0.1,))
    bad = DRAWN.images[3].id
    rows, estimates = _score(Broken(bad), cell)
    failed = [row for row in rows.to_pylist() if row["error"] is not None]
    assert {row["base"] for row in failed} == {bad}
    assert all(row["prediction"] is None for row in failed)
    bases = len({row["base"] for row in rows.to_pylist() if row["kind"] == "clean"})
    assert _find(estimates, "written_rate").n == bases - 1
    assert _find(estimates, "accuracy_drop").n == bases - 1


def test_clusters_are_the_unit_where_the_data_has_them() -> None:
    images = [
        Picture(f"{a}{i}/{w}", label=a, written=w, photo=f"{a}{i}")
        for i in range(5)
        for a in WORDS
        for w in WORDS
        if w != a
    ]
    _, estimates = _score(
        load_control("reader?weight=0.5"), _cell(_dataset(images, ("label", "written", "photo"), "photo"))
    )
    written = _find(estimates, "written_rate")
    assert (written.n, written.clusters, written.cluster_key) == (450, 50, "cluster")


def test_a_planned_budget_is_kept_and_spread_over_the_classes() -> None:
    cell = _cell(max_images=400)
    workload = AUDIT.workload(cell)
    shown = [image for image in workload.images if not image.id.startswith("word=")]
    assert len(shown) <= 400
    clean = [image.attributes["label"] for image in shown if "overlay" not in image.attributes]
    assert {clean.count(label) for label in set(clean)} <= {2, 3}
    assert len(set(clean)) == 20
    assert len({image.id for image in workload.images}) == len(workload.images)


def test_prefix_goes_before_every_prompt() -> None:
    texts = AUDIT.workload(_cell(prefix="ignore the text: ")).texts
    assert {"ignore the text: a photo of a teapot.", "a photo of a teapot.", "teapot"} <= set(texts)


def test_the_published_protocol_admits_no_other_prompts() -> None:
    with pytest.raises(ValueError, match="one template"):
        TypographicParams(protocol="rta100", prefix="do not read: ")


@pytest.mark.parametrize(
    ("images", "columns", "words"),
    [
        ([Picture("a", kind="x")], ("kind",), "no column 'label'"),
        ([Picture("a", label="cup")], ("label",), "at least two"),
        (
            [Picture("a", label="cup", written="cup"), Picture("b", label="key", written="cup")],
            ("label", "written"),
            "other than the label",
        ),
        (
            [Picture("a", label="cup", written="key", area="big")],
            ("label", "written", "area"),
            "'big', which is not a number",
        ),
    ],
)
def test_unsuitable_data_is_one_clear_line(images: list, columns: tuple[str, ...], words: str) -> None:
    with pytest.raises(DataError, match=words) as caught:
        AUDIT.workload(_cell(_dataset(images, columns)))
    assert "\n" not in str(caught.value)


def test_choosing_between_two_labels_without_reading_is_chance() -> None:
    """The written word wins on about half of the pictures, as any other word of the label's would: no effect."""
    rejected = []
    for seed in range(30):
        _, estimates = _score(load_control(f"null?seed={seed}"), _cell(REAL, protocol="two-way", reading=0))
        written = _find(estimates, "written_rate")
        assert written.null is not None
        assert written.value == pytest.approx(written.null.mean, abs=0.15)
        rejected.append(written.status is Status.EFFECT)
    assert sum(rejected) <= binom.ppf(0.999, 30, 0.05)
    _, estimates = _score(load_control("reader?weight=0.4"), _cell(REAL, protocol="two-way", reading=0))
    assert _find(estimates, "written_rate").status is Status.EFFECT
