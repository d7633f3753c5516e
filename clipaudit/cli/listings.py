"""Tables for `clipaudit list`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.table import Table
from rich.text import Text

from clipaudit.text import printable

if TYPE_CHECKING:
    from clipaudit.data.registry import DataRegistry

MODELS = (
    ("reference", "the embedded default: EfficientNet-Lite2 + MiniLM, built from pip packages"),
    ("ARCH@TAG, ARCH@FILE", "open_clip architecture with a published tag or your own weights"),
    ("hf-hub:ORG/NAME, local-dir:DIR", "open_clip's own forms"),
    ("transformers:NAME_OR_DIR", "CLIP or SigLIP of transformers"),
    ("recorded:DIR", "embeddings or scores recorded elsewhere; see clipaudit describe writing-an-adapter"),
    ("py:MODULE:FACTORY", "your own code; see clipaudit describe writing-an-adapter"),
    ("control:NAME?KEY=VALUE", "a synthetic model with a planted effect, to test audits: {controls}"),
)


DOWNLOADS = "yes: fetched from the hub when it is first used"


def audits(data: tuple[str, ...]) -> Table:
    """Every registered audit, the broken ones with their reason."""
    from clipaudit.plugins import list_audits

    table = _table("audit", "family", "question", "needs", "package")
    for listing in list_audits():
        if listing.audit is None:
            table.add_row(_t(listing.id), "-", _t(f"UNAVAILABLE: {listing.reason}"), "", _t(listing.package))
            continue
        spec = listing.audit.spec
        needs = ", ".join(sorted(spec.needs))
        table.add_row(_t(spec.id), _t(spec.family), _t(spec.question), needs, _t(listing.package))
    return table


def data(places: tuple[str, ...]) -> Table:
    """Every data card, whether it is in reach, and how to bring it into reach."""
    registry = open_registry(places)
    table = _table("data", "what", "licence", "in reach")
    for data_id in registry.ids():
        card = registry.card(data_id)
        reason = registry.reach(data_id)
        said = f"no: {reason}" if reason else DOWNLOADS if registry.downloads(data_id) else "yes"
        table.add_row(_t(data_id), _t(card.title), _t(card.licence), _t(said))
    for data_id, reason in registry.broken.items():
        table.add_row(_t(data_id), "-", "-", _t(f"BROKEN CARD: {reason}"))
    return table


def suites(data: tuple[str, ...]) -> Table:
    """Packaged suites."""
    from clipaudit.engine.suite import builtin_suites, load_suite

    table = _table("suite", "title", "audits")
    for name in builtin_suites():
        suite = load_suite(name)
        table.add_row(_t(name), _t(suite.title), _t(", ".join(dict.fromkeys(entry.id for entry in suite.audits))))
    return table


def models(data: tuple[str, ...]) -> Table:
    """Forms of --model, and the names of control models."""
    from clipaudit.models.control import CONTROLS

    table = _table("--model", "what")
    for form, what in MODELS:
        table.add_row(form, _t(what.format(controls=f"{', '.join(CONTROLS)} (clipaudit describe control:NAME)")))
    return table


def pages(data: tuple[str, ...]) -> Table:
    """What can be read beside audits, data sets and suites."""
    from clipaudit import pages as written

    table = _table("page", "title")
    for name in written.names():
        table.add_row(name, _t(written.page(name).partition("\n")[0].removeprefix("# ")))
    return table


def open_registry(places: tuple[str, ...], *, offline: bool = False) -> DataRegistry:
    """The data registry with the user's own places."""
    from clipaudit.data.registry import DataRegistry, parse_data_option

    return DataRegistry(dict(parse_data_option(place) for place in places), offline)


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _t(text: str) -> Text:
    return Text(printable(text, limit=400))
