"""The page of a data set for `clipaudit describe`: plain text."""

from __future__ import annotations

import textwrap

from clipaudit.data.card import BuiltinSource, DataCard, FolderSource, HubSource, Source, TableSource
from clipaudit.text import printable

WIDTH = 100


def describe_card(card: DataCard, reach_reason: str | None, *, downloads: bool = False) -> str:
    """What it is, whose it is, its columns, limits and where it comes from. `reach_reason`: why it is out of reach;
    `downloads`: opening it would fetch it."""
    lines = [f"{card.id}: {printable(card.title)}", ""]
    lines += [line for part in card.text.split("\n\n") if part.strip() for line in (_wrap(part), "")]
    lines += [_wrap(f"Licence: {card.licence}"), _wrap(f"Consent: {card.consent}")]
    lines += [f"Thumbnails in reports: {'yes' if card.thumbnails else 'no'}", ""]
    if card.columns:
        lines += ["Columns"] + [_wrap(f"{name}: {meaning}", "- ") for name, meaning in card.columns.items()] + [""]
    if card.groups:
        lines += [_wrap(f"Groups, as {card.groups_are}: {', '.join(card.groups)}")]
    lines += [_wrap(f"Natural unit: {card.cluster if card.cluster not in (None, 'id') else 'each item its own'}"), ""]
    lines += ["Where it comes from"] + [_wrap(_source(source), "- ") for source in card.source]
    fetched = ", and fetched from the hub when it is first used" if downloads else ""
    lines += [f"In reach: yes{fetched}" if reach_reason is None else _wrap(f"In reach: no; {reach_reason}"), ""]
    if card.limits:
        lines += ["What it does not show"] + [_wrap(limit, "- ") for limit in card.limits] + [""]
    if card.citation:
        lines += ["Source", _wrap(card.citation, "- ")]
    return "\n".join(lines).rstrip()


def _source(source: Source) -> str:
    match source:
        case BuiltinSource():
            options = ", ".join(f"{name} = {value}" for name, value in source.options.items())
            return f"drawn at run time by {source.generator}" + (f" ({options})" if options else "")
        case FolderSource():
            package = f"; the system package {source.package} brings it" if source.package else ""
            layout = f", files {source.pattern}" if source.reader is None else ""
            return f"a folder{f' {source.path}' if source.path else ''}{layout}{package}"
        case TableSource():
            return f"the table {source.path}" + (f", images in column {source.image}" if source.image else ", ids only")
        case HubSource():
            part = f"configuration {source.config}, split {source.split}" if source.config else f"split {source.split}"
            return f"the hub: {source.repo}, {part}, revision {source.revision[:12]}"


def _wrap(text: str, bullet: str = "") -> str:
    plain = printable(" ".join(text.split()), limit=None)
    return textwrap.fill(
        plain,
        WIDTH,
        initial_indent=bullet,
        subsequent_indent=" " * len(bullet),
        break_long_words=False,
        break_on_hyphens=False,
    )
