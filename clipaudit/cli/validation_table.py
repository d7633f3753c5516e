"""What the terminal says of a validation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from clipaudit import numbers
from clipaudit.cli.outcome import console
from clipaudit.text import printable
from clipaudit.validation.judge import Kind, Proportion, Standing, bias, proportions
from clipaudit.validation.results import AuditValidation, Curve
from clipaudit.validation.words import bare_share, worst

_COLUMNS = ("audit", "curve", "coverage", "false positives", "power", "bias", "")
_RIGHT = {"coverage", "false positives", "power", "bias"}


def show_validation(found: Sequence[AuditValidation]) -> bool:
    """One line for each curve, and what leaves its band. True if an interval or a test claims too much."""
    from rich.table import Table
    from rich.text import Text

    out = console()
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in _COLUMNS:
        side: Literal["left", "right"] = "right" if name in _RIGHT else "left"
        table.add_column(name, justify=side, no_wrap=name != "curve", overflow="fold")
    outside = 0
    for audit in found:
        for row, standing in _rows(audit):
            outside += standing is Standing.OUTSIDE
            table.add_row(*(Text(cell) for cell in row))
    out.print(table)
    curves = sum(len(audit.curves) for audit in found)
    out.print(f"{numbers.counted(curves, 'curve')}, {outside} outside the band", style="bold", markup=False)
    return outside > 0


def _rows(audit: AuditValidation) -> list[tuple[tuple[str, ...], Standing]]:
    judged = proportions(audit)
    rows: list[tuple[tuple[str, ...], Standing]] = []
    for curve in audit.curves:
        own = [one for one in judged if one.curve is curve]
        standing = worst(own)
        mark = "" if standing is Standing.INSIDE else standing.value
        title = printable(f"{curve.metric}: {curve.title}", limit=90)
        figures = (_share(own, "coverage"), _share(own, "false positives"), _power(curve), _bias(curve))
        rows.append(((printable(audit.audit), title, *figures, mark), standing))
    return rows


def _share(found: list[Proportion], kind: Kind) -> str:
    one = next((each for each in found if each.kind == kind and (kind != "coverage" or each.overall)), None)
    return "" if one is None else bare_share(one)


def _power(curve: Curve) -> str:
    """At the largest planted effect."""
    last = curve.levels[-1]
    if not curve.null or not last.judged_tests:
        return ""
    return f"{numbers.value_text(last.rejected / last.judged_tests, 'proportion')} at {numbers.plain(last.effect)}"


def _bias(curve: Curve) -> str:
    """The largest."""
    known = [found for level in curve.levels if (found := bias(level)) is not None]
    if not known:
        return ""
    value, low, high = max(known, key=lambda each: abs(each[0]))
    return numbers.value_text(value, curve.unit, spread=(high - low) / 2)
