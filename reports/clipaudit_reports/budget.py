"""How much a page shows, so that it stays small: full detail first, less only where a run is too large for it."""

from __future__ import annotations

from dataclasses import dataclass

PAGE = 2_000_000  # bytes of the whole file


@dataclass(frozen=True)
class Detail:
    """Limits of one rendering. What they cut is counted on the page and stands in full in `result.json`."""

    thumbnails: int  # bytes of data URIs, all galleries together
    gallery: int  # rows of one gallery
    plots: int  # plots drawn in one cell
    tables: int  # plots of one cell that are on the page, drawn or as a table alone
    plot_rows: int  # rows, bars or classes drawn in one plot
    table_rows: int  # rows of the table behind a plot
    findings: int  # primary findings of one metric and severity in one cell
    details: int  # the others of one metric and severity in one cell; 0 leaves them out

    @property
    def full(self) -> bool:
        """Whether every estimate and every number behind a plot is on the page, and every sentence."""
        return self is LADDER[0]


_EVERYTHING = 1_000_000
LADDER = (
    Detail(1_000_000, _EVERYTHING, _EVERYTHING, _EVERYTHING, 40, _EVERYTHING, _EVERYTHING, _EVERYTHING),
    Detail(600_000, _EVERYTHING, _EVERYTHING, _EVERYTHING, 40, 400, 120, 60),
    Detail(400_000, 24, _EVERYTHING, _EVERYTHING, 40, 100, 60, 20),
    Detail(300_000, 12, 12, _EVERYTHING, 40, 40, 24, 6),
    Detail(250_000, 8, 6, 12, 24, 25, 18, 4),
    Detail(200_000, 6, 4, 6, 16, 16, 10, 3),
    Detail(200_000, 6, 4, 4, 16, 12, 8, 1),
    Detail(150_000, 6, 3, 3, 12, 12, 6, 0),
    Detail(120_000, 5, 2, 2, 10, 10, 4, 0),
    Detail(100_000, 4, 1, 2, 8, 8, 3, 0),
    Detail(0, 3, 1, 1, 8, 6, 2, 0),
)
