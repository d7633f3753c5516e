"""How much a page shows, so that it stays small: full detail first, less only where a run is too large for it."""

from __future__ import annotations

from dataclasses import dataclass

PAGE = 2_000_000  # bytes of the whole file


@dataclass(frozen=True)
class Detail:
    """Limits of one rendering. What they cut is counted on the page and stands in full in `result.json`."""

    thumbnails: int  # bytes of data URIs, all galleries together
    plots: int  # plots drawn in one cell; the tables behind the others stand
    plot_rows: int  # rows, bars or classes drawn in one plot
    table_rows: int  # rows of the table behind a plot
    findings: int  # primary findings of one metric and severity in one cell
    details: int  # the others of one metric and severity in one cell

    @property
    def full(self) -> bool:
        """Whether every estimate and every number behind a plot is on the page."""
        return self is LADDER[0]


_EVERYTHING = 1_000_000
LADDER = (
    Detail(1_000_000, _EVERYTHING, 40, _EVERYTHING, _EVERYTHING, _EVERYTHING),
    Detail(500_000, _EVERYTHING, 40, 400, 120, 60),
    Detail(300_000, _EVERYTHING, 40, 100, 60, 20),
    Detail(200_000, _EVERYTHING, 40, 60, 24, 6),
    Detail(150_000, 12, 40, 40, 18, 4),
    Detail(120_000, 6, 20, 25, 10, 3),
    Detail(100_000, 4, 12, 15, 6, 2),
    Detail(0, 1, 8, 8, 3, 1),
)
