"""Colours as stand-ins that the SVG writer replaces by the page's CSS variables, and marker shapes.

Okabe & Ito, Color Universal Design (2008). A series has a colour, a shape and its name: never colour alone.
"""

from __future__ import annotations

from clipaudit.compare.results import Outcome
from clipaudit.results import Status

INK, MUTED, HAIR, BAND, PAPER = "#010203", "#010204", "#010205", "#010206", "#010207"
HEAT_LOW, HEAT_HIGH = "#010208", "#010209"
SERIES = ("#0072b2", "#d55e00", "#009e73", "#e69f00", "#cc79a7", "#56b4e9")  # blue first: most are one series
MARKERS = ("o", "D", "s", "^", "v", "P")
HATCHES = ("", "////", "----", "xxxx", "\\\\\\\\", "++++")  # lines only: a dotted one is a hundred kilobytes of circles

# groups of a forest plot that are statuses, or outcomes of a comparison, look as they do everywhere else on the page
STATUSES: dict[str, str] = {
    Status.EFFECT: "#01020a",
    Status.NO_EFFECT: "#01020b",
    Status.DESCRIBED: "#01020c",
    Status.TOO_SMALL: "#01020d",
    Status.INCONCLUSIVE: "#01020e",
    Outcome.WORSE: "#01020f",
    Outcome.BETTER: "#010210",
    Outcome.CHANGED: "#010211",
    Outcome.UNTOLD: "#010212",
}
_STATUS_MARKERS: dict[str, str] = {
    Status.EFFECT: "^",
    Status.NO_EFFECT: "o",
    Status.DESCRIBED: "s",
    Status.TOO_SMALL: "v",
    Status.INCONCLUSIVE: "X",
    Outcome.WORSE: "v",
    Outcome.BETTER: "^",
    Outcome.CHANGED: "D",
    Outcome.UNTOLD: "o",
}
_STATUS_VARIABLES = ("effect", "none", "described", "small", "small", "harm", "none", "effect", "muted")

VARIABLES = {
    INK: "var(--ink)",
    MUTED: "var(--muted)",
    HAIR: "var(--hair)",
    BAND: "var(--band)",
    PAPER: "var(--paper)",
    HEAT_LOW: "var(--heat-low)",
    HEAT_HIGH: "var(--heat-high)",
    **{colour: f"var(--{name})" for colour, name in zip(STATUSES.values(), _STATUS_VARIABLES, strict=True)},
    **{colour: f"var(--series-{index})" for index, colour in enumerate(SERIES)},
}


def colour(index: int, group: str = "") -> str:
    """Colour of the series at a position (they repeat with other shapes only after six); a status has its own."""
    return STATUSES.get(group) or SERIES[index % len(SERIES)]


def marker(index: int, group: str = "") -> str:
    """Marker of the series at a position; a status has its own."""
    return _STATUS_MARKERS.get(group) or MARKERS[(index + index // len(MARKERS)) % len(MARKERS)]
