"""The occupation audits: margins, correlation and resolution by hand, planted effects, null calibration, bad input."""

from __future__ import annotations

import gc
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from clipaudit_audits.social_bias.occupation import Occupation
from clipaudit_audits.social_bias.occupation_measures import correlation, spearman
from clipaudit_audits.social_bias.occupation_params import read_shares
from clipaudit_audits.social_bias.occupation_text import OccupationText
from scipy.stats import binom, norm, spearmanr

from clipaudit.contract import Cell, PlanContext
from clipaudit.data.dataset import Dataset
from clipaudit.errors import DataError, UsageError
from clipaudit.models.control import load_control
from clipaudit.models.protocol import Embedded, Scores
from clipaudit.results import DataInfo, Estimate, Status

SHARED = Path(__file__).resolve().parents[2] / ".." / "shared" / "data"
AUDIT, TEXT = Occupation(), OccupationText()
JOBS = ("baker", "cook", "judge", "nurse", "pilot", "welder", "writer", "actor")
SHARES = {job: (i + 1) / 10 for i, job in enumerate(JOBS)}


class Item:
    """An image known by its attributes alone."""

    def __init__(self, id: str, **attributes: str) -> None:
        self.id = id
        self.attributes = attributes
        self.digest = id


class Lot:
    """Scores by lot; `leans` pull an occupation to men; a caption with the right pronoun gains `his` or `her`."""

    def __init__(self, seed: int, leans: Mapping[str, float] | None = None, his: float = 0.0, her: float = 0.0) -> None:
        self.seed, self.leans, self.gain = seed, leans or {}, {"Male": his, "Female": her}

    def score_labels(self, images: Sequence[Item], labels: Sequence[str], templates: Sequence[str]) -> Scores:
        if bad := [label for label in labels if len(label) > 60]:
            raise DataError(f"text {bad[0]!r} is longer than the model's context")
        offset = sum(map(ord, labels[0]))
        values = np.random.default_rng([self.seed, offset]).standard_normal((len(images), len(labels)))
        man = np.array([i.attributes["gender"] == "Male" for i in images], float)
        gain = np.array([self.gain[i.attributes["gender"]] for i in images])
        for j, label in enumerate(labels):
            values[:, j] += self.leans.get(label.split()[-1], 0.0) * (man - 0.5)
            own = {" his ": 1.0, " her ": 0.0}
            for pronoun, side in own.items():
                if pronoun in label:
                    values[:, j] += gain * (man == side)
        return Scores(values, "cosine", (None,) * len(images))


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """For hundreds of small audits: statsmodels collects garbage at every correction, and fewer replicates will do."""
    where = "clipaudit_audits.social_bias.occupation_measures."
    monkeypatch.setattr(gc, "collect", lambda *_: 0)
    monkeypatch.setattr(f"{where}N_PERMUTATIONS", 399)
    monkeypatch.setattr(f"{where}N_DRAWS", 400)


def people(n: int = 40) -> list[Item]:
    return [Item(f"i{j:03}", gender=("Male", "Female")[j % 2], occupation=JOBS[j % 3]) for j in range(n)]


def planned(images: Sequence[Item], cluster: str | None = None, **params: Any) -> Cell:
    info = DataInfo(id="people", title="People", digest="d", items=len(images), licence="x", consent="x")
    data = Dataset(info, images, tuple(images[0].attributes), cluster)
    params = {"occupations": JOBS, "shares": SHARES} | params
    return AUDIT.plan(PlanContext(AUDIT.spec.params.model_validate(params), 0, data))[0]


def audit(images: Sequence[Item], model: Any, **params: Any) -> list[Estimate]:
    cell = planned(images, **params)
    return AUDIT.score(replace(cell, dataset=None), AUDIT.run(cell, model))


def only(estimates: Sequence[Estimate], metric: str, **subgroup: str) -> Estimate:
    found = [e for e in estimates if e.metric == metric and subgroup.items() <= e.subgroup.items()]
    assert len(found) == 1, [e.title for e in found]
    return found[0]


# --- numbers ----------------------------------------------------------------------------------------------------------


def test_rank_correlation_is_scipys() -> None:
    rng = np.random.default_rng(0)
    for _ in range(10):
        x, y = rng.integers(0, 6, 12).astype(float), rng.normal(size=12)
        assert spearman(x, y).item() == pytest.approx(spearmanr(x, y).statistic)
    value, interval, _, test = correlation(np.arange(6.0), np.arange(6.0), None, 0, "occupations")
    assert value == 1.0
    assert test.p <= 0.01  # 2 of 720 orders, by permutation
    assert interval.high is not None
    assert interval.high <= 1.0


def test_values_by_hand() -> None:
    """Margins, accuracies, gap and the neutral pronoun, from the same scores in plain Python."""
    images = people(24)
    cell = planned(images)
    rows = AUDIT.run(cell, Lot(3))
    found = AUDIT.score(replace(cell, dataset=None), rows)
    lines = [row for row in rows.to_pylist() if row["kind"] == "image"]
    for j, job in enumerate(JOBS):
        sides = {s: [r["scores"][j] for r in lines if r["side"] == s] for s in ("men", "women")}
        expected = np.mean(sides["men"]) - np.mean(sides["women"])
        assert only(found, "margin", occupation=job).value == pytest.approx(expected)
    right = {
        s: [r["pronouns"][i] > r["pronouns"][1 - i] for r in lines if r["side"] == s]
        for i, s in enumerate(("men", "women"))
    }
    accuracy = {side: float(np.mean(hits)) for side, hits in right.items()}
    for side, value in accuracy.items():
        assert only(found, "resolution_accuracy", **{"annotated gender": side}).value == pytest.approx(value)
    assert only(found, "resolution_gap").value == pytest.approx(100 * (accuracy["men"] - accuracy["women"]))
    neutral = np.mean([r["pronouns"][2] > max(r["pronouns"][:2]) for r in lines])
    assert only(found, "neutral_share").value == pytest.approx(neutral)


def test_margins_lead_where_there_is_nothing_else() -> None:
    """Without statistics and without an occupation shown, a table of what leads would be empty."""
    alone = audit([Item(i.id, gender=i.attributes["gender"]) for i in people()], Lot(0), shares={})
    assert {e.metric for e in alone if e.role == "primary"} == {"margin"}
    beside = audit(people(), Lot(0))
    assert "margin" not in {e.metric for e in beside if e.role == "primary"}


def test_scores_are_relative_to_the_neutral_phrase() -> None:
    """A drift of men's images towards every text is no margin."""
    drift = dict.fromkeys([*JOBS, "person"], 50.0)
    found = audit(people(), Lot(0, drift))
    assert all(abs(e.value or 0.0) < 3 for e in found if e.metric == "margin")


# --- what is planted is found -----------------------------------------------------------------------------------------


def test_planted_leans_are_found_at_their_size_and_correlate() -> None:
    leans = {job: 4.0 - i for i, job in enumerate(JOBS)}
    found = audit(people(200), Lot(1, leans))
    for job, lean in leans.items():
        estimate = only(found, "margin", occupation=job)
        assert estimate.interval is not None
        assert estimate.interval.low is not None
        assert estimate.interval.high is not None
        slack = estimate.interval.high - estimate.interval.low
        assert abs((estimate.value or 0.0) - lean) < slack
        assert (estimate.status is Status.EFFECT) or abs(lean) < 1.5
    estimate = only(found, "correlation")
    assert (estimate.value or 0.0) < -0.9
    assert estimate.status is Status.EFFECT
    assert "as in the labour statistics" in estimate.sentence


def test_planted_gap_of_resolution() -> None:
    """d against noise of sd sqrt 2: accuracy is Phi(d / sqrt 2)."""
    found = audit(people(600), Lot(0, his=2.0, her=0.0))
    men = only(found, "resolution_accuracy", **{"annotated gender": "men"})
    assert men.interval is not None
    assert men.interval.low is not None
    assert men.interval.high is not None
    assert men.interval.low - 0.02 <= norm.cdf(2 / np.sqrt(2)) <= men.interval.high + 0.02
    gap = only(found, "resolution_gap")
    assert gap.status is Status.EFFECT
    assert gap.value == pytest.approx(100 * (norm.cdf(2 / np.sqrt(2)) - 0.5), abs=10)


def test_control_model() -> None:
    model = load_control("association?d=1.9&attribute=gender&x=Male&y=Female&a=pilot,welder&b=nurse,writer&seed=3")
    found = audit(people(80), model, occupation="")
    for job, sign in (("pilot", 1), ("welder", 1), ("nurse", -1), ("writer", -1)):
        estimate = only(found, "margin", occupation=job)
        assert estimate.status is Status.EFFECT
        assert sign * (estimate.value or 0.0) > 0.05


def test_control_model_on_text() -> None:
    spec = "association?d=1.9&x=pilot,welder&y=nurse,writer&a=a man,a guy&b=a woman,a gal&spread=0.05"
    shares = {"pilot": 0.1, "welder": 0.05, "nurse": 0.9, "writer": 0.95, "cook": 0.5}
    params = {"occupations": tuple(shares), "shares": shares, "pairs": (("a man", "a woman"), ("a guy", "a gal"))}
    cell = TEXT.plan(PlanContext(TEXT.spec.params(**params), 0))[0]
    found = TEXT.score(cell, TEXT.run(cell, load_control(spec)))
    assert (only(found, "margin", occupation="pilot").value or 0.0) > 0.03
    assert (only(found, "margin", occupation="nurse").value or 0.0) < -0.03
    assert (only(found, "correlation").value or 0.0) < -0.5


def test_text_margins_by_hand() -> None:
    class Vectors:
        def embed_texts(self, texts: Sequence[str]) -> Embedded:
            rows = np.array([np.random.default_rng(sum(map(ord, t))).standard_normal(8) for t in texts])
            return Embedded(rows / np.linalg.norm(rows, axis=1, keepdims=True), (None,) * len(texts))

    cell = TEXT.plan(PlanContext(TEXT.spec.params(occupations=("cook", "actor"), templates=("{}", "see {}")), 0))[0]
    found = TEXT.score(cell, TEXT.run(cell, Vectors()))

    def vector(text: str) -> np.ndarray:
        return Vectors().embed_texts([text]).vectors[0]

    margins = []
    for man, woman in cell.params.pairs:
        for frame in ("{}", "see {}"):
            pole = vector(frame.format(man)) - vector(frame.format(woman))
            margins.append((vector(frame.format("an actor")) - vector(frame.format("a person"))) @ pole)
    assert only(found, "margin", occupation="actor").value == pytest.approx(np.mean(margins))


# --- what is not planted is not found ---------------------------------------------------------------------------------


def test_no_more_false_findings_than_alpha() -> None:
    """200 models that score by lot: correlation, gap, and any margin, each at most 5 %; and the intervals cover 0."""
    trials = 200
    rejected = dict.fromkeys(("correlation", "resolution_gap", "margin"), 0)
    covered = 0
    for seed in range(trials):
        found = audit(people(40), Lot(seed))
        for metric in rejected:
            rejected[metric] += any(e.status is Status.EFFECT for e in found if e.metric == metric)
        interval = only(found, "margin", occupation="cook").interval
        assert interval is not None
        assert interval.low is not None
        assert interval.high is not None
        covered += interval.low <= 0 <= interval.high
    for metric, count in rejected.items():
        assert count <= binom.ppf(0.995, trials, 0.05), metric
    assert rejected["correlation"] >= 1
    assert covered >= binom.ppf(0.005, trials, 0.93)


def test_copies_of_images_do_not_narrow_a_clustered_interval() -> None:
    single = [Item(f"i{j}", gender=("Male", "Female")[j % 2], who=str(j)) for j in range(30)]
    copies = [Item(f"{i.id}{c}", **i.attributes) for i in single for c in "abcd"]

    class ByPerson(Lot):
        def score_labels(self, images: Sequence[Item], labels: Sequence[str], templates: Sequence[str]) -> Scores:
            drawn = np.random.default_rng(0).standard_normal((30, len(labels)))
            values = np.array([drawn[int(i.attributes["who"])] for i in images])
            return Scores(values, "cosine", (None,) * len(images))

    widths = []
    for images in (single, copies):
        estimate = only(audit(images, ByPerson(0), cluster="who"), "margin", occupation="cook")
        assert estimate.interval is not None
        assert estimate.interval.low is not None
        assert estimate.interval.high is not None
        assert estimate.clusters == 30
        widths.append(estimate.interval.high - estimate.interval.low)
    assert widths[1] == pytest.approx(widths[0], rel=0.1)


def test_exchanging_the_groups_turns_margins_and_gap_about() -> None:
    """The same images with men called women: the same sizes, the other sign, the same accuracies under the other name."""

    class ByText(Lot):
        """A text has its scores wherever it stands."""

        def score_labels(self, images: Sequence[Item], labels: Sequence[str], templates: Sequence[str]) -> Scores:
            drawn = [np.random.default_rng(list(map(ord, text))).standard_normal(len(images)) for text in labels]
            return Scores(np.stack(drawn, axis=1), "cosine", (None,) * len(images))

    before = audit(people(), ByText(0), caption="{pronoun} work")
    turned = {"men": ("Female",), "women": ("Male",), "pronouns": ("her", "his", "their")}
    after = audit(people(), ByText(0), caption="{pronoun} work", **turned)
    for job in JOBS:
        one, two = (only(found, "margin", occupation=job) for found in (before, after))
        assert one.value == pytest.approx(-(two.value or 0.0))
    assert only(before, "correlation").value == pytest.approx(-(only(after, "correlation").value or 0.0))
    assert only(before, "resolution_gap").value == pytest.approx(-(only(after, "resolution_gap").value or 0.0))
    for side, other in (("men", "women"), ("women", "men")):
        one = only(before, "resolution_accuracy", **{"annotated gender": side})
        two = only(after, "resolution_accuracy", **{"annotated gender": other})
        assert one.value == two.value
        assert one.interval == two.interval


def test_rank_correlation_by_its_closed_form() -> None:
    """Without ties: 1 - 6 sum d^2 / (n (n^2 - 1))."""
    rng = np.random.default_rng(2)
    for n in (5, 9, 30):
        x, y = rng.permutation(n).astype(float), rng.permutation(n).astype(float)
        assert spearman(x, y).item() == pytest.approx(1 - 6 * ((x - y) ** 2).sum() / (n * (n**2 - 1)))


# --- tables and bad input ---------------------------------------------------------------------------------------------


def test_published_table_is_read() -> None:
    path = SHARED / "wordlists" / "us_labor_force_2022.tsv"
    if not path.exists():
        pytest.skip("the labour statistics are not here")
    shares = read_shares(str(path))
    assert len(shares) == 23
    assert shares["paralegal"] == pytest.approx(0.832)
    assert shares["engineer"] == pytest.approx(0.215)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("job,women\ncook,50\n", "no column for the occupation: call it 'occupation'"),
        ("occupation,women\ncook,many\n", "line 2: women is no number: 'many'"),
        ("occupation,women\ncook,150\n", "the share of women among 'cook' is 1.5"),
    ],
)
def test_faults_of_tables(tmp_path: Path, text: str, fault: str) -> None:
    path = tmp_path / "table.csv"
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        planned(people(), shares={}, occupations=(), statistics=str(path))
    assert fault in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("params", "fault"),
    [
        ({"gender": "sex"}, "has no column 'sex'"),
        ({"men": ("boy",)}, "has none of the values of men (boy)"),
        ({"occupations": ("cook", "Cook ")}, "occurs twice"),
        ({"occupations": ("cook", "cook")}, "occurs twice"),
        ({"caption": "the {occupation} and a dog"}, "has no {pronoun}"),
        ({"caption": "the {occupatio} and {pronoun} dog"}, "did you mean occupation?"),
        ({"statistics": "none.csv", "shares": {}}, "there is no file 'none.csv'"),
        ({"shares": {"cook": 3.0}}, "it lies in 0 to 1"),
    ],
)
def test_faults_are_named_in_one_line(params: dict[str, Any], fault: str) -> None:
    with pytest.raises((DataError, UsageError)) as caught:
        planned(people(), **params)
    assert fault in str(caught.value)
    assert "\n" not in str(caught.value)


def test_overlong_text_is_an_error_row_and_a_small_group_is_not_judged() -> None:
    long = "x" * 70
    cell = planned(people(), occupations=(*JOBS, long))
    rows = AUDIT.run(cell, Lot(0))
    assert len([row for row in rows.to_pylist() if row["kind"] == "text" and long in row["item"]]) == 1
    found = AUDIT.score(replace(cell, dataset=None), rows)
    assert len([e for e in found if e.metric == "margin"]) == len(JOBS)
    few = [i for i in people() if i.attributes["gender"] == "Male"] + people(3)[1:2]
    few[-1] = Item("other", gender="Female", occupation="cook")
    assert [e.status for e in audit(few, Lot(0))] == [Status.TOO_SMALL]
