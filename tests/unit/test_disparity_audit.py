"""The disparity audit: rates from their definitions, planted gaps, null calibration, recorded models, bad input."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from clipaudit_audits.social_bias.disparity import Disparity
from clipaudit_audits.social_bias.disparity_params import DisparityParams
from scipy.stats import binom

from clipaudit.contract import Cell, Need, PlanContext
from clipaudit.data.dataset import Dataset
from clipaudit.errors import ClipAuditError, DataError, NotSupported, UsageError
from clipaudit.models.control import load_control
from clipaudit.models.protocol import Embedded, Scores
from clipaudit.models.recorded import load_recorded
from clipaudit.results import DataInfo, Estimate, ModelInfo, Status
from clipaudit.testing import check_audit

AUDIT = Disparity()
CLASSES = ("artist", "doctor", "farmer")


@dataclass(frozen=True)
class Item:
    id: str
    attributes: Mapping[str, str]
    digest: str = ""

    def load(self) -> Any:
        raise AssertionError("no pixel is looked at")


def people(lines: Sequence[Mapping[str, str]], groups: tuple[str, ...] = (), cluster: str | None = None) -> Dataset:
    info = DataInfo(
        id="people", title="People", digest="d", items=len(lines), licence="x", consent="drawn", groups=groups
    )
    items = [Item(f"{i:05d}.png", line) for i, line in enumerate(lines)]
    return Dataset(info, items, tuple(lines[0]), cluster)


def crowd(n: int, seed: int, classes: Sequence[str] = CLASSES) -> Dataset:
    rng = np.random.default_rng([seed, 1])
    drawn = [
        {"label": str(rng.choice(classes)), "tone": str(rng.choice(["dark", "light", "mid"])), "hair": str(rng.choice(["long", "short"]))}
        for _ in range(n)
    ]  # fmt: skip
    return people(drawn, ("tone", "hair"))


class Planted:
    """Gives the annotated class with a probability that depends on one column, else the next class."""

    capabilities = frozenset({Need.SCORES})
    info = ModelInfo(spec="p", name="planted", fingerprint="f", kind="python", capabilities=("scores",))

    def __init__(self, column: str, right: Mapping[str, float], seed: int = 0) -> None:
        self.column, self.right, self.seed = column, right, seed

    def embed_images(self, images: Sequence[Any]) -> Embedded:
        raise NotSupported("none")

    def embed_texts(self, texts: Sequence[str]) -> Embedded:
        raise NotSupported("none")

    def score_labels(self, images: Sequence[Any], labels: Sequence[str], templates: Sequence[str]) -> Scores:
        luck = np.random.default_rng([self.seed, 2]).random(len(images))
        values = np.zeros((len(images), len(labels)))
        for row, (image, draw) in enumerate(zip(images, luck, strict=True)):
            own = list(labels).index(image.attributes["label"])
            right = draw < self.right[image.attributes[self.column]]
            values[row, own if right else (own + 1) % len(labels)] = 1.0
        return Scores(values, "cosine", (None,) * len(images))


def run(dataset: Dataset, model: Any, **params: Any) -> tuple[list[Estimate], pa.Table, Cell]:
    (cell,) = AUDIT.plan(PlanContext(DisparityParams(**params), 0, dataset))
    rows = AUDIT.run(cell, model)
    bare = replace(cell, dataset=None)
    return AUDIT.score(bare, rows), rows, bare


def find(estimates: Sequence[Estimate], metric: str, **subgroup: str) -> Estimate:
    wanted = {name.replace("_", " "): value for name, value in subgroup.items()}
    (found,) = [e for e in estimates if e.metric == metric and wanted.items() <= dict(e.subgroup).items()
                and ("class" in wanted or "class" not in e.subgroup) and (wanted or not e.subgroup)]  # fmt: skip
    return found


TONE, BOTH = "tone (annotated)", "tone x hair (annotated)"


def test_every_rate_from_its_definition() -> None:
    estimates, rows, _ = run(crowd(900, 0), Planted("tone", {"dark": 0.6, "mid": 0.8, "light": 0.9}))
    table = rows.to_pylist()
    for grouping, columns in ((TONE, [0]), (BOTH, [0, 1])):
        members: dict[str, list[dict[str, Any]]] = {}
        for row in table:
            members.setdefault(", ".join(row["groups"][i] for i in columns), []).append(row)
        for about in CLASSES:
            rates: dict[str, list[float]] = {name: [] for name in ("accuracy", "selection_rate", "true_positive_rate", "false_positive_rate")}  # fmt: skip
            for group, own in members.items():
                of = [row for row in own if row["target"] == about]
                other = [row for row in own if row["target"] != about]
                values = {
                    "accuracy": sum(row["prediction"] == row["target"] for row in own) / len(own),
                    "selection_rate": sum(row["prediction"] == about for row in own) / len(own),
                    "true_positive_rate": sum(row["prediction"] == about for row in of) / len(of),
                    "false_positive_rate": sum(row["prediction"] == about for row in other) / len(other),
                }
                sizes = {"true_positive_rate": len(of), "false_positive_rate": len(other)}
                for metric, value in values.items():
                    rates[metric].append(value)
                    more = {} if metric == "accuracy" else {"class": about}
                    found = next(e for e in estimates if e.metric == metric and e.subgroup == {grouping: group, **more})
                    assert found.value == pytest.approx(value)
                    assert found.n == sizes.get(metric, len(own))
            p = np.array(rates["accuracy"])
            where = {"groups": grouping}
            assert find(estimates, "accuracy_gap", **where).value == pytest.approx(100 * np.ptp(p))
            assert find(estimates, "accuracy_ratio", **where).value == pytest.approx(p.min() / p.max())
            assert find(estimates, "mean_minus_worst", **where).value == pytest.approx(100 * (p.mean() - p.min()))
            assert find(estimates, "worst_group_accuracy", **where).value == pytest.approx(p.min())
            gaps = {metric: 100 * np.ptp(values) for metric, values in rates.items()}
            where["class"] = about
            names = {"demographic_parity_difference": "selection_rate", "true_positive_gap": "true_positive_rate",
                     "false_positive_gap": "false_positive_rate"}  # fmt: skip
            for metric, rate in names.items():
                assert find(estimates, metric, **where).value == pytest.approx(gaps[rate])
            odds = max(gaps["true_positive_rate"], gaps["false_positive_rate"])
            assert find(estimates, "equalised_odds_difference", **where).value == pytest.approx(odds)


def test_fairlearn_agrees_on_parity_and_odds() -> None:
    from fairlearn.metrics import demographic_parity_difference, demographic_parity_ratio, equalized_odds_difference

    estimates, rows, _ = run(crowd(600, 1, ("no", "yes")), Planted("hair", {"long": 0.6, "short": 0.9}))
    truth = [row["target"] == "no" for row in rows.to_pylist()]
    given = [row["prediction"] == "no" for row in rows.to_pylist()]
    hair = [row["groups"][1] for row in rows.to_pylist()]
    where = {"groups": "hair (annotated)", "class": "no"}  # the other class mirrors it and is not reported
    assert not [e for e in estimates if e.subgroup.get("class") == "yes"]
    for metric, function, scale in (
        ("demographic_parity_difference", demographic_parity_difference, 100),
        ("demographic_parity_ratio", demographic_parity_ratio, 1),
        ("equalised_odds_difference", equalized_odds_difference, 100),
    ):
        expected = scale * function(truth, given, sensitive_features=hair)
        assert find(estimates, metric, **where).value == pytest.approx(expected)


def test_a_planted_gap_is_found_at_its_size() -> None:
    estimates, *_ = run(crowd(3000, 2), Planted("tone", {"dark": 0.7, "mid": 0.9, "light": 0.9}))
    gap = find(estimates, "accuracy_gap", groups=TONE)
    assert gap.status is Status.EFFECT
    assert gap.interval is not None
    assert 10 < (gap.interval.low or 0) < 20 + 1e-9
    assert gap.value == pytest.approx(20, abs=5)
    assert "lowest for 'dark'" in gap.sentence
    dark = find(estimates, "accuracy", **{TONE: "dark"})
    assert dark.interval is not None
    assert (dark.interval.low or 0) < 0.7 < (dark.interval.high or 1)
    variance = find(estimates, "between_group_variance", groups=TONE, rate="accuracy")
    assert variance.interval is not None
    assert (variance.interval.low or 0) < np.var([70, 90, 90], ddof=1) < (variance.interval.high or 0)
    other = find(estimates, "accuracy_gap", groups="hair (annotated)")
    assert other.status is Status.NO_EFFECT
    assert other.minimum_detectable


def test_null_calibration_over_seeds() -> None:
    """A classifier blind to groups: p of the accuracy gap is at most .05 in 5 % of 200 seeds."""
    small = []
    for seed in range(200):
        # Groups that are the classes themselves have no rates of classes, which makes this fast.
        estimates, *_ = run(crowd(150, seed), load_control(f"classifier?accuracy=0.7&seed={seed}"), groups=["label"])
        test = find(estimates, "accuracy_gap", groups="label (annotated)").test
        assert test is not None
        small.append(test.p <= 0.05)
    low, high = (binom.ppf(q, 200, 0.05) for q in (0.001, 0.999))
    assert low <= sum(small) <= high


def test_groups_under_other_names_give_the_same() -> None:
    model = Planted("hair", {"long": 0.7, "short": 0.9})
    first = crowd(400, 3)
    names = {"dark": "x", "mid": "y", "light": "z"}
    renamed = [{**image.attributes, "tone": names[image.attributes["tone"]]} for image in first.images]
    one, two = run(first, model)[0], run(people(renamed, ("tone", "hair")), model)[0]
    for metric in ("accuracy_gap", "accuracy_ratio", "mean_minus_worst", "worst_group_accuracy"):
        assert find(one, metric, groups=TONE).value == pytest.approx(find(two, metric, groups=TONE).value)
    assert find(one, "accuracy", **{TONE: "dark"}).value == find(two, "accuracy", **{TONE: "x"}).value


def test_duplicated_images_of_a_cluster_narrow_nothing() -> None:
    lines = [{**image.attributes, "person": str(i)} for i, image in enumerate(crowd(300, 4).images)]
    once = people(lines, ("tone", "hair"), "person")
    thrice = people([line for line in lines for _ in range(3)], ("tone", "hair"), "person")

    class Steady(Planted):
        def score_labels(self, images: Sequence[Any], labels: Sequence[str], templates: Sequence[str]) -> Scores:
            values = np.zeros((len(images), len(labels)))
            for row, image in enumerate(images):
                own = list(labels).index(image.attributes["label"])
                values[row, own if int(image.attributes["person"]) % 4 else (own + 1) % len(labels)] = 1.0
            return Scores(values, "cosine", (None,) * len(images))

    one, three = (run(data, Steady("tone", {}))[0] for data in (once, thrice))
    assert len(one) == len(three)
    for first, second in zip(one, three, strict=True):
        assert second.n == 3 * first.n
        assert second.clusters == first.clusters
        assert (second.interval is None) == (first.interval is None)
        if first.interval is not None and second.interval is not None:
            assert second.interval.low == pytest.approx(first.interval.low)
            assert second.interval.high == pytest.approx(first.interval.high)
        assert second.status is first.status


def test_small_groups_are_shown_and_not_compared() -> None:
    lines = [
        {"label": "artist" if i % 2 else "doctor", "tone": "rare" if i < 29 else ("a", "b")[i % 2]} for i in range(300)
    ]
    estimates, *_ = run(people(lines, ("tone",)), load_control("classifier?accuracy=0.8"))
    rare = find(estimates, "accuracy", **{TONE: "rare"})
    assert rare.status is Status.TOO_SMALL
    assert rare.n == 29
    assert rare.interval is not None
    assert "Too small" in rare.sentence
    gap = find(estimates, "accuracy_gap", groups=TONE)
    assert gap.n == 271
    assert any("'rare'" in note for note in gap.notes)


def test_a_group_that_cannot_be_read() -> None:
    dataset = crowd(200, 5)

    class Blind(Planted):
        def score_labels(self, images: Sequence[Any], labels: Sequence[str], templates: Sequence[str]) -> Scores:
            found = super().score_labels(images, labels, templates)
            lost = [image.attributes["tone"] == "dark" for image in images]
            found.values[lost] = np.nan
            return replace(found, errors=tuple("broken" if one else None for one in lost))

    estimates, rows, cell = run(dataset, Blind("tone", dict.fromkeys(("dark", "mid", "light"), 0.8)))
    dark = find(estimates, "accuracy", **{TONE: "dark"})
    assert (dark.status, dark.n, dark.value) == (Status.TOO_SMALL, 0, None)
    assert "no image could be read" in dark.sentence
    assert rows["error"].drop_null().unique().to_pylist() == ["broken"]
    assert AUDIT.figures(cell, rows, estimates)


def test_empty_annotations_are_left_out_and_counted() -> None:
    lines = [dict(image.attributes) for image in crowd(200, 6).images]
    for line in lines[:20]:
        line["label"] = ""
    for line in lines[20:50]:
        line["tone"] = " "
    estimates, rows, _ = run(people(lines, ("tone", "hair")), load_control("classifier?accuracy=0.8"))
    assert find(estimates, "accuracy").n == 180
    assert any("20 images" in note for note in find(estimates, "accuracy").notes)
    assert find(estimates, "accuracy_gap", groups=TONE).n == 150
    assert find(estimates, "accuracy_gap", groups="hair (annotated)").n == 180
    assert rows["error"].null_count == 200


def recorded(folder: Path, kind: str, lines: Sequence[tuple[str, str, float | None]]) -> Any:
    folder.mkdir()
    (folder / "manifest.toml").write_text(f'name = "x"\nkind = "scores"\nscore_kind = "{kind}"\n', encoding="utf-8")
    ids, texts, scores = zip(*lines, strict=True)
    columns = {"id": list(ids), "text": list(texts)} | ({} if scores[0] is None else {"score": list(scores)})
    pq.write_table(pa.table(columns), folder / "scores.parquet")
    return load_recorded(folder)


def by_hand(dataset: Dataset) -> dict[str, str]:
    """Item -> class given: every fourth is wrong."""
    return {
        image.id: image.attributes["label"] if i % 4 else CLASSES[(CLASSES.index(image.attributes["label"]) + 1) % 3]
        for i, image in enumerate(dataset.images)
    }


@pytest.mark.parametrize("prompt", ["{}", "a photo of a {}."])
@pytest.mark.parametrize("kind", ["cosine", "logit", "probability", "decision"])
def test_recorded_scores_of_every_kind_by_prompt_or_label(tmp_path: Path, kind: str, prompt: str) -> None:
    dataset = crowd(160, 7)
    given = by_hand(dataset)
    lines: list[tuple[str, str, float | None]]
    if kind == "decision":
        lines = [(name, prompt.replace("{}", label), None) for name, label in given.items()]
    else:
        top, rest = {"cosine": (0.3, 0.2), "logit": (30.0, 20.0), "probability": (0.8, 0.1)}[kind]
        lines = [(name, prompt.replace("{}", label), top if label == chosen else rest)
                 for name, chosen in given.items() for label in CLASSES]  # fmt: skip
    estimates, *_ = run(dataset, recorded(tmp_path / "r", kind, lines))
    overall = find(estimates, "accuracy")
    assert overall.value == pytest.approx(0.75)
    assert any("templates have no effect" in note for note in overall.notes) == (prompt == "{}")


def test_recorded_labels_by_another_name_merged_and_partial(tmp_path: Path) -> None:
    lines = [{"age": ("0-2", "3-9", "20-29", "60-69")[i % 4], "tone": ("a", "b")[i // 4 % 2]} for i in range(240)]
    dataset = people(lines, ("tone", "age"))
    words = {"0-2": "child", "3-9": "child", "20-29": "adult", "60-69": "adult"}
    model = recorded(tmp_path / "r", "decision", [(i.id, words[i.attributes["age"]], None) for i in dataset.images])
    estimates, *_ = run(
        dataset, model, target="age", labels={"0-2": "child", "3-9": "child", "20-29": ["adult", "grown-up"]}
    )
    overall = find(estimates, "accuracy")
    assert (overall.value, overall.n) == (1.0, 180)
    assert any(note.startswith("60 images") for note in overall.notes)
    assert any("0-2 / 3-9 are one class" in note for note in overall.notes)
    more = people([*lines, {"age": "0-2", "tone": "a"}], ("tone", "age"))
    with pytest.raises(DataError, match=r"id '00240.png' not recorded") as caught:
        run(more, model, target="age", labels={"0-2": "child", "3-9": "child", "20-29": "adult"})
    assert "disparity.labels" not in str(caught.value)
    with pytest.raises(DataError, match=r"'child' is none of the labels.*disparity\.labels=\{'0-2' = "):
        run(dataset, model, target="age")


def test_decisions_for_other_labels_count_as_wrong(tmp_path: Path) -> None:
    dataset = crowd(160, 8)
    given = {name: "animal" if i % 8 == 0 else label for i, (name, label) in enumerate(by_hand(dataset).items())}
    model = recorded(tmp_path / "r", "decision", [(name, label, None) for name, label in given.items()])
    for others, word in ((["animal"], "nobody's class"), ([], "none of the labels")):
        overall = find(run(dataset, model, others=others)[0], "accuracy")
        right = sum(
            label == image.attributes["label"] for label, image in zip(given.values(), dataset.images, strict=True)
        )
        assert overall.value == pytest.approx(right / 160)
        assert any(word in note for note in overall.notes)


def test_label_order_changes_nothing(tmp_path: Path) -> None:
    dataset = crowd(120, 9)
    lines = [(name, label, 0.1) for name, chosen in by_hand(dataset).items() for label in CLASSES if label != chosen]
    lines += [(name, chosen, 0.1 if i % 10 == 0 else 0.8) for i, (name, chosen) in enumerate(by_hand(dataset).items())]
    model = recorded(tmp_path / "r", "probability", lines)
    first, second = (find(run(dataset, model, labels=list(order))[0], "accuracy") for order in (CLASSES, CLASSES[::-1]))
    assert first.value == second.value
    assert any("preferred none" in note for note in first.notes)  # every tenth image ties


def test_a_prompt_that_is_too_long_is_an_error_row_with_its_text() -> None:
    class Short(Planted):
        def score_labels(self, images: Sequence[Any], labels: Sequence[str], templates: Sequence[str]) -> Scores:
            if long := next((label for label in labels if len(label) > 50), None):
                raise DataError(f"{long!r}: longer than the context")
            return super().score_labels(images, labels, templates)

    lines = [dict(image.attributes) for image in crowd(200, 10, (*CLASSES, "x" * 60)).images]
    model = Short("tone", dict.fromkeys(("dark", "mid", "light"), 1.0))
    estimates, rows, _ = run(people(lines, ("tone", "hair")), model_without_long(model))
    (error,) = [row for row in rows.to_pylist() if row["kind"] == "text"]
    assert error["item"] == "x" * 60
    assert "longer than the context" in error["error"]
    overall = find(estimates, "accuracy")
    assert overall.value == 1.0
    assert overall.n == sum(line["label"] in CLASSES for line in lines)
    assert any("refused by the model" in note for note in overall.notes)


def model_without_long(model: Planted) -> Any:
    """Images of the refused class are scored against the others, as any model would."""

    class Wrapped:
        info, capabilities = model.info, model.capabilities
        embed_images, embed_texts = model.embed_images, model.embed_texts

        def score_labels(self, images: Sequence[Any], labels: Sequence[str], templates: Sequence[str]) -> Scores:
            known = [Item(i.id, {**i.attributes, "label": i.attributes["label"] if i.attributes["label"] in labels else labels[0]})
                     for i in images]  # fmt: skip
            return model.score_labels(known, labels, templates)

    return Wrapped()


def test_templates_alone_are_compared() -> None:
    class Worded(Planted):
        def score_labels(self, images: Sequence[Any], labels: Sequence[str], templates: Sequence[str]) -> Scores:
            if "the {}" in templates and len(templates) == 1:
                return Planted("hair", {"long": 0.6, "short": 0.9}).score_labels(images, labels, templates)
            return super().score_labels(images, labels, templates)

    estimates, *_ = run(
        crowd(600, 11), Worded("hair", {"long": 0.9, "short": 0.7}), templates=["a {}", "the {}"], groups=["hair"]
    )
    gap = find(estimates, "accuracy_gap", groups="hair (annotated)")
    assert any(note.startswith("Template-sensitive") for note in gap.notes)
    assert "depends on the wording" in gap.sentence
    assert [e for e in estimates if e.metric == "template_agreement"]


def _planned(dataset: Dataset, **params: Any) -> DisparityParams:
    (cell,) = AUDIT.plan(PlanContext(DisparityParams(**params), 0, dataset))
    found: DisparityParams = cell.params
    return found


def test_what_is_asked_by_default() -> None:
    assert _planned(crowd(50, 0)).target == "label"
    unlabelled = people([{"race": "abc"[i % 3], "gender": "FM"[i % 2]} for i in range(60)], ("race", "gender"))
    planned = _planned(unlabelled)
    assert planned.target == "gender"
    assert list(planned.labels) == ["F", "M"]
    assert planned.groups == ("race", "gender")
    estimates, *_ = run(unlabelled, load_control("null"), min_group=5)
    assert not [e for e in estimates if "class" in e.subgroup and "gender" in e.subgroup.get("groups", "")]


def test_one_group_all_answered_alike_is_no_gap() -> None:
    """All images of the other group unreadable, the same answer for all of this one: a single row for fairlearn."""
    lines = [{"label": "artist" if i < 40 else "doctor", "tone": ("light", "dark")[i // 40]} for i in range(80)]

    class Blind(Planted):
        def score_labels(self, images: Sequence[Any], labels: Sequence[str], templates: Sequence[str]) -> Scores:
            found = super().score_labels(images, labels, templates)
            dark = [image.attributes["tone"] == "dark" for image in images]
            values = np.where(np.array(dark)[:, None], np.nan, found.values)
            return replace(found, values=values, errors=tuple("cannot be read" if one else None for one in dark))

    estimates, *_ = run(people(lines, ("tone",)), Blind("tone", {"light": 1.0, "dark": 1.0}))
    assert find(estimates, "accuracy").value == 1.0
    assert find(estimates, "accuracy_gap", groups="tone (annotated)").status is Status.TOO_SMALL
    assert "no image could be read" in find(estimates, "accuracy", **{"tone (annotated)": "dark"}).sentence


def test_people_are_asked_for_in_words_for_people(tmp_path: Path) -> None:
    """A value of a group column is no noun: "a photo of a Female." asks for nobody. Recordings may still say it."""
    lines = [{"gender": ("Female", "Male")[i % 2], "race": ("Black", "East Asian")[i // 2 % 2]} for i in range(120)]
    dataset = people(lines, ("gender", "race"))
    (cell,) = AUDIT.plan(PlanContext(DisparityParams(), 0, dataset))
    assert AUDIT.workload(cell).texts == ["a photo of a woman.", "a photo of a man."]
    assert dict(_planned(dataset, target="race").labels)["East Asian"] == ("East Asian person",)
    for written in ({"Female": "Female", "Male": "Male"}, {"Female": "a woman", "Male": "a man"}):
        decided = [(i.id, written[i.attributes["gender"]], None) for i in dataset.images]
        overall = find(run(dataset, recorded(tmp_path / written["Male"], "decision", decided))[0], "accuracy")
        assert overall.value == 1.0
        assert f"The first class was asked for as '{written['Female']}'." in overall.notes
    assert dict(_planned(crowd(50, 0)).labels)["artist"] == ("artist",)  # a class that is no group is asked as it is


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"groups": ["ton"]}, "no column 'ton'; did you mean tone"),
        ({"target": "lable"}, "no column 'lable'; did you mean label"),
        ({"labels": {"artst": "artist", "doctor": "doctor"}}, "no value 'artst'; did you mean artist"),
        ({"labels": ["artist"]}, "needs two classes"),
        ({"labels": {"artist": "someone", "doctor": ["doctor", "someone"]}}, "'someone' twice"),
        ({"labels": {"artist": "A  b", "doctor": "a b"}}, "which are one text"),
        ({"others": ["doctor"]}, "'doctor' twice"),
        ({"labels": {"artist": " ", "doctor": "doctor"}}, "a text is empty"),
        ({"templates": ["a photo"]}, "has no {} for the label"),
        ({"cluster": "person"}, "no column 'person'"),
    ],
)
def test_bad_parameters_are_named_in_one_line(params: dict[str, Any], message: str) -> None:
    with pytest.raises(ClipAuditError) as caught:
        _planned(crowd(60, 0), **params)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_bad_data_is_named_in_one_line() -> None:
    with pytest.raises(ValueError, match="'a' is given twice"):
        DisparityParams(labels=["a", "a"])
    with pytest.raises(UsageError, match="give the audit a data set"):
        AUDIT.plan(PlanContext(DisparityParams(), 0, None))
    base = [{"label": CLASSES[i % 3], "tone": "ab"[i % 2], "one": "x"} for i in range(60)]
    with pytest.raises(DataError, match="single value"):
        _planned(people(base, ("tone",)), groups=["one"])
    with pytest.raises(DataError, match="differ only by case or blanks"):
        _planned(people([*base, {"label": "Artist", "tone": "a", "one": "x"}], ("tone",)))
    with pytest.raises(DataError, match="differ only by case or blanks"):
        _planned(people([*base, {"label": "artist", "tone": "A ", "one": "x"}], ("tone",)))
    with pytest.raises(DataError, match="needs two classes"):
        _planned(people([{**line, "label": "artist"} for line in base], ("tone",)))


def test_the_contract_with_clusters_and_templates() -> None:
    lines = [{**image.attributes, "person": str(i // 2)} for i, image in enumerate(crowd(120, 12).images)]
    data = people(lines, ("tone", "hair"), "person")
    check_audit(AUDIT, data, load_control("null"), params={"min_group": 10, "templates": ["a {}", "the {}"]})


def test_copies_make_no_group_large_but_other_annotations_of_one_person_do() -> None:
    """Twelve people: ten copies of each are twelve images; each drawn in ten ways they are 120."""
    copies = [
        {"label": CLASSES[i % 2], "tone": "ab"[i % 2], "hair": "x", "person": str(i)}
        for i in range(12)
        for _ in range(10)
    ]
    ways = [{**line, "hair": str(i % 10), "tone": "ab"[i % 2]} for i, line in enumerate(copies)]
    small, large = (
        run(people(lines, ("tone", "hair"), "person"), load_control("classifier?accuracy=0.8"), groups=["tone", "hair"] if many else ["tone"])[0]
        for lines, many in ((copies, False), (ways, True))
    )  # fmt: skip
    assert find(small, "accuracy_gap", groups=TONE).status is Status.TOO_SMALL
    assert find(large, "accuracy_gap", groups=TONE).value is not None
    assert "Too small" in find(small, "accuracy", **{TONE: "a"}).sentence
