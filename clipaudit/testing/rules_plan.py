"""Rules for cells, for what they announce, and for what they then ask of a model."""

from __future__ import annotations

import json
from collections.abc import Sequence

from clipaudit.contract import Audit, Cell, Workload
from clipaudit.testing.findings import Problems
from clipaudit.testing.spy import SpyModel


def planned(audit: Audit, cells: Sequence[Cell], again: Sequence[Cell]) -> Problems:
    """The same context gives the same cells, each of which can be named, stored and found again."""
    if not cells:
        yield "plan: gives no cell"
    keys = [cell.key("model") for cell in cells]
    if keys != [cell.key("model") for cell in again]:
        yield "plan: called twice with the same context, it gives other cells"
    if len(set(keys)) < len(keys):
        yield "plan: two cells have the same key; what tells them apart belongs into their params"
    for cell in cells:
        if cell.spec is not audit.spec:
            yield "plan: a cell has another spec than the audit"
        if not cell.title:
            yield "plan: a cell has no title"
        stored = json.loads(json.dumps(cell.params.model_dump(mode="json")))
        if type(cell.params).model_validate(stored) != cell.params:
            yield "plan: a cell's params are not the same after being written as JSON and read back"


def announced(workload: Workload, again: Workload, spy: SpyModel) -> Problems:
    """The workload is what run() asks: plans, embedding ahead and thumbnails rest on it.

    Images that depend on what the model answered cannot be announced: their ids begin with that of an announced one
    and "#".
    """
    images, texts = {image.id for image in workload.images}, set(workload.texts)
    if images != {image.id for image in again.images} or texts != set(again.texts):
        yield "workload: called twice, it differs"
    if len(images) < len(workload.images):
        yield "workload: an image id occurs twice"
    asked_for = {image for image in spy.images if not _derived(image, images)}
    for what, said, asked in (("image", images, asked_for), ("text", texts, spy.texts)):
        if missing := sorted(asked - said):
            yield f"workload: run() asks for {len(missing)} {what}s that are not in it; the first is {missing[0]!r}"
        if unused := sorted(said - asked):
            yield f"workload: holds {len(unused)} {what}s that run() never asks for; the first is {unused[0]!r}"


def _derived(image: str, announced: set[str]) -> bool:
    return image not in announced and image.rpartition("#")[0] in announced


def needed(audit: Audit, spy: SpyModel) -> Problems:
    """What run() uses of a model is declared."""
    for need in sorted(spy.used - audit.spec.needs - audit.spec.uses):
        yield f"spec.needs: run() uses {need}, which is not declared"
