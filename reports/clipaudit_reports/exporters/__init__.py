"""Renderings of a gate's result for other tools. None decides anything: all show what `GateResult` says.

markdown.py   a comment on a pull request, a job's summary      junit.py   what CI servers read
github.py     annotations of a workflow
"""
