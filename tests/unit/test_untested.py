"""What a suite leaves out is computed from the catalogue, with what each audit asks."""

from __future__ import annotations

import pytest

from clipaudit import plugins
from clipaudit.data.registry import DataRegistry
from clipaudit.engine.plan import make_plan
from clipaudit.engine.run import assemble
from clipaudit.engine.suite import Suite, SuiteEntry
from clipaudit.models.control import load_control


def test_everything_else_in_the_catalogue_is_untested(monkeypatch: pytest.MonkeyPatch) -> None:
    known = plugins.list_audits()
    broken = plugins.AuditListing("from_elsewhere", "elsewhere", None, "cannot be imported")
    monkeypatch.setattr(plugins, "list_audits", lambda: [*known, broken])
    suite = Suite(id="one", audits=(SuiteEntry(id="zero_shot", data="digits"),))
    result = assemble(make_plan(suite, DataRegistry(offline=True)), load_control("null?seed=1").info, [])
    assert list(result.not_tested) == [each.id for each in result.untested]
    assert set(result.not_tested) == {each.id for each in known} - {"zero_shot"} | {"from_elsewhere"}
    by_id = {each.id: each for each in result.untested}
    for listing in known:
        if listing.audit is not None and listing.id != "zero_shot":
            spec = listing.audit.spec
            assert (by_id[spec.id].title, by_id[spec.id].question) == (spec.title, spec.question)
            assert by_id[spec.id].kind_of_harm is spec.kind_of_harm
    assert by_id["from_elsewhere"].title == ""
