"""Figures that an audit's package carries as `validation.json`, and what findings say where these are bad.

Any package that registers audits may carry such a file, at its top: it is what `clipaudit validate` writes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from clipaudit.results import Estimate
from clipaudit.validation.results import AuditValidation, ValidationResult
from clipaudit.validation.words import cautions

if TYPE_CHECKING:
    from clipaudit.contract import Audit

FILE = "validation.json"


def stored(audit: Audit) -> AuditValidation | None:
    """The figures of this version of the audit; None where its package carries none (that can be read), or others."""
    return _found(type(audit).__module__.partition(".")[0], audit.spec.id, audit.spec.version)


def cautioned(audit: Audit, estimates: Sequence[Estimate]) -> list[Estimate]:
    """The estimates; those of a metric whose figures leave their band say so in their notes."""
    known = _cautions(type(audit).__module__.partition(".")[0], audit.spec.id, audit.spec.version)
    return [
        one.model_copy(update={"notes": (*one.notes, *known[one.metric])}) if one.metric in known else one
        for one in estimates
    ]


@cache
def _cautions(package: str, audit: str, version: str) -> Mapping[str, tuple[str, ...]]:
    found = _found(package, audit, version)
    return {} if found is None else cautions(found)


def _found(package: str, audit: str, version: str) -> AuditValidation | None:
    carried = _carried(package)
    known = () if carried is None else carried.audits
    return next((one for one in known if (one.audit, one.version) == (audit, version)), None)


@cache
def _carried(package: str) -> ValidationResult | None:
    try:
        return ValidationResult.model_validate_json((files(package) / FILE).read_text(encoding="utf-8"))
    except (ModuleNotFoundError, TypeError, OSError):
        return None  # __main__, or a single module: there is no package to carry it
    except ValueError:  # of another package, or another schema: no reason for its audits not to run
        return None
