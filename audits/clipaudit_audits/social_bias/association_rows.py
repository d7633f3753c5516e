"""Rows of the association audit: one per set and stimulus, with its cosines to the attribute sets it is compared with.

    item, error          the text or the image's id; why it could not be embedded
    set, label, kind     the set's name in the file of tests, how reports name it, "text" or "image"
    cluster, cluster_key the unit the stimulus belongs to ("joy"), and what such units are ("word")
    template             of a text
    position             the stimulus' number within its set
    cosines              attribute set -> cosines to its stimuli, by their positions; null for errors

The file of tests itself travels in the table's metadata: an edited or lost file changes nothing when re-scoring.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from clipaudit.models.protocol import Model
from clipaudit_audits.social_bias.association_stimuli import ConcreteTest, Side, distinct
from clipaudit_audits.social_bias.association_tests import SIDES, TestFile

if TYPE_CHECKING:
    import pyarrow as pa

Floats = NDArray[np.float64]
_METADATA = b"association tests"


def measure(tests: TestFile, made: Sequence[ConcreteTest], model: Model) -> pa.Table:
    """Embed every distinct stimulus once, and lay out the cosines."""
    import pyarrow as pa

    vectors, errors = _embed(made, model)
    sides = {getattr(test.definition, side): test.sides[i] for test in made for i, side in enumerate(SIDES)}
    lines = []
    for name, side in sides.items():
        stacked = {other: _stack(sides[other], vectors) for other in _compared_with(name, tests)}
        own = _stack(side, vectors)
        blocks = {other: own @ columns.T for other, columns in stacked.items()}
        for i, stimulus in enumerate(side.stimuli):
            error = errors[side.kind, stimulus.item]
            lines.append(
                {
                    "item": stimulus.item,
                    "error": error,
                    "set": name,
                    "label": side.label,
                    "kind": side.kind,
                    "cluster": stimulus.cluster,
                    "cluster_key": side.cluster_key,
                    "template": stimulus.template,
                    "position": i,
                    "cosines": None if error else [(other, block[i].tolist()) for other, block in blocks.items()],
                }
            )
    text = ("item", "error", "set", "label", "kind", "cluster", "cluster_key", "template")
    fields = [(name, pa.string()) for name in text] + [("position", pa.int64())]
    fields.append(("cosines", pa.map_(pa.string(), pa.list_(pa.float64()))))
    return pa.Table.from_pylist(lines, pa.schema(fields, {_METADATA: tests.model_dump_json().encode()}))


def _compared_with(name: str, tests: TestFile) -> list[str]:
    """The attribute sets that the set is compared with as a target."""
    mine = [test for test in tests.tests if name in (test.X, test.Y)]
    return list(dict.fromkeys(other for test in mine for other in (test.A, test.B)))


def _embed(
    made: Sequence[ConcreteTest], model: Model
) -> tuple[dict[tuple[str, str], Floats], dict[tuple[str, str], str | None]]:
    """Unit vectors (float64) and errors by (kind, item)."""
    images, texts = distinct(made)
    vectors: dict[tuple[str, str], Floats] = {}
    errors: dict[tuple[str, str], str | None] = {}
    for kind, items, embedded in (
        ("image", [image.id for image in images], model.embed_images(images) if images else None),
        ("text", texts, model.embed_texts(texts) if texts else None),
    ):
        if embedded is None:
            continue
        rows = np.asarray(embedded.vectors, dtype=np.float64)
        rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)  # unit to float64, not only to float32
        for item, row, error in zip(items, rows, embedded.errors, strict=True):
            vectors[kind, item], errors[kind, item] = row, error
    return vectors, errors


def _stack(side: Side, vectors: Mapping[tuple[str, str], Floats]) -> Floats:
    """(n, d) vectors of a set; (0, 1) without stimuli."""
    if not side.stimuli:
        width = next((len(vector) for vector in vectors.values()), 0)
        return np.empty((0, width))
    return np.stack([vectors[side.kind, stimulus.item] for stimulus in side.stimuli])


@dataclass(frozen=True)
class MeasuredSet:
    """One set as read from rows. `readable` marks the stimuli that were embedded; `cosines` holds (n, m) blocks."""

    label: str
    kind: str
    cluster_key: str
    items: tuple[str, ...]
    clusters: tuple[str, ...]
    templates: tuple[str | None, ...]
    readable: NDArray[np.bool_]
    cosines: Mapping[str, Floats]

    def only(self, template: str) -> MeasuredSet:
        """The set as one template alone shows it: texts of others count as unreadable, images stay."""
        own = np.array([each in (None, template) for each in self.templates], np.bool_)
        return replace(self, readable=self.readable & own)

    @property
    def units(self) -> list[str]:
        """The clusters that have a readable stimulus, sorted."""
        return sorted({c for c, ok in zip(self.clusters, self.readable, strict=True) if ok})


def read_rows(rows: pa.Table) -> tuple[TestFile, dict[str, MeasuredSet]]:
    """What `measure` wrote, in whatever order. A set without any stimulus has no rows and is not among the sets."""
    tests = TestFile.model_validate_json(rows.schema.metadata[_METADATA])
    members: dict[str, list[dict[str, object]]] = {}
    for line in sorted(rows.to_pylist(), key=lambda line: line["position"]):
        members.setdefault(line["set"], []).append(line)
    sizes = {name: len(lines) for name, lines in members.items()}
    return tests, {name: _measured(lines, _compared_with(name, tests), sizes) for name, lines in members.items()}


def _measured(lines: list[dict[str, object]], against: Sequence[str], sizes: Mapping[str, int]) -> MeasuredSet:
    blocks = {other: np.full((len(lines), sizes.get(other, 0)), np.nan) for other in against}
    for i, line in enumerate(lines):
        for other, values in line["cosines"] or ():  # type: ignore[attr-defined]
            blocks[other][i] = values
    return MeasuredSet(
        label=str(lines[0]["label"]),
        kind=str(lines[0]["kind"]),
        cluster_key=str(lines[0]["cluster_key"]),
        items=tuple(str(line["item"]) for line in lines),
        clusters=tuple(str(line["cluster"]) for line in lines),
        templates=tuple(None if line["template"] is None else str(line["template"]) for line in lines),
        readable=np.array([line["error"] is None for line in lines]),
        cosines=blocks,
    )
