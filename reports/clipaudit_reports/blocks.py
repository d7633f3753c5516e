"""Findings gathered into blocks (one metric of one cell) and blocks into severities."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import groupby

from clipaudit import anchors, numbers
from clipaudit.naming import names_by_key
from clipaudit.results import CellResult, Estimate
from clipaudit_reports.findings import finding, severity, size
from clipaudit_reports.strips import Scale
from clipaudit_reports.view import Block, FindingView, Severity, SeverityGroup

_Pair = tuple[int, Estimate]  # an estimate and its position in the cell
ROLES: Mapping[str, str] = {
    "secondary": "Detail",
    "control": "Checks that the measurement works",
    "preset": "As a published protocol computes it",
}


class Ids:
    """Anchors of a whole report: of cells by key, of estimates by cell and position."""

    def __init__(self, cells: Sequence[CellResult]) -> None:
        self.unique = anchors.Unique()
        self.names = names_by_key(cells)
        self.cell = {cell.key: self.unique(f"cell--{anchors.slug(self.names[cell.key])}") for cell in cells}
        self._estimates = {
            (cell.key, index): self.unique(anchors.finding(self.names[cell.key], estimate))
            for cell in cells
            for index, estimate in enumerate(cell.estimates)
        }

    def estimate(self, cell: CellResult, index: int) -> str:
        """The id of the estimate at a position of a cell."""
        return self._estimates[cell.key, index]


def severity_groups(cells: Sequence[CellResult], ids: Ids, most: int, where: str) -> tuple[SeverityGroup, ...]:
    """Primary findings, the gravest first; empty groups are left out. At most `most` of a metric in a cell.

    where: anchor of what they belong to; each group's anchor begins with it.
    """
    groups = []
    for level in Severity:
        chosen = [(cell, _primary(cell, level)) for cell in cells]
        blocks = [block for cell, pairs in chosen for block in _blocks(cell, ids, pairs, most, ranked=True)]
        count = sum(len(pairs) for _, pairs in chosen)
        if count:
            groups.append(SeverityGroup(level, f"{where}--{level.value}", count, tuple(blocks)))
    return tuple(groups)


def primary_blocks(cell: CellResult, ids: Ids, most: int) -> tuple[Block, ...]:
    """All primary findings of a cell, in the audit's order: the subgroup tables."""
    return tuple(_blocks(cell, ids, [pair for level in Severity for pair in _primary(cell, level)], most, ranked=False))


def detail_blocks(cell: CellResult, ids: Ids, most: int) -> tuple[tuple[str, tuple[Block, ...]], ...]:
    """Findings that are not primary, by role; none where `most` is 0."""
    roles = []
    for role, heading in ROLES.items():
        chosen = [(index, estimate) for index, estimate in enumerate(cell.estimates) if estimate.role == role]
        if chosen and most:
            roles.append((heading, tuple(_blocks(cell, ids, chosen, most, ranked=False))))
    return tuple(roles)


def shared_methods(blocks: Sequence[Block]) -> tuple[tuple[str, str], ...]:
    """How the findings of all these blocks were made, where they are several: said once instead of with each."""
    if len(blocks) < 2:
        return ()
    return tuple(pair for pair in blocks[0].methods if all(pair in other.methods for other in blocks))


def title_of(cell: CellResult) -> str:
    """What a cell is called; a question needs no colon after it."""
    return (cell.title or cell.slug).replace("?: ", "? ")


def tally(cell: CellResult) -> tuple[tuple[Severity, int], ...]:
    """How many primary findings of each severity a cell has."""
    counts = Counter(severity(estimate) for estimate in cell.estimates if estimate.role == "primary")
    return tuple((level, counts[level]) for level in Severity if counts[level])


def _primary(cell: CellResult, level: Severity) -> list[_Pair]:
    return [
        (index, estimate)
        for index, estimate in enumerate(cell.estimates)
        if estimate.role == "primary" and severity(estimate) is level
    ]


def _blocks(cell: CellResult, ids: Ids, chosen: Sequence[_Pair], most: int, *, ranked: bool) -> list[Block]:
    """One block per metric; the largest `most` of each severity, so that every listing keeps the same ones."""
    order = {metric: place for place, metric in enumerate(dict.fromkeys(e.metric for e in cell.estimates))}
    blocks = []
    for _, group in groupby(sorted(chosen, key=lambda pair: order[pair[1].metric]), lambda pair: pair[1].metric):
        members = list(group)
        kept = _largest(members, most)
        if not ranked:
            kept.sort(key=lambda pair: pair[0])
        blocks.append(_block(cell, ids, kept, len(members) - len(kept)))
    return blocks


def _largest(members: Sequence[_Pair], most: int) -> list[_Pair]:
    kept: list[_Pair] = []
    for level in Severity:
        alike = [pair for pair in members if severity(pair[1]) is level]
        kept += sorted(alike, key=lambda pair: -size(pair[1]))[:most]
    return kept


def _block(cell: CellResult, ids: Ids, members: Sequence[_Pair], left_out: int) -> Block:
    estimates = [estimate for _, estimate in members]
    scale = Scale.over(estimate for estimate in cell.estimates if estimate.metric == estimates[0].metric)
    keys = tuple(dict.fromkeys(key for estimate in estimates for key in estimate.subgroup))
    titles = list(dict.fromkeys(estimate.title for estimate in estimates))
    told_apart = len({tuple(estimate.subgroup.items()) for estimate in estimates}) == len(estimates)
    units = {estimate.unit for estimate in estimates}
    found = [finding(estimate, ids.estimate(cell, index), scale) for index, estimate in members]
    shared = tuple(note for note in found[0].notes if all(note in other.notes for other in found))
    return Block(
        title=titles[0] if len(titles) == 1 else words(estimates[0].metric),
        cell_title=title_of(cell),
        cell_anchor=ids.cell[cell.key],
        keys=keys if told_apart else ("finding", *keys),
        unit=numbers.unit_word(units.pop()) if len(units) == 1 else "",
        methods=_methods(found),
        notes=shared,
        findings=tuple(replace(f, notes=tuple(note for note in f.notes if note not in shared)) for f in found),
        left_out=left_out,
    )


def words(metric: str) -> str:
    """A metric's id as words, where its estimates have titles of their own."""
    return metric.replace("_", " ").replace("-", " ").capitalize()


def _methods(found: Sequence[FindingView]) -> tuple[tuple[str, str], ...]:
    """How the findings of a block were made: each distinct text once."""
    tests = [finding.test for finding in found if finding.test is not None]
    named = (
        ("worse is", [finding.direction for finding in found]),
        ("clusters", [finding.cluster_key for finding in found]),
        ("interval", [finding.interval_method for finding in found]),
        ("test", [f"{test.method}, {test.alternative}" for test in tests]),
        ("correction", [test.correction for test in tests]),
        ("chance", [finding.null_method for finding in found]),
    )
    listed = [(name, "; ".join(text for text in dict.fromkeys(texts) if text)) for name, texts in named]
    return tuple((name, text) for name, text in listed if text)
