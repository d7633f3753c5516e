"""Error consistency against hand-worked tables, scikit-learn's kappa, the published observers and planted agreement."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from clipaudit_audits.meaning.error_consistency import ErrorConsistency, ErrorConsistencyParams
from clipaudit_audits.meaning.error_consistency_estimates import Trials, matrix, results
from clipaudit_audits.meaning.error_consistency_measures import attainable, kappa, kappas, shuffled_means
from clipaudit_audits.meaning.error_consistency_observers import by_item, read_observers
from scipy.stats import binom
from sklearn.metrics import cohen_kappa_score

from clipaudit.contract import Cell, PlanContext
from clipaudit.errors import DataError, DataUnavailable

PUBLISHED = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "human_cue_conflict"
METRICS = {metric.name: metric for metric in ErrorConsistency.spec.metrics}


def _rows(correct: np.ndarray) -> pa.Table:
    """Rows in which decider 0 is the model; the true class is "a"."""
    names = [f"subject-{i:02d}" for i in range(1, len(correct))]
    word = {1: "a", 0: "b"}
    return pa.Table.from_pylist(
        [
            {
                "item": f"i{j:05d}",
                "truth": "a",
                "decision": word[int(column[0])],
                "observers": names,
                "responses": [word[int(value)] for value in column[1:]],
                "error": None,
            }
            for j, column in enumerate(correct.T)
        ]
    )


def test_kappa_of_a_hand_worked_table() -> None:
    # 100 trials: both right 50, both wrong 20, only the first 10, only the second 20.
    first = np.repeat([1.0, 0.0, 1.0, 0.0], [50, 20, 10, 20])
    second = np.repeat([1.0, 0.0, 0.0, 1.0], [50, 20, 10, 20])
    expected = 0.6 * 0.7 + 0.4 * 0.3
    assert kappa(first, second) == pytest.approx((0.7 - expected) / (1 - expected), abs=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_kappa_is_that_of_scikit_learn(seed: int) -> None:
    rng = np.random.default_rng(seed)
    correct = (rng.random((4, 200)) < rng.random((4, 1))).astype(float)
    pairs = list(combinations(range(4), 2))
    found = kappas(correct, pairs)(np.ones((1, 200)))[0]
    assert found == pytest.approx([cohen_kappa_score(correct[i], correct[j]) for i, j in pairs], abs=1e-12)


def test_multiplicities_are_repeated_trials() -> None:
    rng = np.random.default_rng(1)
    correct = (rng.random((2, 30)) < 0.6).astype(float)
    counts = rng.integers(0, 4, 30)
    repeated = np.repeat(correct, counts, axis=1)
    found = kappas(correct, [(0, 1)])(counts[None].astype(float))[0, 0]
    assert found == pytest.approx(cohen_kappa_score(*repeated), abs=1e-12)


def test_trials_without_an_answer_do_not_count() -> None:
    first, second = np.array([1, 1, 0, 0, np.nan, 1]), np.array([1, 1, 0, 1, 0, np.nan])
    assert kappa(first, second) == pytest.approx(cohen_kappa_score(first[:4], second[:4]))
    assert kappa(np.ones(5), np.ones(5)) is None  # agreement by chance is certain


@pytest.mark.parametrize(("p1", "p2"), [(0.9, 0.2), (0.5, 0.7), (0.3, 0.3)])
def test_attainable_bounds_are_reached(p1: float, p2: float) -> None:
    n = 1000
    first = (np.arange(n) < p1 * n).astype(float)
    nested = (np.arange(n) < p2 * n).astype(float)
    low, high = attainable(p1, p2)
    assert kappa(first, nested) == pytest.approx(high, abs=1e-9)
    assert kappa(first, nested[::-1]) == pytest.approx(low, abs=1e-9)


def test_shuffling_equals_shuffling_one_by_one() -> None:
    rng = np.random.default_rng(3)
    people = (rng.random((3, 40)) < 0.7).astype(float)
    people[1, :5] = np.nan
    model = (rng.random(40) < 0.4).astype(float)
    draws = shuffled_means(model, people, seed=5, draws=20)
    again = np.random.default_rng(5).permuted(np.tile(model, (20, 1)), axis=1)
    slow = [np.mean([kappa(one, person) for person in people]) for one in again]
    assert draws == pytest.approx(slow, abs=1e-12)


def test_a_planted_agreement_is_found_at_its_size() -> None:
    """The model copies a person's correctness with probability q and else guesses with the same accuracy: kappa = q."""
    q, held, seeds = 0.4, 0, 30
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        person = (rng.random(500) < 0.6).astype(float)
        model = np.where(rng.random(500) < q, person, rng.random(500) < 0.6).astype(float)
        main = results(Trials(_rows(np.stack([model, person]))), METRICS, seed)[0]
        assert main.interval is not None
        assert main.interval.low is not None
        assert main.interval.high is not None
        assert main.test is not None
        assert main.test.p < 0.01
        held += main.interval.low <= q <= main.interval.high
    low, high = binom.interval(0.999, seeds, 0.95)
    assert low <= held <= high


def test_independent_errors_are_called_consistent_as_often_as_alpha_says() -> None:
    seeds, alarms = 300, 0
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        difficulty = rng.random(120)  # people agree with each other; the model does not look at what they see
        people = (rng.random((3, 120)) < difficulty).astype(float)
        model = (rng.random(120) < 0.5).astype(float)
        draws = shuffled_means(model, people, seed, 399)
        value = np.mean([kappa(model, person) for person in people])
        extreme = np.abs(draws - draws.mean()) >= abs(value - draws.mean()) - 1e-12
        alarms += (1 + int(extreme.sum())) / 400 <= 0.05
    low, high = binom.interval(0.998, seeds, 0.05)
    assert low <= alarms <= high


@pytest.mark.skipif(not PUBLISHED.is_dir(), reason="the published responses are not on this machine")
def test_the_published_observers() -> None:
    responses, _ = read_observers(str(PUBLISHED))
    names = sorted(responses)
    files = sorted({item.rsplit("_", 1)[-1] for own in responses.values() for item in own})
    matched = by_item(responses, files)
    assert (len(names), len(files)) == (10, 1280)
    rows = pa.Table.from_pylist(
        [
            {
                "item": file,
                "truth": (shape := file.split("-")[0].rstrip("0123456789")),
                "decision": shape,
                "observers": names,
                "responses": [matched[name][file] for name in names],
                "error": None,
            }
            for file in files
        ]
    )
    shown, found = matrix(Trials(rows))
    correct = {n: [matched[n][f] == f.split("-")[0].rstrip("0123456789") for f in files] for n in names}
    for i, j in combinations(range(10), 2):
        independent = cohen_kappa_score(correct[names[i]], correct[names[j]])
        assert found[shown.index(names[i]), shown.index(names[j])] == pytest.approx(independent, abs=1e-12)


def test_the_matrix_shows_every_pair_both_ways_and_people_s_mean_as_a_line() -> None:
    """Model and first observer agree by chance only (kappa 0), the two observers always (1), the model with both alike."""
    correct = np.tile(np.array([[1, 1, 0, 0], [1, 0, 1, 0], [1, 0, 1, 0]]), 10)
    cell = Cell(ErrorConsistency.spec, ErrorConsistencyParams(observers="x"), 0)
    rows = _rows(correct)
    audit = ErrorConsistency()
    heat, forest = audit.figures(cell, rows, audit.score(cell, rows))
    assert heat.rows == heat.columns == ("the model", "subject-01", "subject-02")
    assert heat.values == ((None, 0.0, 0.0), (0.0, None, 1.0), (0.0, 1.0, None))
    assert [(r.label, r.value) for r in forest.references] == [("among people", 1.0)]
    assert [p.value for p in forest.points] == [0.0, 0.0]


def test_names_of_published_tables(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        "subj,session,imagename,object_response\ns1,1,0001_x_y_cat1-dog2.png,cat\ns1,1,0002_x_y_big_car.png,dog\n"
    )
    responses, digest = read_observers(str(tmp_path))
    assert by_item(responses, ["cat/cat1-dog2.png", "big_car.png", "other.png"]) == {
        "s1": {"cat/cat1-dog2.png": "cat", "big_car.png": "dog"}
    }
    assert len(digest) == 16


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("who,item,response\na,b,c\n", "no column 'observer'"),
        ("observer,item,response\n,b,c\n", "line 2 names no observer"),
        ("observer,item,response\na,b,c\na,b,d\n", "line 3: a answers 'b' a second time"),
    ],
)
def test_faulty_tables_are_one_line(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(DataError, match=said):
        read_observers(str(tmp_path / "a.csv"))


def test_observers_of_other_items(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("observer,item,response\na,b.png,c\n")
    with pytest.raises(DataError, match=r"'b\.png'.*'z\.png'"):
        by_item(read_observers(str(tmp_path))[0], ["z.png"])
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(DataError, match=r"no \.csv files"):
        read_observers(str(empty))


def test_without_observers_nothing_is_run() -> None:
    from clipaudit.data.registry import DataRegistry

    context = PlanContext(ErrorConsistencyParams(), 0, DataRegistry({}).open("objects"))
    with pytest.raises(DataUnavailable, match=r"error_consistency\.observers"):
        ErrorConsistency().plan(context)
