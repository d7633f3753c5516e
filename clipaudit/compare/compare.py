"""Runs against the first of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from clipaudit import __version__
from clipaudit.compare.board import board
from clipaudit.compare.pairwise import differences
from clipaudit.compare.results import Comparison, Pair, RunName
from clipaudit.compare.roster import Roster, roster
from clipaudit.errors import UsageError
from clipaudit.gate import trust


def compare(base: Path, others: Sequence[Path]) -> Comparison:
    """Every other run against the base.

    UsageError where a directory holds no finished run, one was changed by hand, or no run has anything in common
    with the base.
    """
    if not others:
        raise UsageError("compare needs at least two runs: clipaudit compare BASE NEW [MORE...]")
    runs = [trust.sound(path) for path in (base, *others)]
    names, cells = _names(runs), roster(runs)
    pairs = [_pair(runs[0], run, name, cells) for run, name in zip(runs[1:], names[1:], strict=True)]
    _refuse_strangers(names[0], pairs)
    return Comparison(
        clipaudit_version=__version__, base=names[0], cells=cells.described(), pairs=tuple(pairs),
        board=tuple(board(runs, pairs, cells)),
    )  # fmt: skip


def _pair(base: trust.Run, new: trust.Run, name: RunName, cells: Roster) -> Pair:
    found, unmatched = differences(base, new, cells)
    notes = (*trust.mixtures(base), *trust.mixtures(new), *trust.circumstances(new, base))
    return Pair(run=name, differences=tuple(found), unmatched=tuple(unmatched), notes=notes)


def _refuse_strangers(base: RunName, pairs: Sequence[Pair]) -> None:
    """UsageError where no run has anything in common with the base."""
    if not any(pair.differences for pair in pairs):
        said = f": {pairs[0].unmatched[0]}" if pairs[0].unmatched else ""
        raise UsageError(f"{pairs[0].run.path} has no finding in common with {base.path}{said}")


def _names(runs: Sequence[trust.Run]) -> list[RunName]:
    """Labels are the models' names; where two share one, the directories' names."""
    models = [run.result.model.name for run in runs]
    labels = models if len(set(models)) == len(models) else [run.store.root.resolve().name for run in runs]
    return [_name(run, label) for label, run in zip(labels, runs, strict=True)]


def _name(run: trust.Run, label: str) -> RunName:
    result = run.result
    return RunName(
        label=label, path=run.name, model=result.model.name, fingerprint=result.model.fingerprint,
        suite=result.suite_title or result.suite, started=run.manifest.started[:10],
    )  # fmt: skip
