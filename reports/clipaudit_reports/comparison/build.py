"""Comparison -> ComparisonView: the whole page in words, before any template."""

from __future__ import annotations

from collections.abc import Mapping

from clipaudit import anchors, numbers
from clipaudit.compare import words
from clipaudit.compare.results import ComparedCell, Comparison, Difference, Pair, RunName
from clipaudit_reports.cleaning import clean, cleaned
from clipaudit_reports.comparison import board, changes, flips, forests
from clipaudit_reports.comparison.detail import LADDER, Detail
from clipaudit_reports.comparison.view import ComparisonView, PairView, RunView
from clipaudit_reports.glossary import COMPARING


def build_comparison(
    found: Comparison, pictures: Mapping[str, bytes] | None = None, detail: Detail = LADDER[0]
) -> ComparisonView:
    """The view model. `pictures` are image files of items by "<cell name>/<item>"."""
    found = cleaned(found)
    cells = {cell.name: cell for cell in found.cells}
    shelf = flips.Shelf({clean(name): data for name, data in (pictures or {}).items()}, detail.thumbnails)
    unique = anchors.Unique()
    runs = [unique(f"run--{anchors.slug(run.label)}") for run in (found.base, *(pair.run for pair in found.pairs))]
    pairs = tuple(
        _pair(pair, found.base.label, cells, run, detail, shelf)
        for pair, run in zip(found.pairs, runs[1:], strict=True)
    )
    others = ", ".join(pair.run.label for pair in found.pairs)
    counts = ["", *map(words.counts, found.pairs)]
    named = (found.base, *(pair.run for pair in found.pairs))
    return ComparisonView(
        title=f"{found.base.label} → {others}",
        version=found.clipaudit_version,
        runs=tuple(_run(run, at, said) for run, at, said in zip(named, runs, counts, strict=True)),
        pairs=pairs,
        board=board.board(found.board, cells, detail.board) if len(found.pairs) > 1 else (),
        glossary=COMPARING,
        complete=detail.full,
    )


def _run(run: RunName, anchor: str, counts: str) -> RunView:
    return RunView(anchor, run.label, run.model, run.suite, run.started, run.fingerprint, run.path, counts)


def _pair(
    pair: Pair, base: str, cells: Mapping[str, ComparedCell], run: str, detail: Detail, shelf: flips.Shelf
) -> PairView:
    listed = flips.shown(pair)

    def flips_of(found: Difference) -> str:
        return flips.anchor(run, found) if any(each is found for each in listed) else ""

    return PairView(
        anchor=run,
        base=base,
        label=pair.run.label,
        counts=words.counts(pair),
        total=numbers.counted(len(pair.differences), "finding"),
        plots=forests.forests(pair, list(cells.values()), run, detail.plot_rows),
        groups=changes.groups(pair, cells, run, detail.rows, flips_of),
        flips=flips.flips(pair, cells, run, detail.flips, shelf),
        unpaired=tuple(words.unpaired(pair)),
        unmatched=pair.unmatched,
        notes=pair.notes,
    )
