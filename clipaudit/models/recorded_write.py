"""Write what a model gives for some images and texts as a `recorded:` directory."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from clipaudit.contract import Need
from clipaudit.errors import DataError, ImageError, NotSupported, StorageError, UsageError
from clipaudit.images import ImageRef
from clipaudit.models.protocol import Embedded, Model
from clipaudit.models.recorded import IMAGES, TEXTS
from clipaudit.models.recorded_manifest import FILE
from clipaudit.models.recorded_vectors import LENGTH
from clipaudit.results import ModelInfo
from clipaudit.text import printable

if TYPE_CHECKING:
    import pyarrow as pa

BATCH = 1024  # rows embedded, and held in memory, at once
T = TypeVar("T")


def write_recorded(model: Model, images: Iterable[ImageRef], texts: Iterable[str], out: Path) -> None:
    """Embeddings of `images` and `texts`, as float32 unit vectors, into the new folder `out`: all of it or nothing.

    Texts have their lengths before normalisation beside them where the model gives them. An item that cannot be
    embedded is recorded with its error. The recording gives the same scores as the model.

    Raises UsageError if `out` is there already, NotSupported if the model gives no embeddings, DataError if one id
    stands for two different images, StorageError if the disk refuses.
    """
    if Need.EMBEDDINGS not in model.capabilities:
        raise NotSupported(f"{model.info.spec} offers no embeddings, and they are what is recorded")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{printable(out)} is there already and not empty; choose another place or remove it")
    named, distinct = _distinct(images), list(dict.fromkeys(texts))
    work = out.with_name(f".{out.name}.{os.getpid()}.tmp")
    try:
        work.mkdir(parents=True)
        _write(work / IMAGES, "id", named, lambda image: image.id, model.embed_images)
        _write(work / TEXTS, "text", distinct, str, model.embed_texts)
        (work / FILE).write_text(manifest_text(model.info), encoding="utf-8")
        if out.is_dir():
            out.rmdir()
        work.rename(out)
    except OSError as error:
        raise StorageError(f"{printable(out)}: cannot be written ({error.strerror or error})") from error
    finally:
        shutil.rmtree(work, ignore_errors=True)


def manifest_text(info: ModelInfo) -> str:
    """`manifest.toml` of a recording of the model that `info` describes."""
    values: dict[str, Any] = {
        "name": info.name,
        "kind": "embeddings",
        "precision": info.precision,
        "image_size": info.image_size,
        "logit_scale": info.logit_scale,
        "logit_bias": info.logit_bias,
        "notes": f"Recorded by clipaudit from {info.spec}, fingerprint {info.fingerprint}.",
        "warnings": list(info.warnings),
    }
    return "".join(f"{key} = {_toml(value)}\n" for key, value in values.items() if value not in (None, ""))


def _toml(value: Any) -> str:
    """Text, numbers and lists of text as TOML: JSON, but for the one control character that JSON leaves as it is."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _distinct(images: Iterable[ImageRef]) -> list[ImageRef]:
    found: dict[str, ImageRef] = {}
    for image in images:
        other = found.setdefault(image.id, image)
        if other is not image and _content(other) != _content(image):
            raise DataError(
                f"two different images have the id {printable(image.id)!r}, which a recording cannot tell apart; "
                "record each data set into a folder of its own (--audit, --data)"
            )
    return list(found.values())


def _content(image: ImageRef) -> str:
    try:
        return image.digest
    except ImageError:
        return "unreadable"


def _write(
    path: Path, key: str, items: Sequence[T], name: Callable[[T], str], embed: Callable[[Sequence[T]], Embedded]
) -> None:
    """One table, a row group per batch. Nothing is written for no items."""
    import pyarrow.parquet as pq

    writer: pq.ParquetWriter | None = None
    try:
        for batch in _batches(items):
            table = _table(key, [name(item) for item in batch], embed(batch))
            if writer is None:
                writer = pq.ParquetWriter(path, table.schema)
            writer.write_table(table)
    finally:
        if writer is not None:
            writer.close()


def _table(key: str, names: list[str], embedded: Embedded) -> pa.Table:
    import numpy as np
    import pyarrow as pa

    vectors = np.asarray(embedded.vectors, np.float32)
    failed = np.array([error is not None for error in embedded.errors], np.bool_)
    # Lists of any length, empty where there is none: pyarrow before 26 cannot write fixed ones of which some are null.
    offsets = np.concatenate([[0], np.cumsum(np.where(failed, 0, vectors.shape[1]))]).astype(np.int32)
    column = pa.ListArray.from_arrays(offsets, pa.array(vectors[~failed].reshape(-1)), mask=pa.array(failed))
    columns = {key: names, "embedding": column, "error": pa.array(embedded.errors, pa.string())}
    if embedded.lengths is not None:
        columns[LENGTH] = pa.array(np.asarray(embedded.lengths, np.float64))
    return pa.table(columns)


def _batches(items: Sequence[T]) -> Iterator[list[T]]:
    stream = iter(items)
    while batch := list(islice(stream, BATCH)):
        yield batch
