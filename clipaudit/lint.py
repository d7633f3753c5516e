"""Suites, policies and cards checked without running them: what a commit hook can know."""

from __future__ import annotations

from pathlib import Path

from clipaudit import plugins
from clipaudit.contract import Audit
from clipaudit.errors import UsageError, nearest
from clipaudit.reading import read_text, toml_values


def lint(path: Path) -> str:
    """What a file is, in a word or two with its size: "suite of 11 entries", "policy of 4 rules", "card of shop".

    A TOML file with rules is a policy, one with audits or an include a suite; anything else is read as a data card.

    Raises:
        UsageError, DataError: the first fault, with the file, the key, and the nearest allowed names. Whether data is
            in reach is not looked at: a suite may name sets that only `--data` brings.
    """
    keys = _keys(path)
    if keys & {"rule", "waiver"}:
        return _policy(path)
    if keys & {"audits", "include"}:
        return _suite(path)
    from clipaudit.data.parse import load_card

    return f"card of {load_card(path).id}"


def _keys(path: Path) -> set[str]:
    if path.suffix != ".toml":
        return set()
    return set(toml_values(read_text(path, UsageError, str(path)), UsageError, str(path)))


def _policy(path: Path) -> str:
    from clipaudit.gate.policy import load_policy

    policy = load_policy(path)
    for rule in policy.rules:
        known = {metric.name for metric in _audit(rule.audit, f"{path}: rule {rule.id}").spec.metrics}
        if rule.metric not in known:
            raise UsageError(
                f"{path}: rule {rule.id}: {rule.audit} has no metric {rule.metric!r}; {nearest(rule.metric, known)}"
            )
    return f"policy of {len(policy.rules)} rule{'' if len(policy.rules) == 1 else 's'}"


def _suite(path: Path) -> str:
    from clipaudit.engine.plan import validate_params
    from clipaudit.engine.suite import load_suite

    suite = load_suite(str(path))
    for number, entry in enumerate(suite.audits, start=1):
        where = f"{path}: entry {number}"
        audit = _audit(entry.id, where)
        try:
            validate_params(audit, entry.params)
        except UsageError as error:
            raise UsageError(f"{where}: {error}") from error
    return f"suite of {len(suite.audits)} entr{'y' if len(suite.audits) == 1 else 'ies'}"


def _audit(audit: str, where: str) -> Audit:
    try:
        return plugins.load_audit(audit)
    except UsageError as error:
        raise UsageError(f"{where}: {error}") from error
