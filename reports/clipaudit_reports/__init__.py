"""Reports of a run: one typed view model, rendered as HTML and as Markdown.

build.py        RunResult -> ReportView: blocks.py, findings.py, cells.py, figures.py, overview.py, provenance.py
view.py         the view model's types
numbers.py      digits, units, intervals, p values
cleaning.py     untrusted text made printable, once
plots/          figures as SVG (matplotlib), one kind a file; trim.py what is drawn of large ones
budget.py       how much a page shows, so that it stays below 2 MB
html.py         ReportView -> one self-contained page (templates/); markdown.py -> text for a pull request
"""

from clipaudit_reports.build import build_report
from clipaudit_reports.html import render_html
from clipaudit_reports.markdown import render_markdown

__all__ = ["build_report", "render_html", "render_markdown"]
