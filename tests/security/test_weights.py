"""Weights that hold code are refused, whichever way they are loaded: the file that the code would write is not there."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from clipaudit.data.sources_table import read_table
from clipaudit.embedding.cache import EmbeddingCache
from clipaudit.embedding.shards import as_keys
from clipaudit.errors import ClipAuditError, ModelError
from clipaudit.models.load import load_encoder, open_model

ROOT = Path(__file__).resolve().parents[2]
TINY: dict[str, Any] = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "layers": 1, "width": 32, "head_width": 16, "patch_size": 16},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1},
}


class Payload:
    """Unpickled with code allowed, it writes the file `trap`."""

    def __init__(self, trap: Path) -> None:
        self.trap = trap

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.trap,)


@pytest.fixture
def trap(tmp_path: Path) -> Iterator[Path]:
    """A file that code in weights would write. The payload is proven to work on plain pickle."""
    proof = tmp_path / "proof"
    pickle.loads(pickle.dumps(Payload(proof)))
    assert proof.exists()
    yield tmp_path / "trap"
    assert not (tmp_path / "trap").exists(), "code in the weights has run"


def _plain(path: Path, trap: Path) -> None:
    path.write_bytes(pickle.dumps({"state_dict": {"w": Payload(trap)}}))


def _torch(path: Path, trap: Path) -> None:
    torch.save({"w": Payload(trap)}, path)


def _legacy(path: Path, trap: Path) -> None:
    torch.save({"w": Payload(trap)}, path, _use_new_zipfile_serialization=False)


def _module(path: Path, trap: Path) -> None:
    network = torch.nn.Linear(2, 2)
    network.extra = Payload(trap)  # type: ignore[assignment]
    torch.save(network, path)


def _numpy(path: Path, trap: Path) -> None:
    with path.open("wb") as file:
        np.save(file, np.array([Payload(trap)], object), allow_pickle=True)


def _arrays(path: Path, trap: Path) -> None:
    with path.open("wb") as file:
        np.savez(file, w=np.array([Payload(trap)], object))


WAYS = [_plain, _torch, _legacy, _module, _numpy, _arrays]
WAY = pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)


def refused(spec: str) -> str:
    """The single line of the error."""
    with pytest.raises(ModelError) as caught:
        load_encoder(spec, offline=True)
    said = str(caught.value)
    assert len(said.splitlines()) == 1
    return said


@WAY
@pytest.mark.parametrize("name", ["weights.pt", "weights.safetensors"])
def test_a_file_of_an_architecture(way: Callable[[Path, Path], None], name: str, tmp_path: Path, trap: Path) -> None:
    way(tmp_path / name, trap)
    assert name in refused(f"ViT-B-32@{tmp_path / name}")


@WAY
def test_a_folder_of_open_clip(way: Callable[[Path, Path], None], tmp_path: Path, trap: Path) -> None:
    (tmp_path / "open_clip_config.json").write_text(json.dumps({"model_cfg": TINY}))
    way(tmp_path / "open_clip_pytorch_model.bin", trap)
    refused(f"local-dir:{tmp_path}")


@WAY
@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.safetensors"])
def test_a_folder_of_transformers(way: Callable[[Path, Path], None], name: str, tmp_path: Path, trap: Path) -> None:
    from transformers import CLIPConfig

    small = {"hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1}
    CLIPConfig(text_config=small, vision_config=small, projection_dim=4).save_pretrained(tmp_path)
    way(tmp_path / name, trap)
    refused(f"transformers:{tmp_path}")


def _with_code(folder: Path, trap: Path, front: dict[str, Any]) -> None:
    """A repository with its own classes: importing them writes the trap."""
    (folder / "mine.py").write_text(f"import pathlib\npathlib.Path({str(trap)!r}).touch()\nclass Mine: pass\n")
    (folder / "config.json").write_text(json.dumps(front))
    (folder / "tokenizer_config.json").write_text(json.dumps({"auto_map": {"AutoTokenizer": ["mine.Mine", None]}}))


def test_a_folder_of_transformers_with_classes_of_its_own(
    tmp_path: Path, trap: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("builtins.input", lambda *_: pytest.fail("asked whether to run the code"))
    every = dict.fromkeys(("AutoConfig", "AutoModel"), "mine.Mine")
    _with_code(tmp_path, trap, {"model_type": "mine", "auto_map": every})
    refused(f"transformers:{tmp_path}")


@pytest.mark.parametrize("asked", [True, False])
def test_a_folder_of_open_clip_with_a_tokenizer_of_its_own(
    asked: bool, tmp_path: Path, trap: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("builtins.input", lambda *_: pytest.fail("asked whether to run the code"))
    _with_code(tmp_path, trap, {"model_type": "mine", "auto_map": {"AutoConfig": "mine.Mine"}})
    text = {**TINY["text_cfg"], "hf_tokenizer_name": "."}
    if asked:  # open_clip would pass it on
        text["tokenizer_kwargs"] = {"trust_remote_code": True}
    (tmp_path / "open_clip_config.json").write_text(json.dumps({"model_cfg": {**TINY, "text_cfg": text}}))
    torch.manual_seed(0)
    network = open_clip.CLIP(**{**TINY, "vision_cfg": TINY["vision_cfg"], "text_cfg": TINY["text_cfg"]})
    torch.save(network.state_dict(), tmp_path / "open_clip_pytorch_model.bin")
    said = refused(f"local-dir:{tmp_path}")
    assert ("trust_remote_code asks" in said) == asked


@pytest.mark.parametrize("name", ["../elsewhere", "/etc", "~/x"])
def test_a_folder_of_open_clip_names_no_other_folder(name: str, tmp_path: Path) -> None:
    text = {**TINY["text_cfg"], "hf_model_name": name}
    (tmp_path / "open_clip_config.json").write_text(json.dumps({"model_cfg": {**TINY, "text_cfg": text}}))
    assert "leaves the folder" in refused(f"local-dir:{tmp_path}")


@WAY
@pytest.mark.parametrize("name", ["images.parquet", "texts.parquet"])
def test_recorded_embeddings(way: Callable[[Path, Path], None], name: str, tmp_path: Path, trap: Path) -> None:
    (tmp_path / "manifest.toml").write_text('name = "m"\nkind = "embeddings"\n')
    way(tmp_path / name, trap)
    refused(f"recorded:{tmp_path}")


@WAY
@pytest.mark.parametrize("name", ["scores.parquet", "scores.csv"])
def test_recorded_scores(way: Callable[[Path, Path], None], name: str, tmp_path: Path, trap: Path) -> None:
    (tmp_path / "manifest.toml").write_text('name = "m"\nkind = "scores"\nscore_kind = "cosine"\n')
    way(tmp_path / name, trap)
    with pytest.raises(ClipAuditError):
        open_model(f"recorded:{tmp_path}", cache_dir=tmp_path / "cache")


def _pickled_parquet(path: Path, trap: Path) -> None:
    """A column of an extension type as pyarrow wrote them before version 14: its class is a pickle in the metadata."""
    kind = {
        b"ARROW:extension:name": b"arrow.py_extension_type",
        b"ARROW:extension:metadata": pickle.dumps(Payload(trap)),
    }
    schema = pa.schema([("id", pa.string()), pa.field("embedding", pa.list_(pa.float32()), metadata=kind)])
    pq.write_table(pa.table([["a"], [[1.0, 0.0]]], schema=schema), path)


def test_parquet_with_a_pickled_type(tmp_path: Path, trap: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLIPAUDIT_CACHE", str(tmp_path / "cache"))
    (tmp_path / "manifest.toml").write_text('name = "m"\nkind = "embeddings"\n')
    _pickled_parquet(tmp_path / "images.parquet", trap)
    model = open_model(f"recorded:{tmp_path}", cache_dir=tmp_path / "cache")
    assert model.info.embedding_dim == 2, "the column is read as what it is stored as"
    assert read_table(tmp_path / "images.parquet").column_names == ["id", "embedding"]


@WAY
def test_a_shard_of_the_cache(way: Callable[[Path, Path], None], tmp_path: Path, trap: Path) -> None:
    with EmbeddingCache(tmp_path) as cache:
        cache.store("model", "image").put(as_keys(["0"]), np.ones((1, 4), np.float32))
    (shard,) = tmp_path.rglob("*.safetensors")
    way(shard, trap)
    with EmbeddingCache(tmp_path) as cache:
        _, found = cache.store("model", "image").get(as_keys(["0"]))
    assert not found.any()
    assert not shard.exists(), "what is no shard is dropped"


def test_nothing_here_unpickles() -> None:
    """No module reads a pickle, runs text, or lets a data set's script run."""
    unsafe = (
        "pickle.load", "joblib.load", "allow_pickle=True", "weights_only=False", "trust_remote_code=True", "yaml.load(",
        "yaml.unsafe_load", "marshal.load", "shelve.open", " eval(", " exec(", "shell=True", "os.system(",
    )  # fmt: skip
    for folder in ("clipaudit", "audits", "reports", "data_cards"):
        for path in (ROOT / folder).rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            found = [word for word in unsafe if word in text]
            assert not found, f"{path.name}: {found}"
