"""The report as one self-contained HTML page: no external file, readable without its one small script, and the same
input gives the same bytes."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from clipaudit.results import Figure, Manifest, RunResult
from clipaudit_reports.budget import LADDER, PAGE
from clipaudit_reports.build import build_report

if TYPE_CHECKING:
    from jinja2 import Environment

    from clipaudit.gate.results import GateResult
    from clipaudit_reports.view import PlotView, ReportView


_PLOT_STYLE = re.compile(r'(<(?:path|use|text|rect|g)(?: [\w-]+="[^"<>]*")*? )style="([^"<>]*)"')


def render_html(
    result: RunResult,
    manifest: Manifest | None = None,
    thumbnails: Mapping[str, bytes] | None = None,
    gate: GateResult | None = None,
) -> str:
    """The page. `thumbnails` are image files by "<cell key>/<file name>", shown where a gallery names them; `gate` is
    what a policy made of the run: its rules and waivers then open the page.

    Full detail if the page then stays below `budget.PAGE` bytes, else as much as does.
    """
    text = ""
    for detail in LADDER:
        text = _page(build_report(result, manifest, thumbnails, detail, gate))
        if len(text.encode()) <= PAGE:
            break
    return text


def page(template: str, **values: object) -> str:
    """A page from a template of this package, with the styles of its plots gathered."""
    return classed(_environment().get_template(template).render(**values))


def _page(view: ReportView) -> str:
    return scripted("report.html.j2", title=view.title, version=view.version, report=view)


def scripted(template: str, **values: object) -> str:
    """A page from a template that fills the layout, which has the script. `values` name its title and version."""
    script = _script()
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return page(template, **values, script=script, script_digest=digest)


@cache
def _script() -> str:
    """Sorting and filters: the only script that the page's policy lets run, as it names its digest."""
    from importlib.resources import files

    from markupsafe import Markup

    return Markup((files("clipaudit_reports") / "templates" / "report.js").read_text(encoding="utf-8").strip())


def classed(text: str) -> str:
    """The page with the styles of all plots in its own style sheet, each once: they are half of a plot's size.

    Only tags of plots match: everything else on the page is escaped.
    """
    names: dict[str, str] = {}

    def name(match: re.Match[str]) -> str:
        if "url(" in match[2]:  # of a pattern in this plot alone
            return match[0]
        return f'{match[1]}class="{names.setdefault(match[2], f"p{len(names)}")}"'

    body = _PLOT_STYLE.sub(name, text)
    rules = "".join(f".{short}{{{_tight(style)}}}" for style, short in names.items())
    return body.replace("</style>", f"{rules}\n</style>", 1)


def _tight(style: str) -> str:
    return style.replace(": ", ":").replace("; ", ";")


@cache
def _environment() -> Environment:
    """Templates of this package; everything that they print is escaped."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("clipaudit_reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"draw": _draw, "tied": _tied, "bare": _bare, "unitless": _unitless}
    return environment


def _tied(text: str) -> str:
    """Numbers keep their unit on the same line."""
    return re.sub(r"(?<=\d) (?=%)", "\N{NO-BREAK SPACE}", text)


def _bare(p: str) -> str:
    """A p value for a column that says so in its head."""
    return p.removeprefix("p ").removeprefix("= ")


def _unitless(text: str, unit: str) -> str:
    """A value for a column that names the unit in its head."""
    return text.replace(f" {unit}", "", 1) if unit else text


def _draw(plot: PlotView) -> str:
    """The plot's SVG, which escapes its own text."""
    from markupsafe import Markup

    return Markup(_svg(plot.figure, hashlib.sha256(plot.anchor.encode()).hexdigest()[:8]))


@lru_cache(maxsize=256)
def _svg(figure: Figure, prefix: str) -> str:
    """Drawing is slow, and a page may be laid out more than once before it fits."""
    from clipaudit_reports.plots import draw

    return draw(figure, prefix)
