"""Which audits a data set can serve: every audit is asked to plan itself on it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import ValidationError

from clipaudit import plugins
from clipaudit.contract import PlanContext
from clipaudit.errors import ClipAuditError

if TYPE_CHECKING:
    from clipaudit.contract import Audit
    from clipaudit.data.dataset import Dataset


@dataclass(frozen=True)
class Service:
    """What one audit says of a data set. reason: why it cannot use it, in one line; None where it can."""

    audit: str
    title: str
    reason: str | None


def services(dataset: Dataset) -> Iterator[Service]:
    """Every audit that takes a data set, with its default parameters; no model is needed and no pixel is read."""
    for name in plugins.names(plugins.AUDITS):
        try:
            audit = plugins.load_audit(name)
        except plugins.PluginUnavailable as error:
            yield Service(name, name, str(error))
            continue
        try:
            uses = _uses(audit, dataset)
        except (ClipAuditError, ValidationError) as error:
            yield Service(name, audit.spec.title, " ".join(str(error).split()))
        else:
            if uses:
                yield Service(name, audit.spec.title, None)


def _uses(audit: Audit, dataset: Dataset) -> bool:
    """Whether the audit plans a cell on the data; ClipAuditError where it cannot, ValidationError where a parameter
    has no default."""
    if dataset.id not in audit.spec.data:
        dataset.require(*audit.spec.columns)
    cells = audit.plan(PlanContext(audit.spec.params(), 0, dataset))
    return any(cell.data is not None for cell in cells)
