"""What `plan` prints."""

from __future__ import annotations

from rich import box
from rich.table import Table
from rich.text import Text

from clipaudit.cli.outcome import console
from clipaudit.engine.cost import Cost, estimate_cost
from clipaudit.engine.plan import Plan
from clipaudit.models.protocol import Model
from clipaudit.naming import cell_names
from clipaudit.text import printable


def show_plan(plan: Plan, model: Model) -> None:
    """A line per cell, then the sums, the estimated time and the disk."""
    out = console()
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for name in ("cell", "what", "images", "texts"):
        table.add_column(name, justify="right" if name in ("images", "texts") else "left", overflow="fold")
    names = cell_names([(each.cell.slug, each.cell.params.model_dump(mode="json")) for each in plan.cells])
    for planned, name in zip(plan.cells, names, strict=True):
        missing = sorted(planned.cell.spec.needs - model.capabilities)
        note = f" (not run: the model offers no {', '.join(missing)})" if missing else ""
        cells = (name, planned.cell.title + note)
        counts = (str(len(planned.workload.images)), str(len(planned.workload.texts)))
        table.add_row(*(Text(printable(cell, limit=200)) for cell in cells), *counts)
    out.print(table)
    for unrun in plan.unrun:
        out.print(f"{unrun.status.value}: {printable(unrun.slug)}: {printable(unrun.reason, limit=400)}", markup=False)
    for line in _sums(estimate_cost(plan, model), model):
        out.print(printable(line, limit=None), markup=False)


def _sums(cost: Cost, model: Model) -> list[str]:
    info = model.info
    lines = [f"model: {printable(info.name)} {info.precision} {info.precision_reason}".rstrip()]
    if cost.images_per_second is None and cost.texts_per_second is None:
        return [*lines, "forward passes: none, the model's outputs are looked up"]
    images, texts = cost.images - cost.images_cached, cost.texts - cost.texts_cached
    lines += [
        f"forward passes: {images} images and {texts} texts "
        f"({cost.images_cached} images and {cost.texts_cached} texts more are cached)",
        "measured here: "
        + ", ".join(
            f"{rate:.0f} {kind}/s"
            for kind, rate in (("images", cost.images_per_second), ("texts", cost.texts_per_second))
            if rate
        ),
        f"estimated time: {duration(cost.seconds)}"
        + (f", of which {duration(cost.beyond)} beyond embedding (attacks, probes, maps)" if cost.beyond else ""),
        f"disk for new embeddings: {cost.disk_bytes / 2**20:.1f} MiB",
    ]
    return lines


def duration(seconds: float) -> str:
    """Readable time.

    >>> duration(42), duration(600), duration(10000)
    ('42 s', '10 min', '2.8 h')
    """
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
