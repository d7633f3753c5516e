"""`recorded:DIR`: outputs of a model that ran elsewhere, behind the same interface as a live one.

`manifest.toml` says what was recorded (see `recorded_manifest`); beside it lie `images.parquet` (id, embedding) and
`texts.parquet` (text, embedding, perhaps length), or `scores.parquet` (id, text, score; `recorded_forms` has other
forms, and CSV). Ids are the data card's item ids; leading folders and an image's suffix may be absent or more ("1.jpg"
for "val/1.jpg") where that leaves no doubt.
A folder with the published iEAT embeddings needs no manifest, nor does a file of trials: `recorded:TRIALS.csv`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from clipaudit.data.ieat import list_files
from clipaudit.errors import ModelError
from clipaudit.models.protocol import Model
from clipaudit.models.recorded_forms import delimited, score_file
from clipaudit.models.recorded_ieat import IeatVectors, manifest_of
from clipaudit.models.recorded_manifest import EXAMPLE, FILE, RecordedManifest, read_manifest
from clipaudit.models.recorded_models import RecordedEmbeddings, RecordedScores
from clipaudit.models.recorded_scores import ScoreTable
from clipaudit.models.recorded_trials import is_trials, subject
from clipaudit.models.recorded_vectors import ParquetVectors
from clipaudit.paths import inside
from clipaudit.results import ModelInfo
from clipaudit.text import printable

IMAGES, TEXTS = "images.parquet", "texts.parquet"
_WARNING = "Outputs recorded elsewhere: that they are this model's is the word of whoever recorded them."


def load_recorded(path: Path) -> Model:
    """The model recorded in a folder, or in a file of trials (`recorded_trials`).

    ModelError in one line if the folder, its manifest or a table is unusable.
    """
    if path.is_file():
        return _load_trials(path)
    if not path.is_dir():
        raise ModelError(f"recorded:{printable(path)}: no such folder")
    for file in path.iterdir():
        if file.is_symlink() and not inside(file, path):
            raise ModelError(f"recorded:{printable(file)}: a link out of the folder; copy the file there")
    if not (path / FILE).exists():
        return _load_ieat(path)
    manifest = read_manifest(path)
    return _load_scores(path, manifest) if manifest.kind == "scores" else _load_embeddings(path, manifest)


def _load_trials(path: Path) -> Model:
    table = delimited(path)
    if not is_trials(table):
        raise ModelError(
            f"recorded:{printable(path)}: a file alone must hold trials (columns subj, object_response, imagename); "
            f"for other tables give their folder, with {FILE}"
        )
    manifest = RecordedManifest(name=subject(table, path), kind="scores", score_kind="decision")
    return RecordedScores(_info(path, manifest, [path]), ScoreTable(path, "decision"))


def _load_ieat(path: Path) -> Model:
    files = list_files(path)
    if not files:
        raise ModelError(f"recorded:{printable(path)}: no {FILE}; write one with {EXAMPLE}")
    info = _info(path, manifest_of(files), [file.path for file in files])
    return RecordedEmbeddings(info, IeatVectors(path, files), None)


def _load_embeddings(path: Path, manifest: RecordedManifest) -> Model:
    tables = [name for name in (IMAGES, TEXTS) if (path / name).exists()]
    if not tables:
        raise ModelError(f'recorded:{printable(path)}: kind = "embeddings", but neither {IMAGES} nor {TEXTS} is there')
    images = ParquetVectors(path / IMAGES, "id") if IMAGES in tables else None
    texts = ParquetVectors(path / TEXTS, "text") if TEXTS in tables else None
    if images and texts and images.dim != texts.dim and images.dim and texts.dim:
        raise ModelError(
            f"recorded:{printable(path)}: {IMAGES} holds dimension {images.dim}, {TEXTS} dimension {texts.dim}: "
            "not of one model"
        )
    return RecordedEmbeddings(_info(path, manifest, [path / FILE, *(path / name for name in tables)]), images, texts)


def _load_scores(path: Path, manifest: RecordedManifest) -> Model:
    assert manifest.score_kind is not None, "read_manifest demands it for scores"
    file = score_file(path)
    table = ScoreTable(file, manifest.score_kind)
    return RecordedScores(_info(path, manifest, [path / FILE, file]), table)


def _info(path: Path, manifest: RecordedManifest, files: Sequence[Path]) -> ModelInfo:
    """What is known without reading vectors; the classes add capabilities and dimension."""
    said = [f"Licence: {manifest.licence}."] if manifest.licence else []
    said += [manifest.notes] if manifest.notes else []
    return ModelInfo(
        spec=f"recorded:{path}",
        name=manifest.name,
        fingerprint=_fingerprint(files),
        kind="recorded",
        capabilities=(),
        precision=manifest.precision,
        image_size=manifest.image_size,
        logit_scale=manifest.logit_scale,
        logit_bias=manifest.logit_bias,
        warnings=(_WARNING, *said, *manifest.warnings),
    )


def _fingerprint(files: Sequence[Path]) -> str:
    """sha256 hex over the files' names and contents."""
    total = hashlib.sha256()
    for path in files:
        try:
            with path.open("rb") as file:
                total.update(f"{path.name}|{hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
        except OSError as error:
            raise ModelError(f"{printable(path)}: cannot be read ({error.strerror})") from error
    return total.hexdigest()
