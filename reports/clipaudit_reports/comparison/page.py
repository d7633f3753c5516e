"""The comparison of several runs as one self-contained HTML page, in the dress of the report."""

from __future__ import annotations

from collections.abc import Mapping

from clipaudit.compare.results import Comparison
from clipaudit_reports.budget import PAGE
from clipaudit_reports.comparison.build import build_comparison
from clipaudit_reports.comparison.detail import LADDER
from clipaudit_reports.html import scripted


def render_comparison(found: Comparison, pictures: Mapping[str, bytes] | None = None) -> str:
    """The page. `pictures` are image files of items by "<cell name>/<item>", shown where the data card allows it.

    Full detail if the page then stays below `budget.PAGE` bytes, else as much as does.
    """
    page = ""
    for detail in LADDER:
        view = build_comparison(found, pictures, detail)
        page = scripted("comparison.html.j2", title=view.title, version=view.version, comparison=view)
        if len(page.encode()) <= PAGE:
            break
    return page
