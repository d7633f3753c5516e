"""Small pictures of the items that flipped: kept by the runs, or made from the data set where it is in reach.

Only where the data card allows them, and only where the set holds what the runs were made on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from clipaudit.compare.results import Comparison, Difference, Outcome
from clipaudit.compare.roster import counterpart, roster
from clipaudit.engine.plan import limited
from clipaudit.engine.store import RunStore
from clipaudit.engine.thumbnails import file_name, small
from clipaudit.errors import ClipAuditError, ImageError
from clipaudit.gate import trust
from clipaudit.results import CellResult, DataInfo

if TYPE_CHECKING:
    from clipaudit.data.registry import DataRegistry
    from clipaudit.images import ImageRef

MOST = 60  # of one change and way


def flipped(found: Comparison) -> dict[str, list[str]]:
    """Items whose pictures a page may show, by the cell's name: of changes of main findings that can be told."""
    items: dict[str, dict[str, None]] = {}
    for pair in found.pairs:
        for each in pair.differences:
            if each.role == "primary" and each.outcome is not Outcome.UNTOLD:
                items.setdefault(each.cell_name, {}).update(dict.fromkeys(_first(each)))
    return {name: list(known) for name, known in items.items()}


def pictures(found: Comparison, registry: DataRegistry) -> dict[str, bytes]:
    """Image files by "<cell name>/<item>"; what cannot be had is left out."""
    wanted = flipped(found)
    runs = [trust.open_run(Path(run.path)) for run in (found.base, *(pair.run for pair in found.pairs))]
    known = roster(runs)
    files: dict[str, bytes] = {}
    for name, items in wanted.items():
        cells = [(run, counterpart(run, known.cells[known.names.index(name)])) for run in runs]
        there = [(run, cell) for run, cell in cells if cell is not None and cell.data is not None]
        allowed = [(run, cell) for run, cell in there if cell.data is not None and cell.data.thumbnails]
        if not allowed or len(allowed) < len(there):
            continue
        kept = _kept([(run.store, cell) for run, cell in allowed], items)
        run, cell = allowed[0]
        made = _made(cell.data, registry, run.result.seed, [item for item in items if item not in kept])
        files |= {f"{name}/{item}": data for item, data in (kept | made).items()}
    return files


def _first(found: Difference) -> Sequence[str]:
    return () if found.flips is None else (*found.flips.down[:MOST], *found.flips.up[:MOST])


def _kept(cells: Sequence[tuple[RunStore, CellResult]], items: Sequence[str]) -> dict[str, bytes]:
    """Thumbnails that lie in the runs, made for their galleries."""
    found = {}
    for item in items:
        for store, cell in cells:
            path = store.folder(cell.slug, cell.key) / "thumbs" / file_name(item)
            if path.is_file():
                found[item] = path.read_bytes()
                break
    return found


def _made(data: DataInfo | None, registry: DataRegistry, seed: int, items: Sequence[str]) -> dict[str, bytes]:
    """Thumbnails from the data set itself."""
    found = {}
    images = _images(data, registry, seed) if data is not None and items else {}
    for item in items:
        if item in images:
            try:
                found[item] = small(images[item])
            except ImageError:  # the page then names the item
                continue
    return found


def _images(data: DataInfo, registry: DataRegistry, seed: int) -> Mapping[str, ImageRef]:
    """The set's images by id; none where it is out of reach or not the one that the run was made on."""
    try:
        dataset = limited(registry.open(data.id), data.items, seed)
    except ClipAuditError:
        return {}
    return {image.id: image for image in dataset.images} if dataset.info.digest == data.digest else {}
