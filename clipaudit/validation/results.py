"""What a validation found, as it is written to `validation.json`: counts, means and spreads; no times, no paths."""

from __future__ import annotations

from clipaudit.results import Record

VALIDATION_SCHEMA_VERSION = "1"


class Level(Record):
    """One size of effect over all seeds.

    runs: seeds of which the estimate had a value. undefined: of which it had none.
    covered: of `judged_intervals` runs with an interval, how many intervals held `truth`.
    rejected: of `judged_tests` runs with a test (or an interval to set beside the null), how many rejected at .05,
        uncorrected. found: how many were called an effect, after the audit's own correction and minimum n.
    any_found: in how many runs any estimate of the metric was called an effect.
    mean, sd: of the values. truth_is_mean: there was no closed form, so `truth` is `mean`.
    """

    effect: float
    truth: float | None
    truth_is_mean: bool = False
    runs: int
    undefined: int = 0
    mean: float | None = None
    sd: float | None = None
    judged_intervals: int = 0
    covered: int = 0
    judged_tests: int = 0
    rejected: int = 0
    found: int = 0
    any_found: int = 0


class Curve(Record):
    """One estimate against planted effects. With `null` the first level plants nothing.

    model: the control of the first level. interval, test: how the audit made them. n, clusters: of the estimate.
    """

    metric: str
    subgroup: str = ""
    title: str
    x_label: str
    unit: str = ""
    model: str
    interval: str = ""
    test: str = ""
    n: int = 0
    clusters: int | None = None
    null: bool
    levels: tuple[Level, ...]


class AuditValidation(Record):
    """All curves of one audit in one version."""

    audit: str
    version: str
    title: str
    family: str
    curves: tuple[Curve, ...]


class ValidationResult(Record):
    """`validation.json`."""

    schema_version: str = VALIDATION_SCHEMA_VERSION
    clipaudit_version: str
    audits: tuple[AuditValidation, ...]


def as_json(found: ValidationResult) -> str:
    """The text of `validation.json`: one line for each level, so that a change can be read."""
    import json

    def line(value: object) -> str:
        return json.dumps(value, ensure_ascii=False)

    head = {name: value for name, value in found.model_dump(mode="json").items() if name != "audits"}
    lines = [f'{{{line(head)[1:-1]}, "audits": [']
    for i, audit in enumerate(found.audits):
        body = audit.model_dump(mode="json", exclude_defaults=True)
        curves = body.pop("curves")
        lines.append(f' {line(body)[:-1]}, "curves": [')
        for j, curve in enumerate(curves):
            levels = curve.pop("levels")
            lines.append(f'  {line(curve)[:-1]}, "levels": [')
            lines += [f"   {line(level)}{',' if k + 1 < len(levels) else ''}" for k, level in enumerate(levels)]
            lines.append(f"  ]}}{',' if j + 1 < len(curves) else ''}")
        lines.append(f" ]}}{',' if i + 1 < len(found.audits) else ''}")
    return "\n".join([*lines, "]}"]) + "\n"
