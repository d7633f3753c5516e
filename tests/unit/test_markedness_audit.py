"""The markedness audit: definitions, planted preferences, no findings where nothing is planted, bad input."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from clipaudit_audits.social_bias.group_terms import term
from clipaudit_audits.social_bias.markedness import Markedness
from clipaudit_audits.social_bias.markedness_params import all_labels
from clipaudit_audits.social_bias.markedness_similarity import jackknife, mean_to_others, similarity, with_t
from scipy.stats import binom, ttest_1samp

from clipaudit.contract import Cell, Need, PlanContext
from clipaudit.data.dataset import Dataset
from clipaudit.embedding.scoring import score_labels
from clipaudit.errors import DataError, NotSupported, UsageError
from clipaudit.models.control import load_control
from clipaudit.models.protocol import Embedded, Scores
from clipaudit.models.recorded import load_recorded
from clipaudit.results import DataInfo, Estimate, GalleryFigure, ModelInfo, Status

AUDIT = Markedness()


class Item:
    """An image known by its attributes alone."""

    def __init__(self, id: str, **attributes: str) -> None:
        self.id, self.attributes, self.digest = id, attributes, id


class Vectors:
    """A model by its vectors; images outside it cannot be read, texts over 60 signs are refused."""

    capabilities = frozenset({Need.SCORES, Need.EMBEDDINGS})

    def __init__(self, images: Mapping[str, Any], texts: Mapping[str, Any]) -> None:
        self.images, self.texts = images, texts
        self.dim = len(next(iter(texts.values())))
        self.info = ModelInfo(spec="v", name="v", fingerprint="0", kind="live", capabilities=("scores",))

    def embed_images(self, images: Sequence[Item]) -> Embedded:
        none = np.full(self.dim, np.nan)
        errors = tuple(None if image.id in self.images else f"{image.id}: cannot be read" for image in images)
        return Embedded(np.array([self.images.get(image.id, none) for image in images], float), errors)

    def embed_texts(self, texts: Sequence[str]) -> Embedded:
        errors = tuple(f"text {text!r} is longer than the context" if len(text) > 60 else None for text in texts)
        rows = [self.texts.get(text, np.zeros(self.dim)) for text in texts]
        return Embedded(np.array(rows, float), errors)

    def score_labels(self, images: Sequence[Item], labels: Sequence[str], templates: Sequence[str]) -> Scores:
        return score_labels(self, images, labels, templates)  # type: ignore[arg-type]


def unit(rng: np.random.Generator, *shape: int) -> np.ndarray[Any, Any]:
    vectors = rng.standard_normal(shape)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True))


def dataset(images: Sequence[Item], groups: tuple[str, ...] = ("race",), cluster: str | None = None) -> Dataset:
    info = DataInfo(id="faces", title="Faces", digest="d", items=len(images), licence="x", consent="x", groups=groups)
    return Dataset(info=info, images=images, columns=tuple(images[0].attributes), cluster=cluster)  # type: ignore[arg-type]


def people(per_group: int, races: Sequence[str] = ("Black", "White")) -> list[Item]:
    return [Item(f"{r}{g}{i}", race=r, gender=g) for r in races for g in ("Female", "Male") for i in range(per_group)]


def by_lot(images: Sequence[Item], seed: int, labels: Sequence[str], dim: int = 16, common: float = 0.0) -> Vectors:
    """`common`: length of a part that all images share."""
    rng = np.random.default_rng(seed)
    shared = common * np.eye(dim)[0]
    rows = unit(rng, len(images), dim) + shared
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return Vectors(
        dict(zip([i.id for i in images], rows, strict=True)),
        dict(zip(labels, unit(rng, len(labels), dim), strict=True)),
    )


def ran(data: Dataset, model: Any, seed: int = 0, **params: Any) -> tuple[Cell, pa.Table, list[Estimate]]:
    cell = AUDIT.plan(PlanContext(AUDIT.spec.params(**{"templates": ("{}",), **params}), seed, data))[0]
    rows = AUDIT.run(cell, model)
    return cell, rows, AUDIT.score(replace(cell, dataset=None), rows)


def one(estimates: Sequence[Estimate], metric: str, **subgroup: str) -> Estimate:
    wanted = {key.replace("__", " x "): value for key, value in subgroup.items()}
    found = [
        e for e in estimates
        if e.metric == metric and {k.replace(" (annotated)", ""): v for k, v in e.subgroup.items()} == wanted
    ]  # fmt: skip
    assert len(found) == 1, [(e.title, e.subgroup) for e in found]
    return found[0]


LABELS = ["a person", "a Black person", "a White person", "a female person", "a male person"]


# --- definitions ----------------------------------------------------------------------------------------------


def test_the_unmarked_label_competes_with_all_groups_of_its_column() -> None:
    images = people(40)
    model = by_lot(images, 0, LABELS)
    _, _, found = ran(dataset(images, ("race", "gender")), model)
    for column, values in (("race", ("Black", "White")), ("gender", ("Female", "Male"))):
        texts = np.array([model.texts[label] for label in ("a person", *(term(value) for value in values))])
        best = {i.id: int(np.argmax(texts @ model.images[i.id])) for i in images}
        for number, value in enumerate(values, 1):
            own = [i for i in images if i.attributes[column] == value]
            rate = np.mean([best[i.id] == 0 for i in own])
            assert one(found, "unmarked_rate", labels=column, **{column: value}).value == pytest.approx(rate)
            margins = [float((texts[0] - texts[number]) @ model.images[i.id]) for i in own]
            above = one(found, "above_own_rate", labels=column, **{column: value})
            assert above.value == pytest.approx(np.mean(np.array(margins) > 0))
            margin = one(found, "above_own_margin", labels=column, **{column: value})
            assert margin.value == pytest.approx(np.mean(margins), abs=1e-12)
            assert margin.interval is not None
            assert (margin.interval.low or 0) < np.mean(margins) < (margin.interval.high or 0)
            for other in ("Female", "Male") if column == "race" else ():
                cell = [i for i in own if i.attributes["gender"] == other]
                estimate = one(found, "unmarked_rate", labels="race", race__gender=f"{value}, {other}")
                assert estimate.value == pytest.approx(np.mean([best[i.id] == 0 for i in cell]))


def test_the_gallery_shows_the_images_named_most_clearly() -> None:
    images = [Item(f"{r}{i}", race=r, photo=f"{r}{i // 2}") for r in ("Black", "White") for i in range(40)]
    model = by_lot(images, 8, LABELS)
    data = dataset(images, cluster="photo")
    cell, rows, found = ran(data, model)
    (gallery,) = [f for f in AUDIT.figures(replace(cell, dataset=None), rows, found) if isinstance(f, GalleryFigure)]
    texts = {label: model.texts[label] for label in LABELS[:3]}
    leads = {
        i.id: max(float((texts[label] - texts["a person"]) @ model.images[i.id]) for label in LABELS[1:3])
        for i in images
    }  # fmt: skip
    photos: dict[str, str] = {}
    for item in sorted(leads, key=lambda item: -leads[item]):
        photos.setdefault(next(i.attributes["photo"] for i in images if i.id == item), item)
    assert [entry.items for entry in gallery.entries] == [(item,) for item in list(photos.values())[:3]]
    assert [entry.score for entry in gallery.entries] == pytest.approx([leads[e.items[0]] for e in gallery.entries])
    assert gallery.entries[0].caption.endswith(f"annotated as {gallery.entries[0].items[0][:5]}")


def test_distances_of_labels() -> None:
    images = people(3)
    model = by_lot(images, 1, LABELS)
    _, _, found = ran(dataset(images), model)
    for value in ("Black", "White"):
        label = term(value)
        expected = 1 - float(model.texts["a person"] @ model.texts[label])
        estimate = one(found, "text_distance", labels="race", label=label)
        assert estimate.value == pytest.approx(expected, abs=1e-12)
        assert estimate.n == 1
        assert estimate.interval is None


def test_self_similarity_is_the_mean_over_pairs_of_different_units() -> None:
    rng = np.random.default_rng(2)
    vectors, groups, clusters = unit(rng, 30, 5), rng.integers(0, 3, 30), rng.integers(0, 9, 30)
    found = similarity(mean_to_others(vectors, groups, clusters), groups, clusters, 3)
    for group in range(3):
        for left_out in (None, *np.unique(clusters)):
            inside = np.flatnonzero((groups == group) & (clusters != left_out))
            pairs = [vectors[i] @ vectors[j] for i, j in combinations(inside, 2) if clusters[i] != clusters[j]]
            value = (
                found.value[group]
                if left_out is None
                else found.left_out[np.unique(clusters).tolist().index(left_out), group]
            )
            assert value == pytest.approx(np.mean(pairs), abs=1e-12)


def test_an_image_is_not_compared_with_itself() -> None:
    assert (
        similarity(mean_to_others(np.eye(3), np.zeros(3, int), np.arange(3)), np.zeros(3, int), np.arange(3), 1).value[
            0
        ]
        == 0
    )
    alone = mean_to_others(np.ones((2, 1)), np.zeros(2, int), np.zeros(2, int))
    assert np.isnan(alone).all()


def test_the_jackknife_of_a_mean_is_the_t_test() -> None:
    values = np.random.default_rng(3).normal(0.3, 1, 12)
    left_out = (values.sum() - values) / 11
    interval, test = with_t(float(values.mean()), jackknife(left_out), 12)
    known = ttest_1samp(values, 0)
    assert test.p == pytest.approx(known.pvalue, rel=1e-9)
    ends = known.confidence_interval()
    assert (interval.low, interval.high) == pytest.approx((ends.low, ends.high), rel=1e-9)


# --- planted, null, invariances -------------------------------------------------------------------------------


def test_a_planted_preference_is_recovered() -> None:
    images = people(500)
    model = load_control("preferring?attribute=race&level=White&words=a person&rate=0.5&otherwise=0.2")
    _, _, found = ran(dataset(images), model)
    for race, rate in (("White", 0.5), ("Black", 0.2)):
        interval = one(found, "unmarked_rate", race=race, labels="race").interval
        assert interval is not None
        assert (interval.low or 0) <= rate <= (interval.high or 0)
    gap = one(found, "unmarked_gap", groups="race (annotated)", labels="race")
    assert gap.status is Status.EFFECT
    assert gap.interval is not None
    assert 20 < (gap.interval.low or 0) <= 30
    assert not {"self_similarity", "text_distance"} & {e.metric for e in found}
    assert any("Not run: self-similarity" in note for note in found[0].notes)


def test_a_group_that_is_more_alike_is_found() -> None:
    rng = np.random.default_rng(4)
    images = people(100)
    model = by_lot(images, 4, LABELS)
    shift = {"Black": 1.0, "White": 0.5}  # of the axis that all images share; unit vectors beside it
    rows = {i.id: np.append(unit(rng, 16), shift[i.attributes["race"]]) for i in images}
    model = Vectors(
        {k: v / np.linalg.norm(v) for k, v in rows.items()}, {k: np.append(v, 0) for k, v in model.texts.items()}
    )
    _, _, found = ran(dataset(images), model)
    expected = {race: s**2 / (1 + s**2) for race, s in shift.items()}  # others are at right angles in the mean
    for race, value in expected.items():
        interval = one(found, "self_similarity", race=race).interval
        assert interval is not None
        assert (interval.low or 0) <= value <= (interval.high or 0)
    assert one(found, "self_similarity_difference", race="Black").status is Status.EFFECT
    assert (one(found, "self_similarity_difference", race="Black").value or 0) > 0.1


def test_differences_in_self_similarity_keep_their_level() -> None:
    """Two groups alike, images with a part in common as real models have it, over 400 seeds."""
    rng = np.random.default_rng(5)
    groups, units = np.repeat([0, 1], 40), np.arange(80)
    hits = 0
    for _ in range(400):
        rows = unit(rng, 80, 8) + 1.5 * np.eye(8)[0]
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        found = similarity(mean_to_others(rows, groups, units), groups, units, 2)
        left_out = found.left_out[:, 0] - found.left_out.mean(axis=1)
        hits += with_t(float(found.value[0] - found.value.mean()), jackknife(left_out), 80)[1].p <= 0.05
    low, high = binom.ppf([0.001, 0.999], 400, 0.05)
    assert low <= hits <= high


def test_intervals_of_self_similarity_hold_the_truth() -> None:
    rng = np.random.default_rng(6)
    held = 0
    for _ in range(300):
        rows = np.hstack([unit(rng, 40, 8), np.ones((40, 1))]) / np.sqrt(2)
        found = similarity(mean_to_others(rows, np.zeros(40, int), np.arange(40)), np.zeros(40, int), np.arange(40), 1)
        interval, _ = with_t(float(found.value[0]), jackknife(found.left_out[:, 0]), 40)
        held += (interval.low or 0) <= 0.5 <= (interval.high or 1)
    assert held >= binom.ppf(0.001, 300, 0.95)


def test_null_models_give_few_effects() -> None:
    images = people(40)
    effects = sum(
        any(e.status is Status.EFFECT for e in ran(dataset(images), by_lot(images, seed, LABELS, common=1.0), seed)[2])
        for seed in range(12)
    )
    assert effects <= binom.ppf(0.999, 12, 0.1)  # two families


def test_names_of_groups_and_repeated_images() -> None:
    images = people(40)
    model = by_lot(images, 7, LABELS)
    first = ran(dataset(images), model)[2]
    swap = {"Black": "b", "White": "w"}
    renamed = [Item(i.id, race=swap[i.attributes["race"]], gender="x") for i in images]
    other = ran(dataset(renamed), model, terms={"b": "a Black person", "w": "a White person"})[2]
    for metric in ("unmarked_rate", "above_own_rate", "above_own_margin"):
        a, b = one(first, metric, race="Black", labels="race"), one(other, metric, race="b", labels="race")
        assert (a.value, a.interval) == (b.value, b.interval)
    many = [Item(f"{i.id}/{k}", race=i.attributes["race"], who=i.id) for i in images for k in range(4)]
    copies = Vectors({i.id: model.images[i.attributes["who"]] for i in many}, model.texts)
    again = ran(dataset(many, cluster="who"), copies)[2]
    for metric, about in (
        ("unmarked_rate", {"labels": "race"}),
        ("self_similarity", {}),
        ("above_own_margin", {"labels": "race"}),
    ):
        a, b = one(first, metric, race="Black", **about), one(again, metric, race="Black", **about)
        assert a.value == pytest.approx(b.value, abs=1e-12)
        assert a.interval is not None
        assert b.interval is not None
        width = [(x.high or 0) - (x.low or 0) for x in (a.interval, b.interval)]
        assert width[1] == pytest.approx(width[0], rel=0.03)


# --- recorded models ------------------------------------------------------------------------------------------


def _recorded(
    folder: Path, kind: str, images: Sequence[Item], texts: Sequence[str], values: np.ndarray[Any, Any]
) -> Any:
    folder.mkdir(exist_ok=True)
    (folder / "manifest.toml").write_text(f'name = "x"\nkind = "scores"\nscore_kind = "{kind}"\n')
    ids = [i.id for i in images]
    table = pa.table({"id": np.repeat(ids, len(texts)), "text": np.tile(texts, len(ids)), "score": values.ravel()})
    pq.write_table(table, folder / "scores.parquet")
    return load_recorded(folder)


@pytest.mark.parametrize(
    "texts",
    [
        ["a photo of a person", "a photo of a Black person", "a photo of a White person"],
        ["A photo of a person.", "A photo of a black person.", "A photo of a white person."],
        ["person", "Black", "White"],
        ["a person", "black person", "white person"],
    ],
)
@pytest.mark.parametrize("kind", ["cosine", "logit", "probability"])
def test_recorded_scores_in_the_spellings_of_others(tmp_path: Path, kind: str, texts: list[str]) -> None:
    images = people(40)
    values = np.random.default_rng(8).dirichlet(np.ones(3), len(images))
    model = _recorded(tmp_path / "m", kind, images, texts, values)
    _, _, found = ran(dataset(images, ("race", "gender")), model, templates=("a photo of {}.", "{}"))
    own = np.array([i.attributes["race"] == "White" for i in images])
    estimate = one(found, "unmarked_rate", race="White", labels="race")
    assert estimate.value == pytest.approx((values.argmax(axis=1) == 0)[own].mean())
    assert ("above_own_margin" in {e.metric for e in found}) == (kind == "cosine")
    gender = one(found, "unmarked_rate", labels="gender")
    assert (gender.value, gender.status) == (None, Status.INCONCLUSIVE)
    assert "Not run: labels of gender" in gender.sentence


def test_decisions_are_not_enough(tmp_path: Path) -> None:
    images = people(3)
    model = _recorded(tmp_path / "m", "decision", images, ["a person"], np.ones((len(images), 1)))
    with pytest.raises(NotSupported, match="decisions only"):
        ran(dataset(images), model)


# --- bad input ------------------------------------------------------------------------------------------------


def test_a_label_that_is_too_long_stops_its_column_only() -> None:
    images = people(35)
    long = "a person whom nobody could ever describe in fewer words than these, which are too many"
    model = by_lot(images, 9, LABELS)
    _, rows, found = ran(dataset(images, ("race", "gender")), model, terms={"Male": long})
    assert {row["item"] for row in rows.to_pylist() if row["error"]} == {long}
    assert {e.subgroup["labels"] for e in found if e.metric == "unmarked_gap"} == {"race"}
    assert "longer than the context" in one(found, "unmarked_rate", labels="gender").sentence


def test_an_unmarked_label_that_is_refused_is_an_error() -> None:
    images = people(3)
    with pytest.raises(DataError, match="the unmarked label cannot be used"):
        ran(dataset(images), by_lot(images, 1, LABELS), unmarked="a person " * 10)


def test_a_group_without_a_readable_image_is_shown() -> None:
    images = people(40, ("Black", "White", "Indian"))
    model = by_lot(images, 10, [*LABELS, "an Indian person"])
    model.images = {name: row for name, row in model.images.items() if not name.startswith("Indian")}
    _, rows, found = ran(dataset(images), model)
    assert sum(error is not None for error in rows["error"].to_pylist()) == 80
    lost = one(found, "unmarked_rate", race="Indian", labels="race")
    assert (lost.value, lost.n, lost.status) == (None, 0, Status.TOO_SMALL)


def test_nothing_readable_is_said_and_not_scored() -> None:
    images = people(2)
    model = Vectors({}, by_lot(images, 1, LABELS).texts)
    _, _, found = ran(dataset(images), model)
    assert all(e.value is None for e in found if e.metric != "text_distance")


def test_values_that_name_nobody_have_no_label() -> None:
    images = [Item(f"{p}{i}", presentation=p) for p in ("man", "woman", "person") for i in range(35)]
    cell, _, found = ran(dataset(images, ("presentation",)), by_lot(images, 11, ["a person", "a man", "a woman"]))
    assert all_labels(cell.params) == ("a person", "a man", "a woman")
    assert one(found, "unmarked_rate", presentation="person", labels="presentation").n == 35
    assert not [e for e in found if e.metric == "above_own_rate" and "person" in e.subgroup.values()]


@pytest.mark.parametrize(
    ("params", "error", "words"),
    [
        ({"terms": {"u": "a thing", "v": "a Thing"}}, UsageError, "two labels for column 'race'"),
        ({"terms": {"u": "a person"}}, UsageError, "two labels for column 'race' are 'person'"),
        ({"terms": {"u": "", "v": ""}}, UsageError, "name no value of column 'race'"),
        ({"terms": {"zebra": "a zebra"}}, DataError, "no group column"),
        ({"templates": ("a photo",)}, UsageError, "no {} for the label"),
        ({"groups": ("colour",)}, DataError, "no column 'colour'"),
        ({"groups": ("same",)}, DataError, "single value"),
    ],
)
def test_bad_parameters_in_one_line(params: dict[str, Any], error: type[Exception], words: str) -> None:
    images = [Item(f"i{i}", race="uv"[i % 2], same="x") for i in range(4)]
    with pytest.raises(error, match=words) as caught:
        ran(dataset(images), by_lot(images, 0, ["a person"]), **params)
    assert "\n" not in str(caught.value)
