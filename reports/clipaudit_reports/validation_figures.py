"""Curves of a validation as figures."""

from __future__ import annotations

from collections.abc import Sequence

from clipaudit import numbers
from clipaudit.results import CurveFigure, ForestFigure, Point, Reference, Series
from clipaudit.validation.judge import ALPHA, COVERAGE, Proportion, band, bias, clopper_pearson
from clipaudit.validation.results import AuditValidation, Curve

_SHARES = (0.0, 1.0)


def curve_figures(curve: Curve, found: Sequence[Proportion], name: str) -> list[CurveFigure]:
    """Power, coverage and bias against the planted effect; without what the curve does not have. `found`: its own."""
    figures = (_power(curve, name), _coverage(curve, found, name), _bias(curve, name))
    return [figure for figure in figures if figure is not None]


def false_positives(audit: AuditValidation, found: Sequence[Proportion]) -> ForestFigure | None:
    """All curves of the audit that have a level without effect, each before its band."""
    shown = [one for one in found if one.kind == "false positives"]
    if not shown:
        return None
    points = tuple(
        Point(
            label=f"{audit.curves.index(one.curve) + 1}. {one.curve.metric}", value=one.share, low=one.low,
            high=one.high, n=one.n, null_low=chance[0], null_high=chance[1], group=one.standing.value,
        )
        for one in shown
        for chance in [band(one.n, ALPHA, level=0.95)]
    )  # fmt: skip
    worst = max(shown, key=lambda one: abs(one.share - ALPHA))
    return ForestFigure(
        id=f"{audit.audit}-false-positives",
        title="False positives.",
        caption="Share of runs without any planted effect that are rejected at .05, with its 95 % interval; grey: "
        "where an exact test lies in 95 of 100 validations. The verdict uses the wider joint band.",
        alt=f"False positives of {len(shown)} curves; furthest from 5 %: {_percent(worst.share)}.",
        x_label="share of runs rejected",
        points=points,
        null_value=ALPHA,
    )


def _power(curve: Curve, name: str) -> CurveFigure | None:
    levels = [level for level in curve.levels if level.judged_tests]
    if not curve.null or not levels:
        return None
    xs = tuple(level.effect for level in levels)
    ends = [clopper_pearson(level.rejected, level.judged_tests) for level in levels]
    rejected = Series(
        name="rejected at .05", x=xs, y=tuple(level.rejected / level.judged_tests for level in levels),
        low=tuple(low for low, _ in ends), high=tuple(high for _, high in ends),
    )  # fmt: skip
    called = Series(
        name="called an effect", x=xs, y=tuple(level.found / level.runs if level.runs else None for level in levels)
    )
    last = levels[-1]
    return CurveFigure(
        id=f"{name}-power",
        title="Power.",
        caption="Share of runs that are rejected at .05 before correction, and that the audit calls an effect.",
        alt=f"Power: {_percent(last.rejected / last.judged_tests)} at {numbers.plain(last.effect)}.",
        x_label=curve.x_label,
        y_label="share of runs",
        series=(rejected, called),
        references=(Reference(label="alpha", value=ALPHA, source="5 % expected at no effect"),),
        y_range=_SHARES,
    )


def _coverage(curve: Curve, found: Sequence[Proportion], name: str) -> CurveFigure | None:
    shown = [one for one in found if one.kind == "coverage" and one.level is not None]
    if not shown:
        return None
    xs = tuple(curve.levels[one.level or 0].effect for one in shown)
    covered = Series(
        name="covered", x=xs, y=tuple(one.share for one in shown),
        low=tuple(one.low for one in shown), high=tuple(one.high for one in shown),
    )  # fmt: skip
    band = Series(
        name="binomial band", x=xs, y=(COVERAGE,) * len(xs), line_only=True,
        low=tuple(one.band[0] for one in shown), high=tuple(one.band[1] for one in shown),
    )  # fmt: skip
    least = min(shown, key=lambda one: one.share)
    lowest = min(one.low for one in shown)
    return CurveFigure(
        id=f"{name}-coverage",
        title="Coverage.",
        caption="Share of 95 % intervals that hold the truth.",
        alt=f"Coverage: {_percent(least.share)} at the least.",
        x_label=curve.x_label,
        y_label="share of intervals",
        series=(covered, band),
        y_range=(min(0.8, lowest - 0.02), 1.0),
    )


def _bias(curve: Curve, name: str) -> CurveFigure | None:
    known = [(level.effect, found) for level in curve.levels if (found := bias(level)) is not None]
    if not known:
        return None
    away = Series(
        name="mean estimate minus truth", x=tuple(x for x, _ in known), y=tuple(found[0] for _, found in known),
        low=tuple(found[1] for _, found in known), high=tuple(found[2] for _, found in known),
    )  # fmt: skip
    largest = max((found[0] for _, found in known), key=abs)
    return CurveFigure(
        id=f"{name}-bias",
        title="Bias.",
        caption="Mean of the estimates minus what is planted, with the 95 % interval of the simulation.",
        alt=f"Bias: {numbers.plain(largest)} at the most.",
        x_label=curve.x_label,
        y_label="mean estimate minus truth" + (f", {curve.unit}" if curve.unit else ""),
        series=(away,),
        references=(Reference(label="no bias", value=0.0, source="the mean estimate is the truth"),),
    )


def _percent(share: float) -> str:
    return numbers.value_text(share, "proportion")
