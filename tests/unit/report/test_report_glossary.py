"""Words that the report uses for units, readings and columns are explained in it."""

from __future__ import annotations

import pytest
from clipaudit_reports.comparison.view import HEADINGS
from clipaudit_reports.glossary import COMPARING, GLOSSARY
from clipaudit_reports.view import Severity

from clipaudit.numbers import unit_word
from clipaudit.plugins import list_audits

KNOWN = {word for term, _ in GLOSSARY for word in term.split(", ")}
COLUMNS = ("clusters", "interval", "n", "p", "corrected p", "chance", "detectable")
FIELD = ("MaxSkew", "NDKL", "Skew@k", "kappa", "d", "shape bias", "rank correlation")


def test_every_unit_of_a_metric_is_explained() -> None:
    units = {
        unit_word(metric.unit): f"{each.id}: {metric.name}"
        for each in list_audits() if each.audit is not None for metric in each.audit.spec.metrics
    }  # fmt: skip
    units.pop("", None)
    assert len(units) > 5
    assert {unit: where for unit, where in units.items() if unit not in KNOWN} == {}


@pytest.mark.parametrize("severity", Severity)
def test_every_reading_is_explained(severity: Severity) -> None:
    assert set(severity.word.split(", ")) <= KNOWN


def test_columns_and_words_of_the_field_are_explained() -> None:
    assert {*COLUMNS, *FIELD} <= KNOWN


def test_every_outcome_of_a_comparison_is_explained() -> None:
    known = {word for term, _ in COMPARING for word in term.split(", ")}
    assert {outcome.value for outcome in HEADINGS} <= known
    assert {"flipped", "corrected p", "not paired", "not comparable", "smallest detectable"} <= known


@pytest.mark.parametrize("glossary", [GLOSSARY, COMPARING])
def test_one_entry_a_word_in_order(glossary: tuple[tuple[str, str], ...]) -> None:
    terms = [term for term, _ in glossary]
    assert terms == sorted(set(terms), key=lambda term: term.lower().lstrip("%, "))
    assert all(meaning.endswith(".") for _, meaning in glossary)
