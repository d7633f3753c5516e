"""A quiet matplotlib canvas, and its SVG made small, deterministic and fit to stand in a page."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from clipaudit_reports.plots.palette import HAIR, INK, MUTED, VARIABLES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

WIDTH = 8.0  # inches; 576 user units, shown at up to 832 px
FONT = 9.0
LEGEND_COLUMNS = 3

_SVG, _XLINK = "http://www.w3.org/2000/svg", "{http://www.w3.org/1999/xlink}href"
_NUMBER = re.compile(r"-?\d+\.\d+")
_COLOUR = re.compile(r"#[0-9a-f]{6}\b")
_REFERENCE = re.compile(r"url\(#([^)]+)\)")
_NO_METADATA: dict[str, None] = dict.fromkeys(("Date", "Creator", "Format", "Type"))

RC: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "clipaudit",
    "text.parse_math": False,  # labels come from outside: "$" is a dollar
    "text.color": INK,
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],  # brought by matplotlib: the same layout on every machine
    "font.size": FONT,
    "axes.edgecolor": HAIR,
    "axes.labelcolor": MUTED,
    "axes.linewidth": 0.8,
    "axes.unicode_minus": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.axisbelow": True,
    "xtick.color": HAIR,
    "xtick.labelcolor": MUTED,
    "ytick.color": HAIR,
    "ytick.labelcolor": INK,
    "xtick.major.size": 3.0,
    "ytick.major.size": 0.0,
    "grid.color": HAIR,
    "grid.linewidth": 0.6,
    "hatch.linewidth": 0.6,
    "legend.frameon": False,
    "legend.fontsize": FONT,
}


@contextmanager
def style() -> Iterator[None]:
    """matplotlib's own defaults plus ours, whatever the user's configuration says."""
    import matplotlib

    with warnings.catch_warnings(), matplotlib.rc_context():
        warnings.filterwarnings("ignore", message="Glyph .* missing from")  # the browser has the fonts
        matplotlib.rcParams.update(matplotlib.rcParamsDefault)
        matplotlib.rcParams.update(RC)
        yield


def panel(height: float, left: float, right: float, top: float, bottom: float) -> tuple[Canvas, Axes]:
    """A canvas of the standard width with one plot; all margins in inches."""
    from matplotlib.figure import Figure as Canvas

    canvas = Canvas(figsize=(WIDTH, height))
    axes = canvas.add_axes(
        (left / WIDTH, bottom / height, (WIDTH - left - right) / WIDTH, (height - top - bottom) / height)
    )
    return canvas, axes


def width(axes: Axes) -> float:
    """Inches of the plot's own width."""
    return float(axes.get_position().width * WIDTH)


def height(axes: Axes) -> float:
    """Inches of the plot's own height."""
    sheet = axes.get_figure(root=True)
    return float(axes.get_position().height * (1.0 if sheet is None else sheet.get_figheight()))


def label_margin(labels: Sequence[str], most: float = 3.2) -> float:
    """Inches needed by the longest label at the standard font size."""
    longest = max((len(label) for label in labels), default=0)
    return min(most, 0.25 + 0.075 * longest)


def short(text: str, limit: int = 40) -> str:
    """One line that fits the margin; the table behind the figure has it in full.

    >>> short("a very long label that never ends, as labels do", 20)
    'a very long label t…'
    """
    line = " ".join(text.split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def legend(axes: Axes, handles: Sequence[Any], lift: float = 0.0) -> None:
    """A legend above the plot, from its left edge; `lift` inches leave room for an axis on top."""
    axes.legend(
        handles=handles, loc="lower left", bbox_to_anchor=(-0.01, 1.0 + lift / height(axes)), ncols=LEGEND_COLUMNS,
        borderaxespad=0.2, handletextpad=0.4, columnspacing=1.4,
    )  # fmt: skip


def legend_text(label: str, entries: int) -> str:
    """A label that leaves room for the others of its line."""
    return short(label, 28 if entries > 2 else 44)


def legend_height(entries: int) -> float:
    """Inches that `legend` needs above the plot."""
    return 0.15 + 0.19 * -(-entries // LEGEND_COLUMNS)


def to_svg(canvas: Canvas, prefix: str) -> str:
    """The canvas as an <svg> element with page colours, short numbers and ids of its own."""
    buffer = io.StringIO()
    canvas.savefig(buffer, format="svg", transparent=True, metadata=_NO_METADATA)
    root = ElementTree.fromstring(buffer.getvalue())
    _tidy(root, prefix)
    for name in ("width", "height", "version"):
        root.attrib.pop(name, None)
    text = ElementTree.tostring(root, encoding="unicode")
    return text.replace(f'xmlns="{_SVG}" ', "", 1)


def _tidy(root: ElementTree.Element, prefix: str) -> None:
    ElementTree.register_namespace("", _SVG)
    _drop_invisible(root)
    used = _referenced(root)
    names = {name: f"{prefix}.{index}" for index, name in enumerate(sorted(used))}
    for element in root.iter():
        if element.text is not None and not element.text.strip():
            element.text = None
        element.tail = None
        _rename(element, names)
        _shorten(element)
        _style(element)
    _flatten(root)


def _drop_invisible(root: ElementTree.Element) -> None:
    """Remove the global style sheet (its rules would reach the whole page) and the empty backgrounds."""
    for parent in list(root.iter()):
        for child in list(parent):
            sheet = child.tag == f"{{{_SVG}}}style"
            blank = child.tag == f"{{{_SVG}}}path" and child.get("style") == "fill: none"
            if sheet or blank:
                parent.remove(child)


def _flatten(parent: ElementTree.Element) -> None:
    """Take the groups apart that say nothing, the empty ones with them; the order of drawing stays."""
    kept: list[ElementTree.Element] = []
    for child in parent:
        _flatten(child)
        hollow = child.tag in (f"{{{_SVG}}}g", f"{{{_SVG}}}defs") and not child.attrib
        if hollow and (child.tag.endswith("g") or not len(child)):
            kept.extend(child)
        else:
            kept.append(child)
    parent[:] = _clipped_together(kept)


def _clipped_together(children: Sequence[ElementTree.Element]) -> list[ElementTree.Element]:
    """Neighbours that are cut off by one frame, in one group."""
    found: list[ElementTree.Element] = []
    for child in children:
        frame = child.get("clip-path")
        if frame is None:
            found.append(child)
            continue
        if not found or found[-1].attrib != {"clip-path": frame}:
            found.append(ElementTree.Element(f"{{{_SVG}}}g", {"clip-path": frame}))
        if child.tag == f"{{{_SVG}}}g" and len(child.attrib) == 1:
            found[-1].extend(child)
        else:
            del child.attrib["clip-path"]
            found[-1].append(child)
    return found


def _referenced(root: ElementTree.Element) -> set[str]:
    found: set[str] = set()
    for element in root.iter():
        target = element.get(_XLINK, "")
        if target.startswith("#"):
            found.add(target[1:])
        for value in element.attrib.values():
            found.update(_REFERENCE.findall(value))
    return found


def _rename(element: ElementTree.Element, names: dict[str, str]) -> None:
    own = element.attrib.pop("id", None)
    if own in names:
        element.set("id", names[own])
    target = element.attrib.pop(_XLINK, None)
    if target is not None:
        element.set("href", f"#{names[target[1:]]}" if target.startswith("#") else target)
    for key, value in element.attrib.items():
        if "url(#" in value:
            element.set(key, _REFERENCE.sub(lambda match: f"url(#{names[match.group(1)]})", value))


def _shorten(element: ElementTree.Element) -> None:
    for key in ("d", "x", "y", "transform", "width", "height", "points"):
        value = element.get(key)
        if value is not None:
            element.set(key, _NUMBER.sub(lambda match: _short(float(match.group())), value))
            if key == "d":
                element.set(key, " ".join(element.get(key, "").split()))
    if (element.get("transform") or "").startswith("rotate(-0 "):
        del element.attrib["transform"]


def _short(value: float) -> str:
    """A coordinate to a tenth of a unit, which is a sixth of a millimetre; small ones, of markers, to a hundredth."""
    return f"{value:.{1 if abs(value) >= 10 else 2}f}".rstrip("0").rstrip(".")


def _style(element: ElementTree.Element) -> None:
    """The page's font, and its colours: variables work in style sheets only, so attributes move there."""
    rules = [rule.strip() for rule in element.attrib.pop("style", "").split(";")]
    rules = [rule for rule in rules if rule and not rule.startswith("font-family:")]
    for name in ("fill", "stroke"):
        if element.get(name) in VARIABLES:
            rules.append(f"{name}: {element.attrib.pop(name)}")
    if rules:
        sheet = "; ".join(rules)
        element.set("style", _COLOUR.sub(lambda match: VARIABLES.get(match.group(), match.group()), sheet))
