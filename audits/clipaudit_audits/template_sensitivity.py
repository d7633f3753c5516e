"""How far a finding depends on the wording of its prompts: its value under each template alone, beside the pooled one.

    found = sensitivity({"a photo of {}.": 0.2, "a drawing of {}.": -0.1}, pooled=0.05)
    estimate = marked(estimate, found)         # a note; and, where the sign changes, a word in the sentence
    summary = agreement([(estimate, found)])   # one secondary estimate over many findings; its metric is AGREEMENT

A template is not a sample from a population of templates: shares and ranges are given without intervals.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from clipaudit.contract import MetricSpec
from clipaudit.numbers import MAX_DECIMALS, fixed, value_text
from clipaudit.results import Direction, Estimate, Status
from clipaudit.text import printable

CHANGES = "Template-sensitive"
AGREEMENT = MetricSpec(
    name="template_agreement", title="Single templates that agree in sign", unit="proportion",
    direction=Direction.DESCRIPTIVE, range=(0.0, 1.0),
    formula="mean over findings of the share of templates whose own value has the sign of the value over all templates",
)  # fmt: skip
_NAMED = 5


@dataclass(frozen=True)
class Sensitivity:
    """A finding under each template. Signs are taken about `null_value`; values have the unit of the finding.

    values: template -> the finding as that template alone gives it (two at least, all finite).
    """

    pooled: float
    values: Mapping[str, float]
    null_value: float = 0.0

    @property
    def agreeing(self) -> float:
        """Share of the templates whose value has the sign of the pooled one."""
        return float((self._signs == np.sign(self.pooled - self.null_value)).mean())

    @property
    def opposing(self) -> int:
        """Templates whose value has the opposite sign."""
        side = np.sign(self.pooled - self.null_value)
        return int((self._signs == -side).sum()) if side else 0

    @property
    def changes(self) -> bool:
        """Whether a template alone would have said the opposite."""
        return self.opposing > 0

    @property
    def spread(self) -> float:
        """Largest minus smallest value."""
        return max(self.values.values()) - min(self.values.values())

    @property
    def iqr(self) -> float:
        """Interquartile range of the values (linear interpolation)."""
        low, high = np.quantile(list(self.values.values()), [0.25, 0.75])
        return float(high - low)

    @property
    def worst(self) -> str:
        """The template that speaks most against the pooled sign; the lowest value where that has none."""
        side = np.sign(self.pooled - self.null_value) or 1.0
        return min(self.values, key=lambda name: (side * self.values[name], name))

    @property
    def _signs(self) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return np.sign(np.array(list(self.values.values())) - self.null_value)


def sensitivity(
    values: Mapping[str, float | None], pooled: float | None, null_value: float = 0.0
) -> Sensitivity | None:
    """The sensitivity of a finding; None where fewer than two templates have a value, or the finding has none.

    >>> found = sensitivity({"a {}": 2.0, "the {}": 1.0, "{}": -1.0}, pooled=0.7)
    >>> found.opposing, round(found.agreeing, 3), found.spread, found.iqr, found.worst
    (1, 0.667, 3.0, 1.5, '{}')
    """
    known = {name: float(value) for name, value in values.items() if value is not None and np.isfinite(value)}
    if pooled is None or not np.isfinite(pooled) or len(known) < 2:
        return None
    return Sensitivity(float(pooled), known, null_value)


def marked(estimate: Estimate, found: Sensitivity | None) -> Estimate:
    """The estimate with a note on its templates; where the sign changes, an effect's sentence says so as well."""
    if found is None:
        return estimate
    update: dict[str, object] = {"notes": (*estimate.notes, note(found, estimate.unit))}
    if found.changes and estimate.status is Status.EFFECT:
        what = "On which side of chance it lies" if found.null_value else "Its sign"
        warning = f"{what} depends on the wording of the prompt: {_opposite(found, estimate.unit)}."
        update["sentence"] = f"{estimate.sentence} {warning}".strip()
    return estimate.model_copy(update=update)


def note(found: Sensitivity, unit: str = "") -> str:
    """One line: how many templates agree, from which value to which, and the interquartile range."""
    low, high = (pick(found.values, key=lambda name: (found.values[name], name)) for pick in (min, max))
    span = (
        f"from {_text(found.values[low], unit)} ({_quoted(low)}) to {_text(found.values[high], unit)} "
        f"({_quoted(high)}), interquartile range {_text(found.iqr, unit)}"
    )
    if found.changes:
        return f"{CHANGES}: {_opposite(found, unit)}; {span}."
    agree = round(found.agreeing * len(found.values))
    same = f"lie on its side of {_text(found.null_value, unit)}" if found.null_value else "give its sign"
    return f"{agree} of {len(found.values)} templates alone {same}; {span}."


def agreement(findings: Sequence[tuple[Estimate, Sensitivity | None]], of: str = "findings") -> list[Estimate]:
    """At most one secondary estimate: mean share of agreeing templates, and which effects change their sign.

    `of` names the findings in words. Estimates without a value, too small, or without two templates do not count.
    """
    counted = [(e, s) for e, s in findings if s is not None and e.status is not Status.TOO_SMALL]
    if not counted:
        return []
    value = float(np.mean([s.agreeing for _, s in counted]))
    share = value_text(value, "proportion")
    text = f"Over {len(counted):,} {of}, a single template has the sign of all templates together in {share} of cases."
    return [
        Estimate(
            metric=AGREEMENT.name, title=f"{AGREEMENT.title}: {of}", value=value, unit=AGREEMENT.unit,
            direction=AGREEMENT.direction, role="secondary", n=sum(len(s.values) for _, s in counted),
            sentence=f"{text} {_changing(counted, of)}",
            notes=("n counts findings times templates. Without any effect about half agree, and somewhat more, since "
                   "each template is part of the whole.",),
        )
    ]  # fmt: skip


def _changing(counted: Sequence[tuple[Estimate, Sensitivity]], of: str) -> str:
    """Which shown effects change their sign; of findings without tests, which of all."""
    tested = any(e.test is not None or e.status is Status.EFFECT for e, _ in counted)
    judged = [(e, s) for e, s in counted if e.status is Status.EFFECT] if tested else list(counted)
    if not judged:
        return "None of them was shown to differ from chance, so that no sign was to be expected."
    changing = [e.title for e, s in judged if s.changes]
    what = "shown effects" if tested else of
    if not changing:
        return f"Of {len(judged):,} {what}, none changes its sign with the template."
    more = "" if len(changing) <= _NAMED else f" and {len(changing) - _NAMED:,} more"
    names = ", ".join(f"“{printable(name)}”" for name in changing[:_NAMED])
    verb = "changes its" if len(changing) == 1 else "change their"
    return f"Of {len(judged):,} {what}, {len(changing):,} {verb} sign with the template: {names}{more}."


def _opposite(found: Sensitivity, unit: str) -> str:
    one = found.opposing == 1
    if found.null_value:
        verb = f"{'lies' if one else 'lie'} on the other side of {_text(found.null_value, unit)}"
    else:
        verb = "gives the opposite" if one else "give the opposite"
    which = f" ({_quoted(found.worst)})" if one else f", most of all {_quoted(found.worst)}"
    return f"{found.opposing} of {len(found.values)} templates alone {verb}{which}"


def _text(value: float, unit: str) -> str:
    """Differences of cosines are small: as many digits as the audits give them."""
    return f"{fixed(value, MAX_DECIMALS)} cosine" if unit == "cosine" else value_text(value, unit)


def _quoted(template: str) -> str:
    return f"“{printable(template, limit=60)}”"
