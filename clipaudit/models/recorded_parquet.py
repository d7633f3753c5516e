"""Reading other people's Parquet: columns by name, ids of any type, lists of any kind, one line for every fault."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from clipaudit.errors import DataError, ModelError, nearest
from clipaudit.reading import swollen

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

BATCH_ROWS = 65_536
NEAR = 2000  # names looked through for a near one: difflib is slow


def open_parquet(path: Path, *, dictionaries: Sequence[str] = (), content: bytes | None = None) -> pq.ParquetFile:
    """Raises ModelError if the file is absent or no Parquet.

    `dictionaries`: columns to read dictionary-encoded. `content`: what the file holds in another form, instead of it.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        source = path if content is None else pa.BufferReader(content)
        file = pq.ParquetFile(source, read_dictionary=list(dictionaries) or None)
    except FileNotFoundError as error:
        raise ModelError(f"{path}: no such file") from error
    except (pa.ArrowException, OSError, ValueError) as error:  # ValueError: names that are no text
        raise ModelError(f"{path}: not a readable Parquet file ({' '.join(str(error).split())})") from error
    fault = "" if content is not None else swollen(file.metadata, path.stat().st_size)
    if fault:
        raise ModelError(f"{path}: {fault}")
    return file


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Pages are looked at late: a fault in one is a ModelError of one line as well."""
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError) as error:
        raise ModelError(f"{path}: damaged Parquet file ({' '.join(str(error).split())})") from error


def batches(file: pq.ParquetFile, path: Path, **options: Any) -> Iterator[pa.RecordBatch]:
    """`file.iter_batches`. Raises ModelError where the file is damaged."""
    with reading(path):
        yield from file.iter_batches(**options)


def column_name(file: pq.ParquetFile, path: Path, wanted: str) -> str:
    """The column called `wanted`, in any case. Raises ModelError naming the columns there are."""
    names: list[str] = file.schema_arrow.names
    for name in (wanted, *names):
        if name.lower() == wanted and name in names:
            return name
    raise ModelError(f"{path}: has no column {wanted!r}; it has {', '.join(names) or 'none'}")


def as_text(array: pa.Array, path: Path) -> pa.Array:
    """Any column of ids or texts as large strings: 7 and 7.0 become "7". Raises ModelError for other types."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    try:
        if pa.types.is_floating(array.type):
            array = pc.cast(array, pa.int64())
        return pc.cast(array, pa.large_string())
    except pa.ArrowException as error:
        raise ModelError(f"{path}: ids and texts must be text or whole numbers, not {array.type}") from error


def matrix(array: pa.Array, keys: Sequence[str | None], path: Path) -> NDArray[np.floating]:
    """A column of n embeddings as (n, d), float64 if stored so, else float32; null embeddings are NaN.

    Raises DataError where two embeddings differ in length (naming the item), ModelError for other types.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    array = array.storage if isinstance(array, pa.ExtensionArray) else array
    if not (pa.types.is_list(array.type) or pa.types.is_large_list(array.type) or _is_fixed(array.type)):
        raise ModelError(f"{path}: column 'embedding' must hold lists of numbers, not {array.type}")
    present = np.asarray(pc.is_valid(array))
    lengths = np.asarray(pc.fill_null(pc.list_value_length(array), 0))
    dim = int(lengths[present][0]) if present.any() else 0
    odd = np.flatnonzero(present & (lengths != dim))
    if len(odd):
        raise DataError(f"{path}: the embedding of {keys[odd[0]]!r} has {lengths[odd[0]]} numbers, others have {dim}")
    values = pc.drop_null(array).flatten()
    kind = np.float64 if pa.types.is_float64(values.type) or pa.types.is_decimal(values.type) else np.float32
    try:
        numbers = np.asarray(values.cast(pa.from_numpy_dtype(kind)).to_numpy(zero_copy_only=False), kind)
    except pa.ArrowException as error:
        raise ModelError(f"{path}: column 'embedding' must hold numbers, not {values.type}") from error
    result = np.full((len(array), dim), np.nan, kind)
    result[present] = numbers.reshape(-1, dim)
    return result


def _is_fixed(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_fixed_size_list(kind))


def missing(path: Path, what: str, absent: Sequence[str], known: Sequence[str]) -> DataError:
    """The error for ids or texts that were not recorded: the first, how many more, and the nearest there is."""
    name = absent[0]
    more = f" and {len(absent) - 1} more" if len(absent) > 1 else ""
    same_file = [other for other in known if other.rsplit("/", 1)[-1] == name.rsplit("/", 1)[-1]]
    options = same_file[:NEAR] or known[:NEAR]
    hint = f"did you mean {same_file[0]}?" if same_file else nearest(name, options)
    return DataError(f"{path}: {what} {name!r}{more} not recorded; {hint}")
