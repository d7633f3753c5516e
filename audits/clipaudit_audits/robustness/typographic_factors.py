"""What else of the note counts: contrast, place, font, repetition and language, one at a time. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from clipaudit.results import BarsFigure, Estimate, Point
from clipaudit_audits.robustness.typographic_estimates import Scorer
from clipaudit_audits.robustness.typographic_measures import Share
from clipaudit_audits.robustness.typographic_outcomes import Outcome, condition_of
from clipaudit_audits.robustness.typographic_params import TypographicParams
from clipaudit_audits.wording import percent

if TYPE_CHECKING:
    import pyarrow as pa

Levels = Mapping[str, tuple[str, ...]]  # factor to its levels besides the main one
SAID = {
    "contrast": "With text of contrast {}",
    "place": "With the note at {}",
    "font": "Written in {}",
    "repetitions": "Written {} times",
    "language": "With the wrong label written in {}",
}
ASKED = {
    "contrast": "Does the contrast of the text count?",
    "place": "Does the place of the note count?",
    "font": "Does the font count?",
    "repetitions": "Does repeating the word count?",
    "language": "Does the language count?",
}


def levels(rows: pa.Table) -> Levels:
    """Factors and their levels that were shown, numbers ascending."""
    found: dict[str, set[str]] = {}
    for row in rows.select(["factor", "level"]).to_pylist():
        if row["factor"]:
            found.setdefault(row["factor"], set()).add(row["level"])
    return {name: tuple(sorted(found[name], key=_order)) for name in SAID if name in found}


def _order(level: str) -> tuple[float, str]:
    try:
        return float(level), ""
    except ValueError:
        return 0.0, level


def factors(scorer: Scorer, found: Levels) -> list[Estimate]:
    """The written rate at each level of each factor, beside the change from the main result on the same images."""
    return [one for factor, names in found.items() for level in names for one in _at(scorer, factor, level)]


def _at(scorer: Scorer, factor: str, level: str) -> list[Estimate]:
    main, other = scorer.outcome("wrong"), _outcome(scorer, factor, level)
    where, subgroup = SAID[factor].format(level), {factor: level}
    return [
        scorer.rate(
            "written_rate", scorer.share_of(other.wrote, other.seen),
            f"{where} the written label was chosen for {{}}.", role="secondary", subgroup=subgroup,
        ),
        scorer.points(
            "written_change", scorer.change_of(other, main, lambda outcome: outcome.wrote),
            f"{where} the written label was chosen more often than in the main result by {{}}.", role="secondary",
            subgroup=subgroup,
        ),
    ]  # fmt: skip


def _outcome(scorer: Scorer, factor: str, level: str) -> Outcome:
    return scorer.outcome(condition_of("wrong", factor, level))


def factor_bars(scorer: Scorer, found: Levels, params: TypographicParams) -> list[BarsFigure]:
    """One plot a factor: the written and the right label chosen, at the main level and the others."""
    usual = {
        "contrast": f"{params.contrast:g}", "place": params.place, "font": params.font,
        "repetitions": str(params.repetitions), "language": "as labelled",
    }  # fmt: skip
    return [_bars(scorer, factor, names, usual[factor]) for factor, names in found.items()]


def _bars(scorer: Scorer, factor: str, names: tuple[str, ...], usual: str) -> BarsFigure:
    shown = {level: _outcome(scorer, factor, level) for level in names} | {usual: scorer.outcome("wrong")}
    order = sorted(shown, key=_order)
    points, said = [], []
    for level in order:
        outcome = shown[level]
        written = scorer.share_of(outcome.wrote, outcome.seen)
        points.append(_point(level, "right label chosen", scorer.share_of(outcome.right, outcome.seen)))
        points.append(_point(level, "written label chosen", written))
        said.append(f"{level} {'none' if written.value is None else percent(written.value)}")
    return BarsFigure(
        id=f"by-{factor}", title=ASKED[factor],
        y_label="share of images", points=tuple(points), y_range=(0, 1),
        caption=f"Notes over {percent(scorer.area)} of the central square; all else as in the main result ({usual}).",
        alt=f"Written label chosen, by {factor}: {', '.join(said)}.",
    )  # fmt: skip


def _point(level: str, group: str, found: Share) -> Point:
    return Point(
        label=level, group=group, value=found.value, low=found.interval.low, high=found.interval.high, n=found.n
    )
