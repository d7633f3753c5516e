"""Recorded models as others write them: vectors of any type, tables of scores, decisions; and what is said of faults."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from clipaudit.contract import Need
from clipaudit.data.files import NamedItem
from clipaudit.errors import DataError, ModelError, NotSupported
from clipaudit.images import ImageRef
from clipaudit.models.protocol import Model
from clipaudit.models.recorded import load_recorded

SHARED = Path(__file__).resolve().parents[2] / ".." / "shared" / "data"
EMBEDDINGS = 'name = "m"\nkind = "embeddings"\n'
IMAGES = np.array([[3.0, 4.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 2.0]])
TEXTS = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])


def _items(*names: str) -> list[ImageRef]:
    return [NamedItem(name, {}) for name in names]


def _embeddings(folder: Path, images: Any = None, texts: Any = None, manifest: str = EMBEDDINGS) -> Path:
    (folder / "manifest.toml").write_text(manifest)
    if images is None:
        images = {"id": ["a", "b", "c"], "embedding": IMAGES.tolist()}
    if texts is None:
        texts = {"text": ["a photo of a cat.", "a photo of a dog."], "embedding": TEXTS.tolist()}
    pq.write_table(pa.table(images), folder / "images.parquet")
    pq.write_table(pa.table(texts), folder / "texts.parquet")
    return folder


def _scores(folder: Path, table: Any, kind: str = "cosine") -> Model:
    (folder / "manifest.toml").write_text(f'name = "m"\nkind = "scores"\nscore_kind = "{kind}"\n')
    pq.write_table(pa.table(table), folder / "scores.parquet")
    return load_recorded(folder)


def _long(ids: Sequence[str], texts: Sequence[str], values: Any) -> dict[str, Any]:
    return {
        "id": [name for name in ids for _ in texts],
        "text": list(texts) * len(ids),
        "score": np.asarray(values).ravel().tolist(),
    }


# --- embeddings ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [pa.float16(), pa.float32(), pa.float64()])
@pytest.mark.parametrize("kind", ["list", "large_list", "fixed"])
def test_any_list_of_numbers(tmp_path: Path, number: pa.DataType, kind: str) -> None:
    typed = {"list": pa.list_(number), "large_list": pa.large_list(number), "fixed": pa.list_(number, 3)}[kind]
    column = pa.array(IMAGES.astype(np.float16 if number == pa.float16() else float).tolist(), typed)
    model = load_recorded(_embeddings(tmp_path, {"extra": [1, 2, 3], "id": ["a", "b", "c"], "embedding": column}))
    found = model.embed_images(_items("c", "a", "c"))
    np.testing.assert_allclose(found.vectors, [[0, 0, 1], [0.6, 0.8, 0], [0, 0, 1]], atol=1e-7)  # normalised
    assert found.errors == (None, None, None)


def test_scores_by_hand(tmp_path: Path) -> None:
    model = load_recorded(_embeddings(tmp_path))
    assert model.capabilities == {Need.EMBEDDINGS, Need.SCORES}
    assert (model.info.kind, model.info.name, model.info.embedding_dim) == ("recorded", "m", 3)
    scores = model.score_labels(_items("a", "b"), ["dog", "cat"], ["a photo of a {}."])
    np.testing.assert_allclose(scores.values, [[0.8, 0.6], [1.0, 0.0]], atol=1e-12)
    assert (scores.kind, scores.text_source) == ("cosine", "prompt")


def test_the_prompt_first_then_the_label(tmp_path: Path) -> None:
    texts = {"text": ["cat", "dog"], "embedding": TEXTS.tolist()}
    model = load_recorded(_embeddings(tmp_path, texts=texts))
    scores = model.score_labels(_items("a"), ["cat", "dog"], ["a photo of a {}.", "{} again"])
    np.testing.assert_allclose(scores.values, [[0.6, 0.8]], atol=1e-12)
    assert scores.text_source == "label"
    with pytest.raises(DataError, match=r"neither the prompt 'a photo of a bird\.' nor the label 'bird' is recorded"):
        model.score_labels(_items("a"), ["cat", "bird"], ["a photo of a {}."])


@pytest.mark.parametrize("ids", [[7, 8, 9], [7.0, 8.0, 9.0], pa.array(["7", "8", "9"]).dictionary_encode()])
def test_ids_of_any_type(tmp_path: Path, ids: Any) -> None:
    model = load_recorded(_embeddings(tmp_path, {"id": ids, "embedding": IMAGES.tolist()}))
    np.testing.assert_allclose(model.embed_images(_items("8")).vectors, [[0, 1, 0]], atol=1e-7)


def test_a_missing_id_is_named_with_the_nearest(tmp_path: Path) -> None:
    images = {"id": ["cats/tabby.jpg", "dogs/rex.jpg"], "embedding": IMAGES[:2].tolist()}
    model = load_recorded(_embeddings(tmp_path, images))
    with pytest.raises(DataError, match=r"id 'cats/taby.jpg' and 1 more not recorded; did you mean cats/tabby.jpg\?"):
        model.embed_images(_items("dogs/rex.jpg", "cats/taby.jpg", "x"))
    with pytest.raises(DataError, match=r"did you mean dogs/rex.jpg\?"):  # another folder, the same file
        model.embed_images(_items("rex.jpg"))


def test_vectors_that_are_none(tmp_path: Path) -> None:
    rows = [[np.nan, 1.0, 0.0], [0.0, 0.0, 0.0], None, [0.0, 2.0, 0.0]]
    model = load_recorded(_embeddings(tmp_path, {"id": ["n", "z", "none", "ok"], "embedding": rows}))
    found = model.embed_images(_items("n", "z", "none", "ok"))
    assert np.isnan(found.vectors[:3]).all()
    np.testing.assert_array_equal(found.vectors[3], [0, 1, 0])
    assert [error is None for error in found.errors] == [False, False, False, True]
    assert "'z': the embedding is all zero" in str(found.errors[1])


def test_recorded_errors_come_back(tmp_path: Path) -> None:
    images = {"id": ["a", "b"], "embedding": [[1.0, 0.0, 0.0], None], "error": [None, "b.png: the file is empty"]}
    found = load_recorded(_embeddings(tmp_path, images)).embed_images(_items("a", "b"))
    assert found.errors == (None, "b.png: the file is empty")


def test_twice_the_same_is_harmless_twice_different_is_not(tmp_path: Path) -> None:
    images = {"id": ["a", "a", "b", "b"], "embedding": [[1.0, 0, 0], [1.0, 0, 0], [1.0, 0, 0], [0, 1.0, 0]]}
    model = load_recorded(_embeddings(tmp_path, images))
    np.testing.assert_array_equal(model.embed_images(_items("a")).vectors, [[1, 0, 0]])
    with pytest.raises(DataError, match="id 'b' is recorded twice with different embeddings"):
        model.embed_images(_items("a", "b"))


def test_many_row_groups(tmp_path: Path) -> None:
    vectors = np.random.default_rng(0).normal(size=(10_000, 3)).astype(np.float32)
    _embeddings(tmp_path)
    table = pa.table({"id": [f"i{i}" for i in range(10_000)], "embedding": list(vectors)})
    pq.write_table(table, tmp_path / "images.parquet", row_group_size=700)
    wanted = [9_999, 0, 4_095, 4_096, 699, 700, 0]
    found = load_recorded(tmp_path).embed_images(_items(*(f"i{i}" for i in wanted)))
    expected = vectors[wanted] / np.linalg.norm(vectors[wanted], axis=1, keepdims=True)
    np.testing.assert_allclose(found.vectors, expected, atol=1e-6)


def test_images_alone_offer_no_scores(tmp_path: Path) -> None:
    (_embeddings(tmp_path) / "texts.parquet").unlink()
    model = load_recorded(tmp_path)
    assert model.capabilities == {Need.EMBEDDINGS}
    with pytest.raises(NotSupported, match="records no texts"):
        model.embed_texts(["a"])


def test_the_fingerprint_is_of_the_content(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()
    first, same = (load_recorded(_embeddings(folder)).info.fingerprint for folder in (one, two))
    assert first == same
    changed = {"id": ["a", "b", "c"], "embedding": (IMAGES + 0.01).tolist()}
    assert load_recorded(_embeddings(two, changed)).info.fingerprint != first


# --- scores -------------------------------------------------------------------------------------------------------


def test_a_table_of_cosines_averages_over_templates(tmp_path: Path) -> None:
    texts = ["a cat", "the cat", "a dog", "the dog"]
    model = _scores(tmp_path, _long(["x", "y"], texts, [[0.1, 0.3, 0.5, 0.7], [0.0, 0.0, -0.2, 0.4]]))
    assert model.capabilities == {Need.SCORES}
    scores = model.score_labels(_items("y", "x"), ["dog", "cat"], ["a {}", "the {}"])
    np.testing.assert_allclose(scores.values, [[0.1, 0.0], [0.6, 0.2]], atol=1e-12)
    assert (scores.kind, scores.text_source) == ("cosine", "prompt")
    with pytest.raises(NotSupported, match="scores only"):
        model.embed_images(_items("x"))


@pytest.mark.parametrize(("kind", "value"), [("logit", 23.5), ("probability", 0.25), ("cosine", 0.25)])
def test_labels_alone(tmp_path: Path, kind: str, value: float) -> None:
    model = _scores(tmp_path, _long(["x"], ["cat", "dog"], [[value, 0.1]]), kind)
    scores = model.score_labels(_items("x"), ["cat", "dog"], ["a photo of a {}."])
    assert scores.values.tolist() == [[value, 0.1]]
    assert (scores.kind, scores.text_source) == (kind, "label")


@pytest.mark.parametrize(
    ("ids", "labels", "said"),
    [
        (["z"], ["cat", "dog"], "id 'z' not recorded"),
        (["x"], ["cat", "bird"], "neither the prompt 'a photo of a bird.' nor the label 'bird' is recorded"),
        (["w"], ["cat", "dog"], "no score of id 'w' for text 'dog'"),
        (["twice"], ["cat", "dog"], "recorded twice with different scores"),
        (["high"], ["cat", "dog"], "the score 7 of id 'high' is no cosine"),
    ],
)
def test_faults_of_a_score_table(tmp_path: Path, ids: list[str], labels: list[str], said: str) -> None:
    table = _long(["x"], ["cat", "dog"], [[0.1, 0.2]])
    for row in [
        ("w", "cat", 0.1),
        ("twice", "cat", 0.1),
        ("twice", "cat", 0.2),
        ("twice", "dog", 0.2),
        ("high", "cat", 7.0),
        ("high", "dog", 0.1),
    ]:
        for key, value in zip(("id", "text", "score"), row, strict=True):
            table[key].append(value)
    with pytest.raises(DataError) as caught:
        _scores(tmp_path, table).score_labels(_items(*ids), labels, ["a photo of a {}."])
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_score_that_is_not_finite_is_the_items_error(tmp_path: Path) -> None:
    model = _scores(tmp_path, _long(["x", "y"], ["cat", "dog"], [[0.1, float("nan")], [0.1, 0.2]]))
    scores = model.score_labels(_items("x", "y"), ["cat", "dog"], ["{}"])
    assert np.isnan(scores.values[0]).all()
    assert "'x'" in str(scores.errors[0])
    assert scores.errors[1] is None


def test_decisions_one_row_each(tmp_path: Path) -> None:
    model = _scores(tmp_path, {"id": ["x", "y", "z"], "text": ["dog", "cat", "bird"]}, "decision")
    scores = model.score_labels(_items("x", "y", "z"), ["cat", "dog"], ["a photo of a {}."])
    assert (scores.kind, scores.text_source) == ("decision", "label")
    assert scores.values[:2].tolist() == [[0, 1], [1, 0]]
    assert scores.values[2].tolist() == [0, 0]  # decided for none of the two
    assert scores.errors == (None, None, None)


@pytest.mark.parametrize(
    ("decided", "said"),
    [
        (["dog", "Cat ", "dog"], "'Cat ' is none of the labels; did you mean cat"),
        (["dog", "bird", "tree"], "'bird' is none of the labels; allowed: cat, dog"),
    ],
)
def test_decisions_over_another_label_set(tmp_path: Path, decided: list[str], said: str) -> None:
    model = _scores(tmp_path, {"id": ["x", "y", "z"], "text": decided}, "decision")
    with pytest.raises(DataError, match=said):
        model.score_labels(_items("x", "y", "z"), ["cat", "dog"], ["{}"])


def test_decisions_as_zeros_and_ones(tmp_path: Path) -> None:
    model = _scores(tmp_path, _long(["x", "y"], ["a cat", "a dog"], [[0, 1], [1, 0]]), "decision")
    scores = model.score_labels(_items("y", "x"), ["cat", "dog"], ["a {}"])
    assert scores.values.tolist() == [[1, 0], [0, 1]]
    assert scores.text_source == "prompt"


def test_two_decisions_for_one_image(tmp_path: Path) -> None:
    model = _scores(tmp_path, {"id": ["x", "x"], "text": ["dog", "cat"]}, "decision")
    with pytest.raises(DataError, match="more than one text is chosen for id 'x'"):
        model.score_labels(_items("x"), ["cat", "dog"], ["{}"])


# --- faults of a folder -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("manifest", "said"),
    [
        (None, "no manifest.toml; write one with name ="),
        ("name = m", "malformed TOML"),
        ('kind = "embeddings"', "'name' is missing"),
        ('name = "m"\nkind = "embedding"', "did you mean embeddings"),
        ('name = "m"\nkind = "scores"', "needs score_kind = cosine | logit"),
        ('name = "m"\nkind = "scores"\n"score kind" = "cosin"', "did you mean cosine"),
        ('name = "m"\nkind = "scores"\nscore_kind = "cosine"', "scores.parquet: no such file"),
        ('name = "m"\nkind = "embeddings"', "neither images.parquet nor texts.parquet"),
    ],
)
def test_a_bad_folder_is_one_line(tmp_path: Path, manifest: str | None, said: str) -> None:
    if manifest is not None:
        (tmp_path / "manifest.toml").write_text(manifest)
    with pytest.raises(ModelError) as caught:
        load_recorded(tmp_path)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("images", "said"),
    [
        ({"name": ["a"], "embedding": [[1.0]]}, "has no column 'id'; it has name, embedding"),
        ({"id": ["a"], "vector": [[1.0]]}, "has no column 'embedding'"),
        ({"id": ["a"], "embedding": [1.0]}, "must hold lists of numbers, not double"),
        ({"id": ["a"], "embedding": [["x"]]}, "must hold numbers"),
        ({"id": ["a", None], "embedding": [[1.0, 0, 0], [1.0, 0, 0]]}, "1 rows have no 'id'"),
        ({"id": ["a", "b"], "embedding": [[1.0, 0, 0], [1.0, 0]]}, "the embedding of 'b' has 2 numbers, others have 3"),
        ({"id": ["a"], "embedding": [[1.0, 0, 0, 0]]}, "dimension 4, texts.parquet dimension 3: not of one model"),
        ({"id": [1.5], "embedding": [[1.0, 0, 0]]}, "must be text or whole numbers"),
    ],
)
def test_a_bad_table_is_one_line(tmp_path: Path, images: Any, said: str) -> None:
    with pytest.raises((ModelError, DataError)) as caught:
        load_recorded(_embeddings(tmp_path, images)).embed_images(_items("a", "b"))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_parquet(tmp_path: Path) -> None:
    (_embeddings(tmp_path) / "images.parquet").write_text("id,embedding\n")
    with pytest.raises(ModelError, match="not a readable Parquet file"):
        load_recorded(tmp_path)
    with pytest.raises(ModelError, match="no such folder"):
        load_recorded(tmp_path / "none")


@pytest.mark.parametrize("line", ['score = "decision"', '[score]\nkind = "decision"', '"score kind" = "decision"'])
def test_spellings_of_the_score_kind(tmp_path: Path, line: str) -> None:
    _scores(tmp_path, {"id": ["x"], "text": ["dog"]}, "decision")
    (tmp_path / "manifest.toml").write_text(f'name = "m"\nkind = "scores"\n{line}\n')
    assert load_recorded(tmp_path).score_labels(_items("x"), ["cat", "dog"], ["{}"]).kind == "decision"


def test_spellings_of_a_manifest(tmp_path: Path) -> None:
    text = '"Name" = "m"\nKind = "Embeddings"\nlicense = "cc0"\nlogit-scale = 100\nanything = 1\n'
    info = load_recorded(_embeddings(tmp_path, manifest=text)).info
    assert (info.name, info.logit_scale) == ("m", 100)
    assert any("cc0" in warning for warning in info.warnings)


# --- published outputs --------------------------------------------------------------------------------------------


def test_the_published_ieat_embeddings_as_they_are() -> None:
    folder = SHARED / "ieat_igpt"
    if not folder.is_dir():
        pytest.skip("the iEAT embeddings of the shared data are not here")
    from clipaudit.data.registry import DataRegistry

    data = DataRegistry({"ieat": folder}).open("ieat")
    model = load_recorded(folder)
    found = model.embed_images(data.images)
    assert found.vectors.shape == (826, 1536)
    assert found.vectors.dtype == np.float64
    assert set(found.errors) == {None}
    np.testing.assert_allclose(np.linalg.norm(found.vectors, axis=1), 1, atol=1e-12)
    line = (folder / "age_old_igpt_l_32.csv").read_text().splitlines()[3].split(",")
    raw = np.array(line[1:-1], float)
    one = model.embed_images(_items(f"age/old/{line[-1]}")).vectors[0]
    np.testing.assert_allclose(one, raw / np.linalg.norm(raw), atol=1e-15)
