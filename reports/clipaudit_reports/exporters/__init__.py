"""Renderings of results for other tools. None decides anything: all show what the typed results say.

of a gate          markdown.py   a comment on a pull request, a job's summary      junit.py   what CI servers read
                   github.py     annotations of a workflow      in_toto.py   an unsigned statement of a test result
of a comparison    comparison.py   Markdown
of a run           findings.py   CSV      huggingface.py   evaluation results and a section of a model card
markup.py          text of others, made safe in Markdown
"""
