"""Runs against the first of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from clipaudit import __version__
from clipaudit.compare.board import board
from clipaudit.compare.pairwise import differences
from clipaudit.compare.results import Comparison, Pair, RunName
from clipaudit.errors import UsageError
from clipaudit.gate import trust


def compare(base: Path, others: Sequence[Path]) -> Comparison:
    """Every other run against the base.

    UsageError where a directory holds no finished run, one was changed by hand, or two runs have nothing in common.
    """
    if not others:
        raise UsageError("compare needs at least two runs: clipaudit compare BASE NEW [MORE...]")
    runs = [trust.open_run(path) for path in (base, *others)]
    for run in runs:
        for doubt in trust.doubts(run):
            raise UsageError(doubt)
    names = _names(runs)
    pairs = [_pair(runs[0], run, name) for run, name in zip(runs[1:], names[1:], strict=True)]
    return Comparison(clipaudit_version=__version__, base=names[0], pairs=tuple(pairs), board=tuple(board(runs, pairs)))


def _pair(base: trust.Run, new: trust.Run, name: RunName) -> Pair:
    found, unmatched = differences(base, new)
    if not found:
        said = f": {unmatched[0]}" if unmatched else ""
        raise UsageError(f"{new.name} has no finding in common with {base.name}{said}")
    return Pair(run=name, differences=tuple(found), unmatched=tuple(unmatched))


def _names(runs: Sequence[trust.Run]) -> list[RunName]:
    """Labels are the models' names; where two share one, the directories' names."""
    models = [run.result.model.name for run in runs]
    labels = models if len(set(models)) == len(models) else [run.store.root.resolve().name for run in runs]
    return [
        RunName(label=label, path=run.name, model=run.result.model.name, fingerprint=run.result.model.fingerprint)
        for label, run in zip(labels, runs, strict=True)
    ]
