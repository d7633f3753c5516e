"""A validation as a page beside the reports: power, coverage, false positives and bias of every audit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from clipaudit import numbers
from clipaudit.validation.judge import JOINT, Proportion, Standing, proportions
from clipaudit.validation.results import AuditValidation, Curve, ValidationResult
from clipaudit.validation.words import bare_share, caution, summary, worst
from clipaudit_reports.budget import LADDER
from clipaudit_reports.cleaning import cleaned
from clipaudit_reports.figures import plot_view
from clipaudit_reports.html import page
from clipaudit_reports.validation_figures import curve_figures, false_positives
from clipaudit_reports.view import PlotView

_MARKS = {Standing.INSIDE: "done", Standing.CAUTIOUS: "small", Standing.OUTSIDE: "errored"}
_WORDS = {Standing.INSIDE: "inside", Standing.CAUTIOUS: "cautious", Standing.OUTSIDE: "outside"}


@dataclass(frozen=True)
class CurveView:
    """One curve in words, and its plots."""

    anchor: str
    title: str
    metric: str
    facts: tuple[tuple[str, str], ...]
    coverage: str
    false_positives: str
    runs: str
    mark: str
    word: str
    cautions: tuple[str, ...]
    notes: tuple[str, ...]
    plots: tuple[PlotView, ...]


@dataclass(frozen=True)
class AuditView:
    """One audit's section."""

    anchor: str
    id: str
    version: str
    title: str
    family: str
    summary: str
    mark: str
    word: str
    curves: tuple[CurveView, ...]
    plots: tuple[PlotView, ...]


@dataclass(frozen=True)
class ValidationView:
    """The page."""

    version: str
    headline: str
    joint: str
    audits: tuple[AuditView, ...]


def render(found: ValidationResult) -> str:
    """The page as one self-contained HTML file, without a script."""
    return page("validation.html.j2", validation=_view(cleaned(found)))


def _view(found: ValidationResult) -> ValidationView:
    audits = tuple(_audit(audit) for audit in found.audits)
    curves = [curve for audit in audits for curve in audit.curves]
    counts = [f"{sum(curve.word == word for curve in curves)} {word}" for word in _WORDS.values()]
    headline = f"{numbers.counted(len(audits), 'audit')}, {numbers.counted(len(curves), 'curve')}: {', '.join(counts)}."
    return ValidationView(found.clipaudit_version, headline, numbers.value_text(JOINT, "proportion"), audits)


def _audit(audit: AuditValidation) -> AuditView:
    found = proportions(audit)
    forest = false_positives(audit, found)
    curves = tuple(
        _curve(curve, [one for one in found if one.curve is curve], f"{audit.audit}-{number}")
        for number, curve in enumerate(audit.curves, start=1)
    )
    standing = worst(found)
    return AuditView(
        anchor=f"audit--{audit.audit}",
        id=audit.audit,
        version=audit.version,
        title=audit.title,
        family=audit.family,
        summary=summary(audit),
        mark=_MARKS[standing],
        word=_WORDS[standing],
        curves=curves,
        plots=() if forest is None else (plot_view(forest, forest.id, LADDER[0]),),
    )


def _curve(curve: Curve, found: Sequence[Proportion], name: str) -> CurveView:
    standing = worst(found)
    coverage = [one for one in found if one.kind == "coverage" and one.overall]
    false = [one for one in found if one.kind == "false positives"]
    facts = (
        ("estimate", curve.metric + (f" of {curve.subgroup}" if curve.subgroup else "")),
        ("interval", curve.interval or "none"),
        ("test", curve.test or ("whether the interval holds the null" if false else "none")),
        ("n", numbers.count_text(curve.n)),
        ("clusters", "" if curve.clusters is None else numbers.count_text(curve.clusters)),
        ("model", f"control:{curve.model}" if "?" in curve.model else curve.model),
    )
    return CurveView(
        anchor=name,
        title=curve.title,
        metric=curve.metric,
        facts=tuple((label, value) for label, value in facts if value),
        coverage="".join(bare_share(one) for one in coverage),
        false_positives="".join(bare_share(one) for one in false),
        runs=numbers.count_text(sum(level.runs for level in curve.levels)),
        mark=_MARKS[standing],
        word=_WORDS[standing],
        cautions=tuple(caution(one) for one in found if one.standing is not Standing.INSIDE),
        notes=tuple(_notes(curve)),
        plots=tuple(plot_view(figure, figure.id, LADDER[0]) for figure in curve_figures(curve, found, name)),
    )


def _notes(curve: Curve) -> list[str]:
    notes = []
    if any(level.truth_is_mean for level in curve.levels):
        notes.append(
            "There is no closed form of the truth: the mean over all runs of a size stands in for it, so that nothing "
            "is said of bias."
        )
    missing = [
        (level.effect, level.undefined, level.runs + level.undefined) for level in curve.levels if level.undefined
    ]
    notes += [f"At {numbers.plain(x)} the estimate is not defined in {k} of {n} runs." for x, k, n in missing]
    first = curve.levels[0]
    if curve.null and first.any_found:
        notes.append(
            f"Without any planted effect, {first.any_found} of {first.runs + first.undefined} runs call some estimate "
            "of this metric an effect, over all its groups."
        )
    return notes
