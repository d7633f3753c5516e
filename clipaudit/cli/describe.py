"""Plain-text pages for `clipaudit describe`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from clipaudit import plugins
from clipaudit.cli.describe_audit import audit_page, toml, wrap
from clipaudit.cli.listings import open_registry
from clipaudit.errors import DataError, UsageError, nearest
from clipaudit.text import printable

if TYPE_CHECKING:
    from clipaudit.contract import Audit
    from clipaudit.engine.serves import Service
    from clipaudit.engine.suite import Suite


CONTROL = "control:"


def describe(name: str, data: tuple[str, ...] = ()) -> str:
    """The page of an audit, a suite, a data set (its id, or the place of one's own) or a control model, or one that was
    written as such (the tutorial); UsageError with the nearest names if there is none."""
    from clipaudit import pages as written
    from clipaudit.data.describe import describe_card
    from clipaudit.data.registry import parse_data_option
    from clipaudit.engine.suite import builtin_suites, load_suite

    if name.startswith(CONTROL):
        from clipaudit.models.control import describe as control_page

        return control_page(name.removeprefix(CONTROL).partition("?")[0])
    registry = open_registry(data)
    audits, suites, cards = plugins.names(plugins.AUDITS), builtin_suites(), registry.ids()
    if name in written.names():
        return written.page(name).rstrip() + (f"\n\n{_methods()}" if name == "methods" else "")
    if name not in {*audits, *suites, *cards} and Path(name).exists():
        return describe(parse_data_option(name)[0], (*data, name))
    pages = []
    if name in audits:
        audit = plugins.load_audit(name)
        pages.append(f"{audit_page(audit.spec, registry)}\n\n{_validated(audit)}")
    if name in suites:
        pages.append(suite_page(load_suite(name)))
    if name in cards:
        page = describe_card(registry.card(name), registry.reach(name), downloads=registry.downloads(name))
        pages.append(f"{page}\n\n{served(name, data)}")
    if not pages:
        raise UsageError(f"nothing is called {name!r}; {nearest(name, [*audits, *suites, *cards, *written.names()])}")
    return "\n\n".join(pages)


def served(data_id: str, places: tuple[str, ...]) -> str:
    """Which audits the data set can serve and which not, and why; it is opened for that unless it is out of reach."""
    from clipaudit.engine.serves import services

    registry = open_registry(places, offline=True)  # nothing is downloaded in order to be described
    made_for = [one.id for one in plugins.list_audits() if one.audit and data_id in one.audit.spec.data]
    if registry.reach(data_id) is not None:  # or it is on the hub, and not here yet
        said = f"Audits made for it: {', '.join(made_for) or 'none'}; all are tried on it once it is in reach."
        return wrap(said)
    try:
        dataset = registry.open(data_id)
    except DataError as error:
        return wrap(f"No audit can use it: {error}")
    found = list(services(dataset))
    lines = ["Audits it can serve"]
    lines += [wrap(f"{one.audit}: {one.title}", "- ") for one in found if one.reason is None] or ["- none"]
    lines += ["", "Audits it cannot serve as it is"]
    lines += [wrap(f"{one.audit}: {_shorter(one, data_id)}", "- ") for one in found if one.reason is not None]
    return "\n".join(lines)


def _shorter(service: Service, data_id: str) -> str:
    """The reason without what the page says already."""
    reason = (service.reason or "").removeprefix(f"{service.audit}: ").replace(f"data set {data_id!r}", "it")
    return printable(reason, limit=None)


def _validated(audit: Audit) -> str:
    """What its package says of the audit on models with a known effect."""
    from clipaudit.validation.stored import stored
    from clipaudit.validation.words import summary

    found = stored(audit)
    if found is not None:
        return wrap(f"Validated on models with a known effect: {summary(found)}.")
    if audit.validation():
        return wrap(f"Not validated in this version; clipaudit validate {audit.spec.id} does it.")
    return "Not validated: it declares no planted effect."


def _methods() -> str:
    """What each installed audit says of its own methods, formulas and sources."""
    pages = ["## Audits"]
    for spec in (one.audit.spec for one in plugins.list_audits() if one.audit):
        lines = [f"### {spec.id}: {spec.title}", "", wrap(spec.methods), ""]
        lines += [wrap(f"{m.name} = {m.formula}", "- ") for m in spec.metrics if m.formula]
        lines += ["", *(wrap(citation, "- ") for citation in spec.citations)]
        pages.append("\n".join(lines).rstrip())
    return "\n\n".join(pages)


def suite_page(suite: Suite) -> str:
    """What a suite runs, on which data, with which parameters."""
    lines = [f"suite {suite.id}: {suite.title}", ""]
    if suite.description:
        lines += [wrap(suite.description), ""]
    for entry in suite.audits:
        params = ", ".join(f"{key} = {toml(value)}" for key, value in entry.params.items())
        where = f" on {entry.data}" if entry.data else ""
        lines.append(wrap(f"{entry.id}{where}{': ' + params if params else ''}", "- "))
    return "\n".join(lines)
