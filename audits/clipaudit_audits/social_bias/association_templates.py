"""The tests under every template of their words alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from clipaudit.results import Estimate
from clipaudit_audits.social_bias.association_cases import Case
from clipaudit_audits.social_bias.association_rows import MeasuredSet
from clipaudit_audits.template_sensitivity import agreement, marked, sensitivity


def by_template(sets: Mapping[str, MeasuredSet]) -> dict[str, dict[str, MeasuredSet]]:
    """Template -> the sets as it alone shows them; nothing where words stand in one template, or there are none."""
    templates = sorted({each for found in sets.values() for each in found.templates if each is not None})
    if len(templates) < 2:
        return {}
    return {template: {name: found.only(template) for name, found in sets.items()} for template in templates}


def with_templates(
    estimates: Sequence[Estimate], alone: Mapping[str, Sequence[Case]]
) -> tuple[list[Estimate], list[Estimate]]:
    """The estimates of the tests, marked; and the summary over those that are not controls.

    alone: template -> the cases of the tests, in their order.
    """
    found = [
        sensitivity({template: _effect(cases[i]) for template, cases in alone.items()}, estimate.value)
        for i, estimate in enumerate(estimates)
    ]
    done = [marked(estimate, each) for estimate, each in zip(estimates, found, strict=True)]
    asked = [(e, s) for e, s in zip(done, found, strict=True) if e.role == "primary"]
    return done, agreement(asked, of="tests")


def _effect(case: Case) -> float | None:
    return None if case.comparison is None else case.comparison.targets.effect_size
