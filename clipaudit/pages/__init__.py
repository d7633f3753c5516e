"""Pages that `clipaudit describe NAME` prints beside those it makes from audits, suites and cards."""

from __future__ import annotations

from importlib.resources import files


def names() -> tuple[str, ...]:
    """Names of the pages, sorted."""
    return tuple(sorted(p.name.removesuffix(".md") for p in files(__package__).iterdir() if p.name.endswith(".md")))


def page(name: str) -> str:
    """A page's Markdown; FileNotFoundError for a name that is not in `names()`."""
    return (files(__package__) / f"{name}.md").read_text(encoding="utf-8")
