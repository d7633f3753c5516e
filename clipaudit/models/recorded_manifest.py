"""`manifest.toml` of a recorded model: what was recorded, by whom, and what the numbers mean."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, cast, get_args

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from clipaudit.errors import ModelError, nearest
from clipaudit.models.protocol import ScoreKind
from clipaudit.reading import read_text, toml_values

FILE = "manifest.toml"
Kind = Literal["embeddings", "scores"]
EXAMPLE = 'name = "my model", kind = "embeddings" or "scores", and for scores score_kind = "cosine"'


class RecordedManifest(BaseModel):
    """Keys of `manifest.toml`. Spaces and hyphens in a key count as underscores; keys not named here are ignored.

    Attributes:
        kind: "embeddings" (images.parquet, texts.parquet) or "scores" (scores.parquet).
        score_kind: what a score is; needed for scores.
        logit_scale, logit_bias: of the model, where known: what turns cosines into logits.
        licence, notes, warnings: shown in every report.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    kind: Kind
    score_kind: ScoreKind | None = None
    logit_scale: float | None = None
    logit_bias: float | None = None
    image_size: int | None = None
    precision: str = ""
    licence: str = ""
    notes: str = ""
    warnings: tuple[str, ...] = ()

    @field_validator("name")
    @classmethod
    def _named(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("must not be empty")
        return value


def read_manifest(folder: Path) -> RecordedManifest:
    """Raises ModelError in one line that names the file and the key."""
    path = folder / FILE
    raw = toml_values(read_text(path, ModelError, str(path)), ModelError, str(path))
    values = {_plain(key): value for key, value in raw.items()}
    if "score_kind" not in values and "score" in values:  # as `score = "cosine"`, or a table [score] with `kind`
        score = values["score"]
        values["score_kind"] = score.get("kind") if isinstance(score, dict) else score
    if "licence" not in values and "license" in values:
        values["licence"] = values["license"]
    for key, allowed in (("kind", get_args(Kind)), ("score_kind", get_args(ScoreKind))):
        if key in values:
            values[key] = _choice(path, key, values[key], allowed)
    manifest = _validated(path, values)
    if manifest.kind == "scores" and manifest.score_kind is None:
        raise ModelError(f'{path}: kind = "scores" needs score_kind = {" | ".join(get_args(ScoreKind))}')
    return manifest


def _plain(key: str) -> str:
    return key.strip().lower().replace("-", "_").replace(" ", "_")


def _choice(path: Path, key: str, value: Any, allowed: tuple[str, ...]) -> str:
    text = str(value).strip().lower()
    if text not in allowed:
        raise ModelError(f"{path}: {key} = {value!r} is unknown; {nearest(text, allowed)}")
    return text


def _validated(path: Path, values: dict[str, Any]) -> RecordedManifest:
    try:
        return RecordedManifest.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(cast("tuple[str, ...]", first["loc"]))
        if first["type"] == "missing":
            raise ModelError(f"{path}: the key {key!r} is missing; write {EXAMPLE}") from error
        raise ModelError(f"{path}: {key} = {first['input']!r}: {first['msg'].lower()}") from error
