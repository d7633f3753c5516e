"""The length of a text's embedding before normalisation: from the model, the cache, and a recording alike."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from clipaudit.contract import Need
from clipaudit.embedding.batches import with_lengths
from clipaudit.embedding.cache import EmbeddingCache
from clipaudit.embedding.live import LiveModel
from clipaudit.errors import ModelError
from clipaudit.models.recorded import load_recorded
from clipaudit.models.recorded_write import write_recorded
from clipaudit.results import ModelInfo
from clipaudit.zeroshot import ensemble

TEXTS = ["a", "bb", "ccc", "a photo of a cat.", "bb"]
INFO = ModelInfo(
    spec="long", name="long", fingerprint="long", kind="python", capabilities=("scores", "embeddings"), embedding_dim=5
)


class Long:
    """Texts whose embeddings are as long as they are, images that there are none of."""

    info = INFO
    capabilities = frozenset({Need.EMBEDDINGS})
    device = torch.device("cpu")

    def encode_texts(self, texts):
        rows = []
        for text in texts:
            seed = torch.Generator().manual_seed(sum(map(ord, text)))
            vector = torch.randn(5, generator=seed)
            rows.append(len(text) * vector / vector.norm())
        return torch.stack(rows)

    def text_length(self, text):
        return len(text)


def test_lengths_come_from_the_model_and_the_cache_alike(tmp_path: Path) -> None:
    with EmbeddingCache(tmp_path) as cache:
        cold = LiveModel(Long(), cache).embed_texts(TEXTS)
    with EmbeddingCache(tmp_path) as cache:
        model = LiveModel(Long(), cache)
        warm = model.embed_texts(TEXTS)
    assert model.counters["texts_computed"] == 0
    np.testing.assert_allclose(cold.lengths, [1, 2, 3, 17, 2], rtol=1e-6)
    np.testing.assert_array_equal(cold.lengths, warm.lengths)
    np.testing.assert_array_equal(cold.vectors, warm.vectors)
    np.testing.assert_allclose(np.linalg.norm(cold.vectors, axis=1), 1, rtol=1e-6)
    raw = Long().encode_texts(TEXTS).numpy()
    np.testing.assert_allclose(cold.vectors * cold.lengths[:, None], raw, rtol=1e-5)


def test_the_mean_of_raw_vectors_is_another_than_that_of_unit_vectors(tmp_path: Path) -> None:
    with EmbeddingCache(tmp_path) as cache:
        found = LiveModel(Long(), cache).embed_texts(["a", "a photo of a cat."])
    raw = Long().encode_texts(["a", "a photo of a cat."]).double().numpy()
    mean = raw.mean(axis=0)
    by_length = ensemble(found.vectors.astype(float) * found.lengths[:, None], 1, unit_first=False)
    np.testing.assert_allclose(by_length[0], mean / np.linalg.norm(mean), atol=1e-6)
    assert by_length[0] @ ensemble(found.vectors, 1)[0] < 0.999


def test_a_text_without_a_finite_embedding_has_no_length() -> None:
    found = with_lengths(np.array([[3.0, 4.0], [0.0, 0.0], [np.inf, 1.0]]))
    np.testing.assert_array_equal(found[0], np.float32([0.6, 0.8, 5.0]))
    assert np.isnan(found[1:]).all()


def test_a_recording_keeps_lengths_and_the_bits_of_unit_vectors(tmp_path: Path) -> None:
    with EmbeddingCache(tmp_path / "cache") as cache:
        model = LiveModel(Long(), cache)
        write_recorded(model, [], TEXTS, tmp_path / "out")
        live = model.embed_texts(TEXTS)
    again = load_recorded(tmp_path / "out").embed_texts(TEXTS)
    np.testing.assert_array_equal(again.vectors, live.vectors)
    np.testing.assert_allclose(again.lengths, live.lengths)


def _texts(folder: Path, **columns: object) -> Path:
    (folder / "manifest.toml").write_text('name = "m"\nkind = "embeddings"\n')
    pq.write_table(pa.table({"text": ["x", "y"], **columns}), folder / "texts.parquet")
    return folder


def test_vectors_stored_as_they_were_have_lengths_and_unit_vectors_have_none(tmp_path: Path) -> None:
    raw = load_recorded(_texts(tmp_path, embedding=[[3.0, 4.0], [0.0, 2.0]])).embed_texts(["y", "x"])
    np.testing.assert_allclose(raw.lengths, [2, 5])
    unit = load_recorded(_texts(tmp_path, embedding=[[0.6, 0.8], [0.0, 1.0]])).embed_texts(["y", "x"])
    assert unit.lengths is None
    beside = load_recorded(_texts(tmp_path, embedding=[[0.6, 0.8], [0.0, 1.0]], length=[7, 8])).embed_texts(["y", "x"])
    np.testing.assert_allclose(beside.lengths, [8, 7])


def test_lengths_that_are_no_numbers_are_one_clear_line(tmp_path: Path) -> None:
    model = load_recorded(_texts(tmp_path, embedding=[[0.6, 0.8], [0.0, 1.0]], length=["long", "short"]))
    with pytest.raises(ModelError, match="column 'length' must hold numbers"):
        model.embed_texts(["x"])
