"""The figures under version control: they cover every audit in its present version, and a few are tried again."""

from __future__ import annotations

import pytest
from scipy.stats import binom

from clipaudit import plugins
from clipaudit.validation.run import validate
from clipaudit.validation.stored import FILE, stored

COMMAND = "make validation AUDITS="
AUDITS = sorted(plugins.names(plugins.AUDITS))


@pytest.mark.parametrize("name", AUDITS)
def test_every_audit_is_validated_in_its_version(name: str) -> None:
    audit = plugins.load_audit(name)
    assert audit.validation(), f"{name} declares no planted effect"
    found = stored(audit)
    assert found is not None, f"{name} {audit.spec.version} has no figures in {FILE}; run {COMMAND}{name}"
    planned = [(plan.metric, ", ".join(plan.values), plan.title, len(plan.levels)) for plan in audit.validation()]
    kept = [(curve.metric, curve.subgroup, curve.title, len(curve.levels)) for curve in found.curves]
    assert kept == planned, f"{name}: other curves than those in {FILE}; run {COMMAND}{name}"


@pytest.mark.parametrize("name", ["denigration", "occupation_text", "lexicon"])
def test_figures_are_found_again(name: str) -> None:
    """Few seeds, so that only what is grossly off is seen: each count within what the stored share allows."""
    audit = plugins.load_audit(name)
    kept = stored(audit)
    assert kept is not None
    again = validate([audit], seeds=6).audits[0]
    for before, now in zip(kept.curves, again.curves, strict=True):
        for old, new in zip(before.levels, now.levels, strict=True):
            pairs = ((old.covered, old.judged_intervals, new.covered, new.judged_intervals),
                     (old.rejected, old.judged_tests, new.rejected, new.judged_tests))  # fmt: skip
            for hits, n, found, tried in pairs:
                assert (n > 0) == (tried > 0)
                share = min(max((hits + 1) / (n + 2), 0.02), 0.98)
                low, high = (binom.ppf(q, tried, share) for q in (1e-5, 1 - 1e-5))
                assert low <= found <= high
