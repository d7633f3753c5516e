"""Several runs side by side as one page.

view.py     what the page says, typed          build.py    Comparison -> ComparisonView: changes.py, flips.py, board.py
page.py     the page itself, within 2 MB       forests.py  the changes as figures
"""

from clipaudit_reports.comparison.page import render_comparison

__all__ = ["render_comparison"]
