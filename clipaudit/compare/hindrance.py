"""Why two measurements cannot be set side by side."""

from __future__ import annotations

from clipaudit.results import CellResult, CellStatus, Estimate, Status

UNJUDGED = {Status.TOO_SMALL: "too small to judge", Status.INCONCLUSIVE: "a check of the measurement failed"}


def of_cells(cell: CellResult, other: CellResult | None) -> str:
    """Why a cell cannot be compared with the base's; "" where it can."""
    if other is None:
        return "not in the base with these parameters"
    for one, where in ((cell, ""), (other, " in the base")):
        if one.status is not CellStatus.DONE:
            return f"{one.status.value}{where}: {one.reason}"
    if cell.audit.version != other.audit.version:
        return f"audit version {cell.audit.version}, in the base {other.audit.version}"
    if cell.data and other.data and cell.data.digest != other.data.digest:
        return f"other data: {cell.data.items:,} items, in the base {other.data.items:,}, with another digest"
    if cell.seed != other.seed:
        return f"seed {cell.seed}, in the base {other.seed}"
    return ""


def of_estimates(estimate: Estimate | None, other: Estimate | None) -> str:
    """Why an estimate cannot be compared with the base's; "" where it can."""
    for one, where in ((estimate, ""), (other, " in the base")):
        if one is None:
            return f"no such finding{where}"
        if one.status in UNJUDGED:
            return f"{UNJUDGED[one.status]}{where}"
        if one.value is None:
            return f"not defined{where}"
    return ""
