"""How much the page of a comparison shows, so that it stays small. What is cut is counted, and stands in the JSON."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Detail:
    """Limits of one rendering."""

    thumbnails: int  # bytes of data URIs, all pairs together
    flips: int  # items named per change and way
    rows: int  # changes of one outcome and role in one cell
    board: int  # findings of one cell on the board
    plot_rows: int

    @property
    def full(self) -> bool:
        """Whether every change is on the page."""
        return self is LADDER[0]


_EVERYTHING = 1_000_000
LADDER = (
    Detail(900_000, 60, _EVERYTHING, _EVERYTHING, 40),
    Detail(500_000, 24, 60, _EVERYTHING, 40),
    Detail(300_000, 12, 20, 60, 30),
    Detail(150_000, 6, 8, 20, 20),
    Detail(60_000, 3, 3, 8, 12),
    Detail(0, 2, 1, 3, 8),
)
