"""The lexicon audit: exact tests, planted words, no findings where nothing is planted, bad input."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from clipaudit_audits.social_bias.lexicon import Lexicon
from clipaudit_audits.social_bias.lexicon_study import hypergeometric_p, study
from clipaudit_audits.social_bias.lexicon_words import load_words
from scipy.stats import binom, fisher_exact

from clipaudit.contract import Cell, PlanContext
from clipaudit.data.dataset import Dataset
from clipaudit.errors import DataError, UsageError
from clipaudit.models.control import load_control
from clipaudit.models.protocol import Scores
from clipaudit.results import DataInfo, Estimate, HeatmapFigure, Status

AUDIT = Lexicon()
WORDS = ("a thief", "a judge", "a cook", "a clown")
CATEGORIES = [{"name": "one", "words": WORDS[:2]}, {"name": "two", "title": "second", "words": WORDS[2:]}]


class Item:
    """An image known by its attributes alone."""

    def __init__(self, id: str, **attributes: str) -> None:
        self.id = id
        self.attributes = attributes
        self.digest = id


class Lot:
    """Scores by lot; one word is drawn to one group."""

    def __init__(self, seed: int, shift: float = 0.0, word: str = "", value: str = "") -> None:
        self.seed, self.shift, self.word, self.value = seed, shift, word, value

    def score_labels(self, images: Sequence[Item], labels: Sequence[str], templates: Sequence[str]) -> Scores:
        if bad := [label for label in labels if len(label) > 60]:
            raise DataError(f"text {bad[0]!r} is longer than the model's context")
        values = np.random.default_rng(self.seed).standard_normal((len(images), len(labels)))
        for j, label in enumerate(labels):
            if label == self.word:
                values[:, j] += self.shift * np.array([i.attributes["race"] == self.value for i in images])
        return Scores(values, "cosine", (None,) * len(images))


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """For hundreds of small audits: statsmodels collects garbage at every correction, and fewer replicates will do."""
    where = "clipaudit_audits.social_bias.retrieval_skew_measures."
    monkeypatch.setattr(gc, "collect", lambda *_: 0)
    monkeypatch.setattr(f"{where}_MOST", {"permutations": 199, "bootstrap": 100})
    monkeypatch.setattr(f"{where}N_DRAWS", 500)


def people(n: int = 90, values: Sequence[str] = ("A", "B", "C")) -> list[Item]:
    return [Item(f"i{j:03}", race=values[j % len(values)]) for j in range(n)]


def planned(images: Sequence[Item], cluster: str | None = None, **params: Any) -> Cell:
    info = DataInfo(
        id="faces", title="Faces", digest="d", items=len(images), licence="x", consent="x", groups=("race",)
    )
    data = Dataset(info, images, tuple(images[0].attributes), cluster)
    params = {"categories": CATEGORIES, "k": 15} | params
    return AUDIT.plan(PlanContext(AUDIT.spec.params.model_validate(params), 0, data))[0]


def audit(images: Sequence[Item], model: Any, **params: Any) -> list[Estimate]:
    cell = planned(images, **params)
    return AUDIT.score(replace(cell, dataset=None), AUDIT.run(cell, model))


def only(estimates: Sequence[Estimate], metric: str, **subgroup: str) -> Estimate:
    found = [e for e in estimates if e.metric == metric and subgroup.items() <= e.subgroup.items()]
    assert len(found) == 1, [e.title for e in found]
    return found[0]


def test_exact_p_is_that_of_fishers_test() -> None:
    rng = np.random.default_rng(0)
    for _ in range(30):
        sizes, k = rng.integers(5, 40, 3), 12
        counts = rng.multivariate_hypergeometric(sizes, k)
        found = hypergeometric_p(counts[None].astype(float), sizes, k)[0]
        for group in range(3):
            inside, rest = counts[group], sizes[group] - counts[group]
            table = [[inside, k - inside], [rest, sizes.sum() - sizes[group] - (k - inside)]]
            assert found[group] == pytest.approx(fisher_exact(table).pvalue)


def test_planted_word_is_the_only_one_found() -> None:
    cell = planned(people())
    rows = AUDIT.run(cell, Lot(0, 100.0, "a thief", "B"))
    bare = replace(cell, dataset=None)
    found = AUDIT.score(bare, rows)
    words = [e for e in found if e.metric == "word_share"]
    assert {e.subgroup["word"] for e in words} == {"a thief"}
    planted = only(words, "word_share", group="B")
    assert planted.value == 1.0
    assert planted.null_value == pytest.approx(1 / 3)
    assert planted.test is not None
    assert planted.test.p == pytest.approx(np.prod([(30 - i) / (90 - i) for i in range(15)]))
    assert "holds 100.0 %" in planted.sentence
    heat = next(f for f in AUDIT.figures(bare, rows, found) if isinstance(f, HeatmapFigure))
    assert heat.marked is not None
    assert [any(row) for row in heat.marked] == [True, False, False, False]


def test_evenness_by_hand() -> None:
    """One word's top is all of one group (entropy 0), the other's is whatever its counts say."""
    cell = planned(people())
    rows = AUDIT.run(cell, Lot(0, 100.0, "a thief", "B"))
    found = AUDIT.score(replace(cell, dataset=None), rows)
    scores = {r["item"]: r["scores"][1] for r in rows.to_pylist()}
    top = sorted(scores, key=lambda item: -scores[item])[:15]
    shares = np.array([sum(int(item[1:]) % 3 == g for item in top) for g in range(3)]) / 15
    entropy = -sum(p * np.log(p) for p in shares if p) / np.log(3)
    assert only(found, "entropy", words="one").value == pytest.approx(entropy / 2)
    skew = (np.log(3) + np.log(shares[1] * 3)) / 2
    assert only(found, "category_skew", words="one", group="B").value == pytest.approx(skew)


def test_control_model_leans_as_it_is_told() -> None:
    model = load_control("association?d=1.9&attribute=race&x=A&y=B&a=thief,judge&b=cook,clown&seed=2")
    found = audit(people(120, ("A", "B")), model, k=20)
    for words, group in (("one", "A"), ("second", "B")):
        estimate = only(found, "category_skew", words=words, group=group)
        assert estimate.status is Status.EFFECT
        assert (estimate.value or 0.0) > 0.3


def test_no_more_false_findings_than_alpha() -> None:
    """200 models that score by lot: any finding among words, and any among categories, each at most 5 %."""
    words, categories, trials = 0, 0, 200
    for seed in range(trials):
        found = audit(people(60), Lot(seed), k=10)
        words += any(e.metric == "word_share" for e in found)
        categories += any(e.status is Status.EFFECT for e in found if e.metric != "word_share")
    assert words <= binom.ppf(0.995, trials, 0.05)
    assert categories <= binom.ppf(0.995, trials, 0.05)
    assert categories >= 1


def test_images_of_one_person_count_as_one() -> None:
    """Four copies of each of 24 people: a lean by lot must not become a finding, and the test says how it permutes."""
    images = [Item(f"{who}{c}", race="AB"[who % 2], who=str(who)) for who in range(24) for c in range(4)]

    class ByPerson(Lot):
        def score_labels(self, images: Sequence[Item], labels: Sequence[str], templates: Sequence[str]) -> Scores:
            rng = np.random.default_rng(self.seed)
            drawn = rng.standard_normal((24, len(labels)))
            values = np.array([drawn[int(i.attributes["who"])] for i in images])
            return Scores(values, "cosine", (None,) * len(images))

    found = [audit(images, ByPerson(seed), cluster="who", k=16) for seed in range(20)]
    assert sum(any(e.metric == "word_share" for e in one) for one in found) <= 4
    category = only(found[0], "entropy", words="one")
    assert category.clusters == 24
    assert category.null is not None
    assert "whole clusters permuted" in category.null.method


def test_copies_of_images_do_not_narrow_a_clustered_interval() -> None:
    """Thirty people once, and four times each in a pool and a top four times as large."""
    single = [Item(f"{who:02}", race="AB"[who % 2], who=str(who)) for who in range(30)]
    copies = [Item(f"{i.id}{c}", **i.attributes) for i in single for c in "abcd"]

    class ByPerson(Lot):
        def score_labels(self, images: Sequence[Item], labels: Sequence[str], templates: Sequence[str]) -> Scores:
            drawn = np.random.default_rng(0).standard_normal((30, len(labels)))
            values = np.array([drawn[int(i.attributes["who"])] for i in images])
            return Scores(values, "cosine", (None,) * len(images))

    widths = []
    for images, k in ((single, 8), (copies, 32)):
        estimate = only(audit(images, ByPerson(0), cluster="who", k=k), "category_skew", words="one", group="A")
        assert estimate.interval is not None
        assert estimate.interval.low is not None
        assert estimate.interval.high is not None
        assert estimate.clusters in (None, 30)
        widths.append(estimate.interval.high - estimate.interval.low)
    assert widths[1] == pytest.approx(widths[0], rel=0.25)


def test_correction_is_benjamini_and_hochbergs_over_groups_and_intersections() -> None:
    """p of every word x group of two columns and their pairs; adjusted as in their paper, written out."""
    images = [Item(f"i{j:03}", race="ABC"[j % 3], gender="xy"[j // 3 % 2]) for j in range(120)]
    cell = planned(images, groups=["race", "gender"])
    made = study(cell, AUDIT.run(cell, Lot(4, 2.0, "a thief", "B")))
    assert [len(grouping.columns) for grouping in made.groupings] == [1, 1, 2]
    p = np.concatenate([made.tops[grouping.name].p.ravel() for grouping in made.groupings])
    order = np.argsort(p)
    ours = np.empty_like(p)
    smallest = 1.0
    for rank in range(len(p), 0, -1):
        smallest = min(smallest, p[order[rank - 1]] * len(p) / rank)
        ours[order[rank - 1]] = smallest
    found = np.concatenate([made.adjusted[grouping.name].ravel() for grouping in made.groupings])
    assert found == pytest.approx(ours)
    assert (found < 0.05).any()


def test_what_meets_only_at_an_intersection_is_found_there() -> None:
    """'a thief' finds men of A and women of B first: no column leans, every pair of the two does."""
    images = [Item(f"i{j:03}", race="AB"[j % 2], gender="xy"[j // 2 % 2]) for j in range(160)]

    class Crossed(Lot):
        def score_labels(self, images: Sequence[Item], labels: Sequence[str], templates: Sequence[str]) -> Scores:
            scores = super().score_labels(images, labels, templates)
            crossed = np.array([i.attributes["race"] + i.attributes["gender"] in ("Ax", "By") for i in images])
            scores.values[:, labels.index("a thief")] += 50.0 * crossed
            return scores

    cell = planned(images, groups=["race", "gender"], k=40)
    rows = AUDIT.run(cell, Crossed(1))
    every = AUDIT.score(replace(cell, dataset=None), rows)
    crossed = [e for e in every if e.metric == "category_skew" and " x " in e.subgroup["groups"]]
    skews = {e.subgroup["group"]: e for e in crossed if e.subgroup["words"] == "one"}
    assert {name for name, e in skews.items() if e.status is Status.EFFECT} == {"A, y", "B, x"}  # found by no thief
    assert {name for name, e in skews.items() if (e.value or 0) > 0} == {"A, x", "B, y"}
    heat = next(
        f for f in AUDIT.figures(replace(cell, dataset=None), rows, every) if f.id == "categories-race-by-gender"
    )
    assert isinstance(heat, HeatmapFigure)
    column = heat.columns.index("one")
    assert [(row[column], mark[column]) for row, mark in zip(heat.values, heat.marked or (), strict=True)] == [
        (skews[name].value, name in ("A, y", "B, x")) for name in heat.rows
    ]
    found = [e for e in every if e.metric == "word_share"]
    assert {e.subgroup["word"] for e in found} == {"a thief"}
    assert len({e.subgroup["groups"] for e in found}) == 1
    shares = {e.subgroup["group"]: e.value for e in found}
    assert len(shares) == 4
    assert sorted(shares.values())[:2] == [0.0, 0.0]
    assert sum(shares.values()) == pytest.approx(1.0)


def test_names_of_groups_do_not_matter() -> None:
    before = audit(people(values=("A", "B")), Lot(1))
    after = audit(people(values=("x", "y")), Lot(1))
    assert [e.value for e in before] == [e.value for e in after]


@pytest.mark.parametrize(
    ("params", "fault"),
    [
        ({"categories": [{"name": "one", "words": ["a thief", "A  Thief"]}]}, "'a thief' occurs twice ('A  Thief')"),
        ({"categories": [{"name": "one", "words": ["a thief", "a thief"]}]}, "'a thief' occurs twice"),
        ({"categories": [{"name": "one", "words": ["a thief", " "]}]}, "is blank"),
        ({"categories": [], "lexicon": "peeple"}, "did you mean people?"),
        ({"categories": [], "lexicon": "none.toml"}, "there is no file 'none.toml'"),
        ({"k": 90}, "k must be smaller than the pool"),
        ({"groups": ["rase"]}, "did you mean race?"),
    ],
)
def test_faults_are_named_in_one_line(params: dict[str, Any], fault: str) -> None:
    with pytest.raises((DataError, UsageError)) as caught:
        planned(people(), **params)
    assert fault in str(caught.value)
    assert "\n" not in str(caught.value)


def test_overlong_word_is_an_error_row(tmp_path: Path) -> None:
    long = "x" * 70
    cell = planned(people(), categories=[{"name": "one", "words": ["a thief", long]}])
    rows = AUDIT.run(cell, Lot(0))
    assert [row["item"] for row in rows.to_pylist() if row["kind"] == "word"] == [long]
    found = AUDIT.score(replace(cell, dataset=None), rows)
    assert only(found, "entropy").value is not None


def test_packaged_lexicon_names_no_annotated_group(tmp_path: Path) -> None:
    words = [word for category in load_words("people") for word in category.words]
    assert len(words) == len(set(words)) >= 50
    named = {"man", "woman", "black", "white", "asian", "indian", "old", "young", "male", "female"}
    assert not [word for word in words if named & set(word.lower().split())]
    broken = tmp_path / "l.toml"
    broken.write_text("categories = [")
    with pytest.raises(UsageError, match="malformed TOML"):
        load_words(str(broken))
