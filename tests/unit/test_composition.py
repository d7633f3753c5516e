"""Hard negatives and word order: choices against closed forms, planted effects, nulls and bad input."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from caption_models import CaptionModel, Knowing, bag_of_words, own
from captioned import Captioned, captioned, negated
from clipaudit_audits.meaning.composition import Composition
from clipaudit_audits.meaning.composition_choices import Choices
from clipaudit_audits.meaning.composition_first import exchanged, shares_of_first
from clipaudit_audits.meaning.composition_shuffles import KINDS, shuffled
from clipaudit_audits.meaning.composition_spec import CompositionParams
from clipaudit_audits.meaning.composition_texts import Fluency, bigrams
from clipaudit_audits.meaning.composition_word_order import WordOrder, WordOrderParams
from clipaudit_audits.meaning.meaning_shares import chosen, interval_of
from clipaudit_audits.meaning.meaning_shares import tested as sign_flipped
from scipy.stats import binom

from clipaudit.contract import Audit, Cell, PlanContext
from clipaudit.data.dataset import Dataset
from clipaudit.data.files import NamedItem
from clipaudit.data.registry import DataRegistry
from clipaudit.errors import DataError
from clipaudit.models.control import load_control
from clipaudit.models.protocol import Model
from clipaudit.results import Estimate, Status
from clipaudit.stats.intervals import wilson
from clipaudit.stats.paired import paired_permutation

SHARED = Path(__file__).resolve().parents[2] / ".." / "shared" / "data"


def _pairs(n: int, per_image: int = 2) -> Dataset:
    """Bare pairs, `per_image` to an image, that differ in one made-up word."""
    items = []
    for i in range(n):
        image, kind = f"image{i // per_image:04d}", "swap" if i % 2 else "add"
        columns = {
            "image": image,
            "caption": f"thing number {i} here",
            "negative": f"thing number {i} there",
            "kind": kind,
        }
        items.append(Captioned(f"pair{i:04d}", columns, NamedItem(image, {})))
    return replace(negated(2), images=items)


def _cell(audit: Audit, dataset: Dataset, params: object, seed: int = 0) -> Cell:
    return audit.plan(PlanContext(params, seed, dataset))[0]


def _found(audit: Audit, dataset: Dataset, model: Model, params: object, seed: int = 0) -> dict[str, Estimate]:
    cell = _cell(audit, dataset, params, seed)
    estimates = audit.score(cell, audit.run(cell, model))
    return {" ".join((e.metric, *e.subgroup.values())): e for e in estimates}


def _truth(dataset: Dataset) -> dict[str, set[str]]:
    truth: dict[str, set[str]] = {}
    for item in dataset.images:
        truth.setdefault(item.attributes["image"], set()).add(item.attributes["caption"])
    return truth


# --- choices without the image ---


def test_fluency_by_hand() -> None:
    fluency = Fluency({"x": ["a cat"], "y": ["a dog"]})
    # about x, only "a dog" is known: counts "" a, a dog, dog ""; words a, dog, "" once each, of 3; 3 + 1 words known
    # in all three captions' vocabulary {a, cat, dog, ""} and one for the unknown make 5.
    alone = {word: (count + 1) / (3 + 5) for word, count in {"a": 1, "dog": 1, "": 1, "cat": 0}.items()}
    wanted = [(1 + alone["a"]) / 2, (0 + alone["cat"]) / 2, alone[""]]  # nothing is known to follow "cat"
    assert fluency.of("a cat", "x") == pytest.approx(sum(map(math.log, wanted)) / 3)


def test_fluency_leaves_out_as_if_it_had_never_been_there() -> None:
    captions = {
        f"i{k}": [f"a {w} on the {v}", f"the {v} and a {w}"]
        for k, (w, v) in enumerate(pairwise(["cat", "dog", "cow", "hat", "bed"]))
    }
    left = {image: texts for image, texts in captions.items() if image != "i1"}
    whole, without = Fluency(captions), Fluency(left)
    text = "a cat on the bed"  # the words of i1 alone are none of these, so that the vocabulary differs in size only
    known = Counter(word for texts in captions.values() for t in texts for pair in bigrams(t) for word in pair[1:])
    rest = Counter(word for texts in left.values() for t in texts for pair in bigrams(t) for word in pair[1:])
    assert len(known) == len(rest)
    assert whole.of(text, "i1") == pytest.approx(without.of(text, "somewhere else"), abs=1e-12)


def test_a_model_of_words_prefers_what_it_has_read() -> None:
    fluency = Fluency({"a": ["a man rides a horse"], "b": ["a man holds a cup"], "c": ["a dog rides a horse"]})
    assert fluency.of("a man rides a horse", "new") > fluency.of("horse a rides man a", "new")


def test_ties_and_missing_scores() -> None:
    first, second = np.array([1.0, 0.0, 1e9, 0.5]), np.array([0.0, 1.0, 1e9 + 1, np.nan])
    assert chosen(first, second)[:3].tolist() == [1.0, 0.0, 0.5]
    assert np.isnan(chosen(first, second)[3])


def test_where_all_are_alike_the_images_are_what_is_counted() -> None:
    found = interval_of(np.ones(60), [str(i // 3) for i in range(60)], 0, "images")
    assert (found.low, found.high) == (pytest.approx(wilson(20, 20).low), 1.0)


# --- planted effects ---


@pytest.mark.parametrize("q", [0.5, 0.8])
def test_a_planted_share_is_found_within_its_interval(q: float) -> None:
    dataset = _pairs(600)
    found = _found(Composition(), dataset, Knowing(q, _truth(dataset)), CompositionParams())
    estimate = found["accuracy all kinds"]
    assert estimate.interval is not None
    assert estimate.interval.low is not None
    assert estimate.interval.high is not None
    assert estimate.interval.low - 0.01 < q < estimate.interval.high + 0.01
    assert estimate.status is (Status.EFFECT if q > 0.5 else Status.NO_EFFECT)
    assert (estimate.n, estimate.clusters) == (600, 300)
    assert found["accuracy add"].n == 300


def test_the_interval_covers_a_planted_share_as_often_as_it_says() -> None:
    rng, held, images = np.random.default_rng(0), 0, [str(i // 2) for i in range(120)]
    for seed in range(150):
        image = rng.random(60) < 0.5  # two pairs of an image share half of their luck
        hits = np.where(np.repeat(image, 2), rng.random(120) < 0.9, rng.random(120) < 0.5).astype(float)
        interval = interval_of(hits, images, seed, "images")
        held += (interval.low or 0) <= 0.7 <= (interval.high or 1)
    low, high = binom.interval(0.999, 150, 0.95)
    assert low <= held <= high


def test_nothing_is_found_where_nothing_is_planted() -> None:
    alarms, images = 0, [str(i // 3) for i in range(90)]
    for seed in range(300):
        rng = np.random.default_rng(seed)
        hits = np.repeat(rng.integers(0, 2, 30), 3).astype(float)  # pairs of an image are right together
        alarms += sign_flipped(hits, 0.5, images, seed, 0.5, "images").test.p <= 0.05
    low, high = binom.interval(0.998, 300, 0.05)
    assert low <= alarms <= high


def test_the_lead_is_that_over_the_strongest_choice_without_the_image() -> None:
    dataset = negated(40)  # "a table on a cat" is shorter: length is always wrong on these, and ties on the others
    model = Knowing(1.0, _truth(dataset))
    cell = _cell(Composition(), dataset, CompositionParams())
    choices = Choices.of(Composition().run(cell, model))
    found = {
        " ".join((e.metric, *e.subgroup.values())): e for e in Composition().score(cell, Composition().run(cell, model))
    }
    best = max(float(hits.mean()) for hits in choices.blind.values())
    assert found["accuracy all kinds"].value == 1.0
    assert found["gain all kinds"].value == pytest.approx(100 * (1 - best))
    differences = 100 * (choices.model - choices.blind[choices.best()])
    test = found["gain all kinds"].test
    assert test is not None
    assert test.p == pytest.approx(paired_permutation(differences, choices.images, 0).p)


def test_what_is_right_given_the_texts() -> None:
    dataset = negated(40)
    cell = _cell(Composition(), dataset, CompositionParams())
    rows = Composition().run(cell, load_control("null"))
    choices, found = Choices.of(rows), {}
    for e in Composition().score(cell, rows):
        if e.metric == "accuracy_given":
            found[e.subgroup["without the image"]] = e
    blind = choices.blind[choices.best()]
    for outcome, hit in (("right", 1.0), ("wrong", 0.0)):
        if (blind == hit).any():
            assert found[outcome].value == pytest.approx(choices.model[blind == hit].mean())
            assert found[outcome].n == int((blind == hit).sum())


def test_the_average_image_is_that_of_the_others() -> None:
    dataset = negated(6)
    cell = _cell(Composition(), dataset, CompositionParams())
    model = CaptionModel(bag_of_words, own)
    row = Composition().run(cell, model).to_pylist()[0]
    images = {item.attributes["image"]: own(NamedItem(item.attributes["image"], {})) for item in dataset.images}
    mean = np.sum([v for name, v in images.items() if name != row["image"]], axis=0)
    text = bag_of_words(row["caption"])
    assert row["average_true"] == pytest.approx(float(mean @ text / np.linalg.norm(mean) / np.linalg.norm(text)))
    words = {item.attributes["caption"] for item in dataset.images if item.attributes["image"] != row["image"]}
    typical = np.sum([bag_of_words(t) / np.linalg.norm(bag_of_words(t)) for t in words], axis=0)
    assert row["typical_true"] == pytest.approx(float(typical @ text / np.linalg.norm(typical) / np.linalg.norm(text)))


# --- word order ---


def test_shuffles_move_words_and_nothing_else() -> None:
    text = "Two brown dogs, and a cat, are running over the green field with a red ball."
    for kind in KINDS:
        found = shuffled(text, kind, 3)
        assert found is not None
        assert found != text
        assert found.endswith(".")
        assert Counter(found.rstrip(".").casefold().split()) == Counter(text.rstrip(".").casefold().split())
    content = shuffled(text, "content words", 3)
    assert content is not None
    kept = [a == b for a, b in zip(text.split(), content.split(), strict=True)]
    assert [word for word, same in zip(text.split(), kept, strict=True) if not same]
    closed = {"and", "a", "are", "over", "the", "with", "Two"}
    assert all(same for word, same in zip(text.split(), kept, strict=True) if word in closed)


def test_groups_of_three_stay_together_or_in_their_place() -> None:
    text = "one two three four five six seven eight nine"
    moved, within = shuffled(text, "trigrams", 0), shuffled(text, "within trigrams", 0)
    assert moved is not None
    assert within is not None
    groups = [" ".join(text.split()[i : i + 3]) for i in (0, 3, 6)]
    assert sorted(" ".join(moved.split()[i : i + 3]) for i in (0, 3, 6)) == sorted(groups)
    assert [sorted(within.split()[i : i + 3]) for i in (0, 3, 6)] == [sorted(group.split()) for group in groups]


@pytest.mark.parametrize("text", ["dog", "the the the", "", "a cat"])
def test_what_cannot_be_shuffled_is_not(text: str) -> None:
    assert shuffled(text, "content words", 0) is None


def test_a_bag_of_words_is_at_chance_exactly() -> None:
    found = _found(WordOrder(), captioned(30), CaptionModel(bag_of_words, own), WordOrderParams())
    assert found["accuracy all kinds"].value == 0.5
    assert found["first"].value == pytest.approx(1 / (1 + len(KINDS)))
    assert found["accuracy all kinds"].status is Status.NO_EFFECT
    fluent = found["text_only all kinds fluency"].value
    assert fluent is not None
    assert fluent > 0.8  # while the texts give it away


def test_first_place_is_shared_and_chance_is_as_many_as_there_are() -> None:
    rng = np.random.default_rng(0)
    assert shares_of_first(np.array([[1.0, 1.0, 1.0, 1.0]])).tolist() == [[0.25] * 4]
    won = shares_of_first(rng.random((400, 5)))
    draws = exchanged(won, 0)
    assert draws.mean() == pytest.approx(0.2, abs=4 * draws.std() / np.sqrt(len(draws)))
    assert draws.std() == pytest.approx(np.sqrt(0.2 * 0.8 / 400), rel=0.1)  # binomial


def test_first_place_raises_no_more_alarms_than_it_says() -> None:
    alarms = 0
    for seed in range(150):
        found = _found_null(seed)
        alarms += found <= 0.05
    low, high = binom.interval(0.998, 150, 0.05)
    assert low <= alarms <= high


def _found_null(seed: int) -> float:
    rng = np.random.default_rng(seed)
    won = shares_of_first(rng.random((60, 5)))
    draws, value = exchanged(won, seed), won[:, 0].mean()
    return float((1 + (np.abs(draws - 0.2) >= abs(value - 0.2) - 1e-12).sum()) / (len(draws) + 1))


def test_shuffles_are_the_cell_seeds() -> None:
    def texts(seed: int) -> list[str]:
        cell = _cell(WordOrder(), captioned(4), WordOrderParams(), seed)
        return list(WordOrder().workload(cell).texts)

    assert texts(0) == texts(0)
    assert texts(0) != texts(1)


# --- bad input ---


def test_faults_are_rows_of_one_line() -> None:
    dataset = negated(4)
    first, second, third = dataset.images[:3]
    same = Captioned("same", {**first.attributes, "negative": first.attributes["caption"].upper()}, first)
    empty = Captioned("empty", {**second.attributes, "caption": "  "}, second)
    third = Captioned("long", {**third.attributes, "negative": "words " * 99}, third)
    dataset = replace(dataset, images=[same, empty, third, *dataset.images[3:]])
    model = CaptionModel(bag_of_words, own, refused={("words " * 99).strip()})
    rows = {
        row["item"]: row
        for row in Composition().run(_cell(Composition(), dataset, CompositionParams()), model).to_pylist()
    }
    assert "the same" in rows["same"]["error"]
    assert "empty" in rows["empty"]["error"]
    assert "too long" in rows[third.id]["error"]
    assert all("\n" not in row["error"] for row in rows.values() if row["error"])
    assert sum(row["error"] is None for row in rows.values()) == len(rows) - 3


def test_missing_columns_and_kinds_are_named() -> None:
    with pytest.raises(DataError, match="has no column 'negative'"):
        _cell(Composition(), replace(negated(2), columns=("caption",)), CompositionParams())
    with pytest.raises(DataError, match="did you mean swap"):
        _cell(Composition(), negated(2), CompositionParams(kinds=("swop",)))
    with pytest.raises(DataError, match='begins with "caption"'):
        _cell(WordOrder(), replace(captioned(2), columns=("label",)), WordOrderParams())


# --- SugarCrepe as published ---


@pytest.mark.skipif(not (SHARED / "sugar_crepe").is_dir(), reason="the SugarCrepe captions are not here")
def test_texts_alone_are_judged_where_no_image_is_here() -> None:
    dataset = DataRegistry({"sugar-crepe": SHARED / "sugar_crepe"}).open("sugar-crepe")
    assert (len(dataset), len({image.attributes["image"] for image in dataset.images})) == (7511, 1560)
    cell = _cell(Composition(), dataset.head(600), CompositionParams(text_only=True))
    assert not Composition().workload(cell).images
    rows = Composition().run(cell, CaptionModel(bag_of_words, _forbidden))
    assert rows.column("error").null_count == len(rows)
    found = {" ".join((e.metric, *e.subgroup.values())): e for e in Composition().score(cell, rows)}
    assert "text_only all kinds text tower" in found
    assert (found["text_only add object length"].value or 0) > 0.9  # what is added makes it longer
    assert (found["text_only swap object length"].value or 0) < 0.7
    assert {name.split()[0] for name in found} == {"text_only"}


def _forbidden(image: object) -> np.ndarray:
    raise AssertionError(f"{image} was shown")


def test_the_card_keeps_pairs_whose_photograph_is_here(tmp_path: Path) -> None:
    import json

    from PIL import Image

    pairs = {
        str(i): {"filename": f"{i}.jpg", "caption": f"a cat {i}", "negative_caption": f"a dog {i}"} for i in range(3)
    }
    (tmp_path / "swap_obj.json").write_text(json.dumps(pairs))
    registry = DataRegistry({"sugar-crepe": tmp_path})
    assert "None of the photographs" in registry.open("sugar-crepe").info.limits[-1]
    (tmp_path / "val2017").mkdir()
    Image.new("RGB", (8, 8)).save(tmp_path / "val2017" / "1.jpg")
    dataset = registry.open("sugar-crepe")
    assert [image.id for image in dataset.images] == ["swap_obj/1"]
    assert dataset.images[0].attributes["kind"] == "swap object"
    assert "2 of 3 pairs were left out" in dataset.info.limits[-1]
    pairs["2"]["filename"] = "../2.jpg"
    (tmp_path / "swap_obj.json").write_text(json.dumps(pairs))
    with pytest.raises(DataError, match="must be a file name alone"):
        registry.open("sugar-crepe")
