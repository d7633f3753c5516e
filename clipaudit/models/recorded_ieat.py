"""The published iEAT embeddings as they are: a folder of CSV files without a manifest."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from clipaudit.data.ieat import IeatFile, read_ids
from clipaudit.errors import DataError, ModelError
from clipaudit.models.recorded_manifest import RecordedManifest

if TYPE_CHECKING:
    import pyarrow as pa


class IeatVectors:
    """All concepts of one model, float64, in memory (826 x 1,536 numbers). names: "category/concept/img"."""

    def __init__(self, folder: Path, files: list[IeatFile]) -> None:
        dims = {file.dim for file in files}
        if len(dims) > 1:
            raise ModelError(f"{folder}: embeddings of dimensions {sorted(dims)}: not of one model")
        self.path = folder
        self.dim = dims.pop()
        self._files = files
        self.lengths = None

    @cached_property
    def names(self) -> pa.Array:
        import pyarrow as pa

        return pa.array([name for file in self._files for name in read_ids(file)], pa.large_string())

    def take(self, rows: NDArray[np.int64]) -> tuple[NDArray[np.floating], list[str | None]]:
        return self._vectors[rows], [None] * len(rows)

    @cached_property
    def _vectors(self) -> NDArray[np.float64]:
        try:
            return np.concatenate([_read(file) for file in self._files])
        except ValueError as error:
            raise DataError(f"{self.path}: {error}") from error


def manifest_of(files: list[IeatFile]) -> RecordedManifest:
    """What a manifest would say of such a folder: the model's name is in the file names ("igpt_l_32")."""
    return RecordedManifest(name=files[0].model, kind="embeddings", notes="Published iEAT embeddings.")


def _read(file: IeatFile) -> NDArray[np.float64]:
    return np.loadtxt(file.path, delimiter=",", skiprows=1, usecols=range(1, file.dim + 1), ndmin=2)
