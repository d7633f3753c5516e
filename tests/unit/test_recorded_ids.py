"""Recordings whose ids differ from the data set's in leading folders only."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from clipaudit.data.files import NamedItem
from clipaudit.errors import DataError
from clipaudit.models.protocol import Model
from clipaudit.models.recorded import load_recorded
from clipaudit.models.recorded_ids import SameItems


def _items(*names: str) -> list[NamedItem]:
    return [NamedItem(name, {}) for name in names]


@pytest.mark.parametrize(
    ("recorded", "asked", "found"),
    [
        (["1.jpg", "2.jpg"], ["val/1.jpg", "val/2.jpg"], ["1.jpg", "2.jpg"]),
        (["fairface/val/1.jpg"], ["val/1.jpg"], ["fairface/val/1.jpg"]),
        (["val/1.jpg", "1.jpg"], ["val/1.jpg"], ["val/1.jpg"]),  # the same name is the best there is
        (["train/1.jpg"], ["val/1.jpg"], ["val/1.jpg"]),  # another picture: not to be taken for it
        (["a/1.jpg", "b/1.jpg"], ["1.jpg"], ["1.jpg"]),  # which?
        (["1.jpg"], ["train/1.jpg", "val/1.jpg"], ["1.jpg", "val/1.jpg"]),  # one recording is no two items
        (["1.jpg"], ["val/1.jpg", "1.jpg"], ["val/1.jpg", "1.jpg"]),
        (["11.jpg"], ["1.jpg"], ["1.jpg"]),
    ],
)
def test_names(recorded: list[str], asked: list[str], found: list[str]) -> None:
    assert SameItems(lambda: recorded).names(asked) == found


def test_a_recorded_name_stays_with_its_item() -> None:
    same = SameItems(lambda: ["1.jpg"])
    assert same.names(["val/1.jpg"]) == ["1.jpg"]
    assert same.names(["val/1.jpg"]) == ["1.jpg"]
    assert same.names(["train/1.jpg"]) == ["train/1.jpg"]


def _embeddings(folder: Path) -> Model:
    (folder / "manifest.toml").write_text('name = "m"\nkind = "embeddings"\n')
    vectors = [[1.0, 0.0], [0.0, 1.0]]
    pq.write_table(pa.table({"id": ["2.jpg", "1.jpg"], "embedding": vectors}), folder / "images.parquet")
    pq.write_table(pa.table({"text": ["one", "two"], "embedding": vectors}), folder / "texts.parquet")
    return load_recorded(folder)


def test_embeddings(tmp_path: Path) -> None:
    model = _embeddings(tmp_path)
    assert model.embed_images(_items("val/1.jpg", "val/2.jpg")).vectors.tolist() == [[0.0, 1.0], [1.0, 0.0]]
    with pytest.raises(DataError, match=r"id 'val/3.jpg' not recorded"):
        model.embed_images(_items("val/1.jpg", "val/3.jpg"))


@pytest.mark.parametrize("kind", ["decision", "probability"])
def test_scores(tmp_path: Path, kind: str) -> None:
    (tmp_path / "manifest.toml").write_text(f'name = "m"\nkind = "scores"\nscore_kind = "{kind}"\n')
    table = {"id": ["1.jpg", "1.jpg", "2.jpg", "2.jpg"], "text": ["cat", "dog"] * 2, "score": [1.0, 0.0, 0.0, 1.0]}
    pq.write_table(pa.table(table), tmp_path / "scores.parquet")
    model = load_recorded(tmp_path)
    scores = model.score_labels(_items("val/2.jpg", "val/1.jpg"), ["cat", "dog"], ["{}"])
    assert np.array_equal(scores.values, [[0.0, 1.0], [1.0, 0.0]])
    with pytest.raises(DataError, match=r"id 'val/12.jpg' not recorded"):
        model.score_labels(_items("val/12.jpg"), ["cat", "dog"], ["{}"])
