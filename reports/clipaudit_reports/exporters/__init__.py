"""Renderings of results for other tools. None decides anything: all show what `GateResult` or `Comparison` says.

markdown.py   a comment on a pull request, a job's summary      junit.py   what CI servers read
github.py     annotations of a workflow                         comparison.py   runs side by side, as Markdown
"""
