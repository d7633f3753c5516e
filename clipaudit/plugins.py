"""Plug-ins by entry point: audits, suites, report renderers. Names are read without importing anything."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any

from clipaudit.errors import ClipAuditError, UsageError, nearest

if TYPE_CHECKING:
    from clipaudit.contract import Audit

AUDITS, SUITES, REPORTS = "clipaudit.audits", "clipaudit.suites", "clipaudit.reports"
EXPORTS = "clipaudit.exports"


class PluginUnavailable(ClipAuditError):
    """A registered plug-in cannot be used; the message says why."""


@dataclass(frozen=True)
class AuditListing:
    """One line of `clipaudit list audits`."""

    id: str
    package: str
    audit: Audit | None
    reason: str = ""


@cache
def names(group: str) -> Mapping[str, EntryPoint]:
    """Entry points of a group by name; the first one wins where two packages register the same name."""
    found: dict[str, EntryPoint] = {}
    for point in entry_points(group=group):
        found.setdefault(point.name, point)
    return dict(sorted(found.items()))


def load_audit(audit_id: str) -> Audit:
    """The audit registered as `audit_id`. UsageError if unknown, PluginUnavailable if it cannot be imported."""
    known = names(AUDITS)
    if audit_id not in known:
        raise UsageError(f"unknown audit {audit_id!r}; {nearest(audit_id, known)}")
    audit = _load(known[audit_id])
    found = getattr(getattr(audit, "spec", None), "id", None)
    if found != audit_id:
        raise PluginUnavailable(f"audit {audit_id!r} is unavailable: its spec.id is {found!r}, not the registered name")
    result: Audit = audit()
    return result


def list_audits() -> list[AuditListing]:
    """Every registered audit; a broken one is listed as unavailable, with the reason."""
    listings = []
    for name, point in names(AUDITS).items():
        package = point.dist.name if point.dist else point.value
        try:
            listings.append(AuditListing(name, package, load_audit(name)))
        except PluginUnavailable as error:
            listings.append(AuditListing(name, package, None, str(error)))
    return listings


def load_report(name: str) -> Any:
    """The renderer registered as `name` ("html", "markdown")."""
    known = names(REPORTS)
    if name not in known:
        raise UsageError(f"unknown report format {name!r}; {nearest(name, known)}")
    return _load(known[name])


def load_export(name: str) -> Callable[..., str]:
    """What renders a result for another tool: "gate-junit", "comparison-markdown", "model-card", "in-toto" ..."""
    known = names(EXPORTS)
    if name not in known:
        raise UsageError(f"unknown export {name!r}; {nearest(name, known)}")
    render: Callable[..., str] = _load(known[name])
    return render


def _load(point: EntryPoint) -> Any:
    try:
        return point.load()
    except Exception as error:  # a third party's import may raise anything
        reason = str(error).splitlines()[0] if str(error) else "no message"
        raise PluginUnavailable(f"{point.name!r} is unavailable: {type(error).__name__}: {reason}") from error
