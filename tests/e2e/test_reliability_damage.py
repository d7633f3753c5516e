"""Damaged shards of the embedding cache: noticed, said in one line, computed again, never used."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from forks import Forks
from small_runs import IMAGES, TEXTS, Small, kept

from clipaudit.embedding.cache import EmbeddingCache
from clipaudit.embedding.shards import DamagedShard, as_keys, open_shard, write

Damage = Callable[[Path], None]


def header_length(content: bytes) -> int:
    return int.from_bytes(content[:8], "little")


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def bit_of_the_vectors(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-200] ^= 1
    path.write_bytes(content)


def bit_of_the_digests(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[8 + header_length(content) + 5] ^= 16
    path.write_bytes(content)


def header_cut(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: 8 + header_length(content) // 2])


def pointing_beyond_the_file(path: Path) -> None:
    content = path.read_bytes()
    end = 8 + header_length(content)
    header = json.loads(content[8:end])
    header["vectors"]["shape"][0] *= 2
    header["vectors"]["data_offsets"][1] *= 2
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + content[end:])


@pytest.fixture(scope="module")
def warm(forks: Forks, tmp_path_factory: pytest.TempPathFactory) -> tuple[Small, dict[str, bytes]]:
    """A finished run and its cache."""
    small = Small(forks, tmp_path_factory.mktemp("warm"))
    assert small.run("--no-report", out="calm")[0] == 0
    return small, kept(small.folder / "calm")


@pytest.mark.parametrize(
    "damage", [truncated, bit_of_the_vectors, bit_of_the_digests, header_cut, pointing_beyond_the_file]
)
def test_a_damaged_shard(warm: tuple[Small, dict[str, bytes]], damage: Damage) -> None:
    small, calm = warm
    (shard,) = small.folder.glob("cache/embeddings/*/image/*.safetensors")
    damage(shard)
    small.log.unlink()  # what is there now is whole: the run before wrote it anew
    code, child = small.run("--no-report", out=damage.__name__)
    assert code == 0, child.said
    assert kept(small.folder / damage.__name__) == calm
    assert sum(small.computed.values()) == IMAGES, "the images are computed again, the texts are not"
    said = [line for line in child.said.splitlines() if "embedding cache" in line]
    assert len(said) == 1, child.said
    assert "a damaged file was dropped" in said[0]
    assert "what it held is computed again" in said[0]


def test_no_flipped_bit_of_a_shard_goes_unnoticed(tmp_path: Path) -> None:
    """Every byte of a shard in turn: either its vectors are those that were written, or it is refused."""
    keys, vectors = as_keys(["a", "b"]), np.array([[1, 2], [3, 4]], np.float32)
    content = write(tmp_path, keys, vectors).read_bytes()
    path = tmp_path / "flipped.safetensors"
    refused = 0
    for at in range(len(content)):
        flipped = bytearray(content)
        flipped[at] ^= 1 << at % 8
        path.write_bytes(flipped)
        try:
            shard = open_shard(path)
            np.testing.assert_array_equal(shard.vectors(verify=True), vectors)
            np.testing.assert_array_equal(shard.digests, keys)
        except DamagedShard:
            refused += 1
    data = len(content) - 8 - header_length(content)
    assert refused > data + 8, "all of the data, its length and most of the header"


def test_a_file_that_cannot_be_read_now_is_not_thrown_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    keys, vectors = as_keys(["a", "b"]), np.array([[1, 2], [3, 4]], np.float32)
    with EmbeddingCache(tmp_path) as cache:
        cache.store("m", "image").put(keys, vectors)
    (path,) = tmp_path.glob("embeddings/*/image/*.safetensors")

    def refuse(_: Path) -> None:
        raise OSError(24, "Too many open files")

    with monkeypatch.context() as patch:
        patch.setattr("clipaudit.embedding.cache.open_shard", refuse)
        assert not EmbeddingCache(tmp_path).store("m", "image").get(keys)[1].any()
    assert "cannot be read (Too many open files)" in caplog.text
    assert path.exists()
    assert EmbeddingCache(tmp_path).store("m", "image").get(keys)[1].all()


def test_what_a_killed_merge_left_twice_is_there_once_after_the_next(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    large = as_keys([f"large {i}" for i in range(3000)])
    vectors = rng.normal(size=(len(large), 256)).astype(np.float32)
    with EmbeddingCache(tmp_path) as cache:
        cache.store("m", "image").put(large, vectors)
    (folder,) = tmp_path.glob("embeddings/*/image")
    write(folder, large[:10], vectors[:10])
    write(folder, as_keys(["new"]), vectors[:1])
    with EmbeddingCache(tmp_path) as cache:
        found, there = cache.store("m", "image").get(large)
    assert there.all()
    np.testing.assert_array_equal(found, vectors)
    held = np.concatenate([open_shard(path).digests for path in folder.glob("*.safetensors")])
    assert len(held) == len(np.unique(held)) == len(large) + 1


def test_one_process_merges_at_a_time(tmp_path: Path) -> None:
    import fcntl
    import os

    with EmbeddingCache(tmp_path) as cache:
        store = cache.store("m", "image")
        for name in ("a", "b"):
            store.put(as_keys([name]), np.ones((1, 4), np.float32))
            store.flush()
        (folder,) = tmp_path.glob("embeddings/*/image")
        other = os.open(folder, os.O_RDONLY)  # another process is at it
        fcntl.flock(other, fcntl.LOCK_EX)
    os.close(other)
    assert len(list(folder.glob("*.safetensors"))) == 2
    with EmbeddingCache(tmp_path) as cache:
        assert cache.store("m", "image").get(as_keys(["a", "b"]))[1].all()
    assert len(list(folder.glob("*.safetensors"))) == 1


def test_texts_and_images_are_counted(warm: tuple[Small, dict[str, bytes]]) -> None:
    manifest = json.loads((warm[0].folder / "calm" / "manifest.json").read_text())
    passes = manifest["forward_passes"]
    assert (passes["images_computed"], passes["texts_computed"]) == (IMAGES, TEXTS)
