"""Two images, two captions: the three scores against closed forms and planted effects, and the forms of the data."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
from caption_models import CaptionModel, bag_of_words, own
from captioned import Captioned, paired
from clipaudit_audits.meaning.composition_matching import CompositionMatching
from clipaudit_audits.meaning.composition_matching_estimates import CHANCE, solved
from PIL import Image
from scipy.stats import binom, binomtest

from clipaudit.contract import Need, Params, PlanContext
from clipaudit.data.dataset import Dataset
from clipaudit.data.files import NamedItem
from clipaudit.data.registry import DataRegistry
from clipaudit.errors import DataError, NotSupported
from clipaudit.images import ImageRef
from clipaudit.models.control import load_control
from clipaudit.models.protocol import Embedded, Model, Scores
from clipaudit.results import Estimate, Status

AUDIT = CompositionMatching()


def _examples(n: int) -> Dataset:
    """Images that are names only, two to an example."""
    items = [
        Captioned(f"{i}/{side}", {"example": str(i), "caption": f"{i} is {side}", "tag": ""}, NamedItem(f"{i}/{side}", {}))
        for i in range(n) for side in (0, 1)
    ]  # fmt: skip
    return replace(paired(2), images=items)


def _found(dataset: Dataset, model: Model) -> dict[str, Estimate]:
    cell = AUDIT.plan(PlanContext(Params(), 0, dataset))[0]
    return {" ".join((e.metric, *e.subgroup.values())): e for e in AUDIT.score(cell, AUDIT.run(cell, model))}


class Table:
    """Scores alone, from (example, image's side, caption's side)."""

    capabilities = frozenset({Need.SCORES})

    def __init__(self, values: np.ndarray, kind: str = "cosine") -> None:
        self.info, self._values, self._kind = load_control("null").info, values, kind

    def embed_images(self, images: Sequence[ImageRef]) -> Embedded:
        raise AssertionError("has no embeddings")

    embed_texts = embed_images  # type: ignore[assignment]

    def score_labels(self, images: Sequence[ImageRef], labels: Sequence[str], templates: Sequence[str]) -> Scores:
        at = [tuple(map(int, image.id.split("/"))) for image in images]
        scores = [[self._values[i, side, int(label[-1])] for label in labels] for i, side in at]
        return Scores(np.array(scores), self._kind, (None,) * len(images))  # type: ignore[arg-type]


def test_chance_is_the_share_of_orders_of_four_scores() -> None:
    orders = np.array(list(permutations(range(4))), dtype=float).reshape(-1, 2, 2)
    for name, hits in solved(orders).items():
        assert Fraction(int(hits.sum()), len(orders)) == Fraction(CHANCE[name]).limit_denominator(12)


def test_the_scores_by_hand() -> None:
    only_text = [[0.9, 0.8], [0.1, 0.2]]  # each image takes its caption; both captions take the first or second image
    only_image = [[0.9, 0.1], [0.95, 0.2]]
    tied = [[0.5, 0.5], [0.1, 0.9]]
    found = solved([only_text, [[0.9, 0.1], [0.8, 0.2]], tied])
    assert found["text"].tolist() == [True, False, False]
    assert solved([only_text])["image"].tolist() == [False]
    assert solved([np.transpose(only_text)])["image"].tolist() == [True]
    assert not any(hits[0] for hits in solved([only_image]).values())
    assert not any(hits[2] for name, hits in found.items() if name != "image")


def test_planted_scores_are_found() -> None:
    rng = np.random.default_rng(0)
    values = rng.random((300, 2, 2))
    right = rng.random(300) < 0.6
    values[right] = [[0.9, 0.1], [0.2, 0.8]]
    wanted = {name: hits.mean() for name, hits in solved(values).items()}
    found = _found(_examples(300), Table(values))
    for name, share in wanted.items():
        estimate = found[f"{name}_score"]
        assert estimate.value == pytest.approx(share)
        assert estimate.status is Status.EFFECT
        assert estimate.test is not None
        assert estimate.test.p == pytest.approx(binomtest(round(300 * share), 300, CHANCE[name]).pvalue)
        assert estimate.references == ()  # what people reach belongs to the published set


def test_nothing_is_found_where_nothing_is_planted() -> None:
    alarms = 0
    for seed in range(150):
        hits = solved(np.random.default_rng(seed).random((100, 2, 2)))
        alarms += sum(binomtest(int(hit.sum()), 100, CHANCE[name]).pvalue <= 0.05 / 3 for name, hit in hits.items()) > 0
    assert alarms <= binom.ppf(0.999, 150, 0.05)


def test_a_bag_of_words_earns_nothing_where_the_words_are_the_same() -> None:
    dataset = paired(24)
    same = [
        Captioned(
            image.id, {**image.attributes, "caption": "a dog bites a man" if i % 2 else "a man bites a dog"}, image
        )
        for i, image in enumerate(dataset.images)
    ]
    found = _found(replace(dataset, images=same), CaptionModel(bag_of_words, own))
    assert found["text_score"].value == 0.0
    assert found["group_score"].value == 0.0


def test_tags_are_slices_of_all() -> None:
    found = _found(paired(24), load_control("null"))
    whole = found["text_score"]
    parts = [found["text_score object"], found["text_score relation"]]
    assert whole.value == pytest.approx(sum((e.value or 0) * e.n for e in parts) / whole.n)
    assert whole.n == sum(e.n for e in parts) == 24


def test_decisions_alone_do_not_do() -> None:
    with pytest.raises(NotSupported, match="decisions"):
        _found(_examples(3), Table(np.zeros((3, 2, 2)), "decision"))


def test_faults_of_examples() -> None:
    dataset = paired(4)
    images = list(dataset.images)
    images[1] = Captioned(
        images[1].id, {**images[1].attributes, "caption": images[0].attributes["caption"].upper()}, images[1]
    )
    rows = AUDIT.run(AUDIT.plan(PlanContext(Params(), 0, replace(dataset, images=images)))[0], load_control("null"))
    assert "the same" in rows.to_pylist()[0]["error"]
    third = Captioned("third", images[0].attributes, images[0])
    with pytest.raises(DataError, match="has 3 images"):
        AUDIT.plan(PlanContext(Params(), 0, replace(dataset, images=[*images, third])))
    with pytest.raises(DataError, match="no two items"):
        AUDIT.plan(PlanContext(Params(), 0, replace(dataset, images=images[::2])))
    cell = AUDIT.plan(PlanContext(Params(), 0, replace(dataset, images=images[1:])))[0]  # a limit parted the first
    assert len(AUDIT.run(cell, load_control("null"))) == 3


def _written(folder: Path, **changes: object) -> list[dict[str, object]]:
    """Two examples in the published form, with images that are all of one colour."""
    examples = []
    for i in range(2):
        entry = {"id": i, "tag": "Noun", "collapsed_tag": "Object"}
        for side in (0, 1):
            name = f"ex_{i}_img_{side}"
            entry |= {f"image_{side}": name, f"caption_{side}": f"caption {i} {side}"}
            (folder / "images").mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (8, 8), (100 * i, 100 * side, 0)).save(folder / "images" / f"{name}.png")
        examples.append({**entry, **(changes if i else {})})
    (folder / "examples.jsonl").write_text("\n".join(map(json.dumps, examples)))
    return examples


def _same_items(dataset: Dataset) -> None:
    assert [image.id for image in dataset.images] == [f"ex_{i}_img_{s}" for i in (0, 1) for s in (0, 1)]
    assert dataset.column("caption") == [f"caption {i} {s}" for i in (0, 1) for s in (0, 1)]
    assert set(dataset.column("tag")) == {"Object"}
    assert [image.load().getpixel((0, 0)) for image in dataset.images] == [
        (100 * i, 100 * s, 0) for i in (0, 1) for s in (0, 1)
    ]


def test_the_published_forms_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from datasets import Dataset as Table
    from datasets import Features, Value
    from datasets import Image as Picture

    monkeypatch.setenv("CLIPAUDIT_CACHE", str(tmp_path / "cache"))
    examples = _written(tmp_path / "lines" / "data")
    _same_items(DataRegistry({"winoground": tmp_path / "lines"}).open("winoground"))
    files = tmp_path / "lines" / "data" / "images"
    stored = [
        {**e, **{f"image_{s}": {"bytes": (files / f"{e[f'image_{s}']}.png").read_bytes()} for s in (0, 1)}}
        for e in examples
    ]
    text = Value("string")
    features = Features(
        {"id": Value("int32"), "tag": text, "collapsed_tag": text, "image_0": Picture(), "caption_0": text,
         "image_1": Picture(), "caption_1": text}
    )  # fmt: skip
    (tmp_path / "table").mkdir()
    Table.from_list(stored, features=features).to_parquet(tmp_path / "table" / "test.parquet")
    _same_items(DataRegistry({"winoground": tmp_path / "table"}).open("winoground"))


def test_faults_of_the_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds neither"):
        DataRegistry({"winoground": tmp_path}).open("winoground")
    _written(tmp_path, caption_1=None)
    with pytest.raises(DataError, match="line 2: has no 'caption_1'"):
        DataRegistry({"winoground": tmp_path}).open("winoground")
    _written(tmp_path, image_0="../../secret.png")
    with pytest.raises(DataError, match="must be a file name alone"):
        DataRegistry({"winoground": tmp_path}).open("winoground")
    (tmp_path / "examples.jsonl").write_text("{")
    with pytest.raises(DataError, match="line 1: not valid JSON"):
        DataRegistry({"winoground": tmp_path}).open("winoground")
