"""A comparison of runs as Markdown."""

from __future__ import annotations

from collections.abc import Iterable

from clipaudit.compare import words
from clipaudit.compare.results import Comparison, Difference, Outcome, Pair
from clipaudit_reports.exporters.markup import safe, table

SHOWN = 5  # flipped items that are named


def render(found: Comparison) -> str:
    """GitHub-flavoured Markdown: each run against the base, and all runs by finding where they are several."""
    lines = [line for pair in found.pairs for line in _pair(found, pair)]
    if len(found.pairs) > 1:
        runs = (found.base.label, *(pair.run.label for pair in found.pairs))
        rows = [
            (row.cell_name, words.named(row), *(words.standing(row, i) for i in range(len(runs))))
            for row in found.board
        ]
        lines += ["## All runs by finding", "", *table(("audit", "finding", *runs), rows), ""]
        lines += ["\\* the best value; ▲ better, ▼ worse than the first, ◆ changed, = cannot be told", ""]
    return "\n".join(lines).rstrip() + "\n"


def _pair(found: Comparison, pair: Pair) -> list[str]:
    lines = [f"## {safe(found.base.label)} → {safe(pair.run.label)}", "", f"{safe(words.counts(pair))}.", ""]
    for outcome in words.ORDER:
        listed = [each for each in words.ordered(pair) if each.outcome is outcome]
        if listed:
            lines += [f"### {words.MARKS[outcome]} {outcome.value.capitalize()}", "", *_differences(listed), ""]
    lines += [f"- Not paired: {safe(note)}" for note in words.unpaired(pair)]
    lines += [f"- Note: {safe(note)}" for note in pair.notes]
    lines += [f"- Not compared: {safe(line)}" for line in pair.unmatched]
    return [*lines, ""]


def _differences(listed: Iterable[Difference]) -> list[str]:
    heads = ("audit", "finding", "base → new", "change", "95 % interval", "n", "corrected p", "flipped")
    rows = []
    for each in listed:
        n = f"{each.n:,}" + ("" if each.paired else " (not paired)")
        shown = SHOWN if each.outcome is not Outcome.UNTOLD else 0
        rows.append((each.cell_name, words.named(each), words.values(each), *words.change(each), n, words.p_of(each),
                     words.flips(each, shown)))  # fmt: skip
    return table(heads, rows)
