"""Permanent anchors: the same finding has the same id in every report, so that links keep working."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping

from clipaudit.results import Estimate

REPORT = "report.html"  # name of the page in the directory of a run


def slug(text: str, limit: int = 48) -> str:
    """Lower-case ASCII letters, digits and dashes; a digest is added where that loses or cuts something.

    >>> slug("typographic.rta100"), slug("Insect-Flower")
    ('typographic-rta100', 'insect-flower')
    >>> slug("語") != slug("話")
    True
    """
    words = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    lossless = text.isascii() and text.isprintable() and len(words) <= limit
    if lossless and words:
        return words
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{words[:limit].strip('-')}-{digest}".strip("-")


def finding(cell_name: str, estimate: Estimate) -> str:
    """The id of one estimate: cell, metric, role unless primary, and subgroup."""
    return "--".join(["finding", slug(cell_name), *_identity(estimate.metric, estimate.role, estimate.subgroup)])


def change(run: str, cell_name: str, metric: str, role: str, subgroup: Mapping[str, str]) -> str:
    """The id of a finding in a comparison; run: the anchor of the run that is compared with the base."""
    return "--".join(["change", run, slug(cell_name), *_identity(metric, role, subgroup)])


def rules(ids: Iterable[str]) -> dict[str, str]:
    """The ids of a gate's rules by the rules' names, in the order of the policy."""
    unique = Unique()
    return {name: unique(f"rule--{slug(name)}") for name in ids}


def link(anchor: str) -> str:
    """Where it is, from the directory of the run: "report.html#rule--accuracy"."""
    return f"{REPORT}#{anchor}"


def _identity(metric: str, role: str, subgroup: Mapping[str, str]) -> list[str]:
    parts = [slug(metric)]
    if role != "primary":
        parts.append(role)
    return parts + ([slug(_pairs(subgroup), 64)] if subgroup else [])


def _pairs(subgroup: Mapping[str, str]) -> str:
    return " ".join(f"{key} {value}" for key, value in subgroup.items())


class Unique:
    """Hands out ids; a second request for the same one gets a number."""

    def __init__(self) -> None:
        self._taken: dict[str, int] = {}

    def __call__(self, wanted: str) -> str:
        count = self._taken.get(wanted, 0) + 1
        self._taken[wanted] = count
        return wanted if count == 1 else f"{wanted}-{count}"
