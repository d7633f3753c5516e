"""From compared rates to estimates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from clipaudit.results import Estimate, Interval, Null, Status
from clipaudit.stats.gap import LargerGap, gap_test, larger_gap
from clipaudit.stats.gap_rates import group_rates, wilson_rate
from clipaudit.stats.multiple import correct
from clipaudit.stats.null import null_from_draws
from clipaudit.stats.power import mde_null
from clipaudit_audits.social_bias import disparity_sentences as say
from clipaudit_audits.social_bias import rate_sentences
from clipaudit_audits.social_bias.disparity_measures import Compared, accuracy
from clipaudit_audits.social_bias.disparity_notes import cell_notes
from clipaudit_audits.social_bias.disparity_study import Study
from clipaudit_audits.social_bias.disparity_templates import under_each_template
from clipaudit_audits.social_bias.groups import Grouping
from clipaudit_audits.template_sensitivity import Sensitivity, agreement, marked

GAPS = {
    "accuracy": "accuracy_gap",
    "selection_rate": "demographic_parity_difference",
    "true_positive_rate": "true_positive_gap",
    "false_positive_rate": "false_positive_gap",
}
RATIOS = {"accuracy": "accuracy_ratio", "selection_rate": "demographic_parity_ratio"}
Role = Literal["primary", "secondary"]


@dataclass
class Found:
    """Estimates: tested ones, whose sentences wait for the correction, and the others."""

    tested: list[tuple[Estimate, Compared | None, str]] = field(default_factory=list)
    plain: list[Estimate] = field(default_factory=list)


def all_estimates(study: Study) -> list[Estimate]:
    """Gaps first, then what belongs to them, then each group."""
    found = Found()
    for grouping in study.groupings:
        _unread(study, grouping, found)
        compared = study.accuracies(grouping)
        if compared is None:
            continue
        _of_one(study, compared, found)
        for about in study.reported:
            rates = study.rates(grouping, about)
            for one in rates.values():
                _of_one(study, one, found)
            _odds(study, rates, about, found)
    corrected = correct([estimate for estimate, _, _ in found.tested], "benjamini-hochberg", "gaps")
    spoken: list[tuple[Estimate, Sensitivity | None]] = []
    for estimate, (_, compared, about) in zip(corrected, found.tested, strict=True):
        alone = None if compared is None else under_each_template(study, compared)
        spoken.append((marked(_spoken(study, estimate, compared, about), alone), alone))
    return [
        _overall(study),
        *(estimate for estimate, _ in spoken),
        *found.plain,
        *agreement(spoken, "gaps in accuracy"),
    ]


def _make(
    study: Study, metric: str, title: str, value: float | None, subgroup: dict[str, str], **more: Any
) -> Estimate:
    spec = study.spec.metric(metric)
    return Estimate(
        metric=metric, title=title, value=value, unit=spec.unit, direction=spec.direction, subgroup=subgroup,
        null_value=spec.null_value, cluster_key=study.params.cluster or None, **more,
    )  # fmt: skip


def _overall(study: Study) -> Estimate:
    answers = study.answers
    n = int(answers.readable.sum())
    base: dict[str, Any] = {"role": "secondary", "n": n, "notes": cell_notes(study)}
    title = f"Accuracy of {study.params.target}"
    if not n:
        sentence = "No image could be read and classified."
        return _make(study, "accuracy", title, None, {}, status=Status.TOO_SMALL, sentence=sentence, **base)
    kept = answers.readable
    right = accuracy(answers).values[kept]
    rates = group_rates(right, answers.clusters[kept] * 0, answers.clusters[kept], 1)
    interval = wilson_rate(float(rates.p[0]), float(rates.effective[0]), rates.units[0] == n)
    made = _make(
        study, "accuracy", title, float(rates.p[0]), {}, interval=interval, clusters=int(rates.units[0]), **base
    )
    sentence = say.overall_sentence(made, study.params.target, len(study.classes), study.basis)
    return made.model_copy(update={"sentence": sentence})


def _unread(study: Study, grouping: Grouping, found: Found) -> None:
    """Groups without a readable image."""
    for group in grouping.small:
        made = _make(study, "accuracy", _title(study, "accuracy", ""), None, {grouping.label: group},
                     role="secondary", n=0, status=Status.TOO_SMALL)  # fmt: skip
        sentence = say.group_sentence(made, grouping.label, group, "", study.params.min_group, study.basis)
        found.plain.append(made.model_copy(update={"sentence": sentence}))


def _title(study: Study, metric: str, about: str) -> str:
    """Groups are not part of it: the subgroup names them."""
    name = study.spec.metric(metric).title
    return f"{name}: '{about}'" if about else name


def _of_one(study: Study, compared: Compared, found: Found) -> None:
    """One rate by one grouping."""
    found.plain += _groups(study, compared)
    metric, about, grouping = GAPS[compared.outcome.metric], compared.outcome.about, compared.grouping
    subgroup = _subgroup(grouping, about)
    role: Role = "primary" if metric == "accuracy_gap" else "secondary"
    if compared.gap is None:
        sentence = say.not_compared(grouping.label, study.spec.metric(compared.outcome.metric).title.lower(),
                                    study.params.min_group)  # fmt: skip
        found.plain.append(
            _make(study, metric, _title(study, metric, about), None, subgroup, role=role,
                  n=int(compared.rates.n.sum()), status=Status.TOO_SMALL, sentence=sentence)
        )  # fmt: skip
        return
    null = compared.gap.null("gap", 100)
    made = _make(
        study, metric, _title(study, metric, about), 100 * compared.gap.observed["gap"], subgroup, role=role,
        interval=_points(compared.gap.bound), null=null, test=compared.gap.test,
        minimum_detectable=mde_null(null.sd or 0.0) or None, notes=_small_note(compared, study.params.min_group),
        **_sizes(compared),
    )  # fmt: skip
    found.tested.append((made, compared, about))
    found.plain += _further(study, compared)


def _subgroup(grouping: Grouping, about: str) -> dict[str, str]:
    return {"groups": grouping.label} | ({"class": about} if about else {})


def _sizes(compared: Compared) -> dict[str, Any]:
    assert compared.gap is not None, "asked only where groups are compared"
    return {"n": int(compared.gap.rates.n.sum()), "clusters": compared.units}


def _points(interval: Interval, scale: float = 100) -> Interval:
    ends = {
        name: None if end is None else scale * end for name, end in (("low", interval.low), ("high", interval.high))
    }
    return interval.model_copy(update=ends)


def _small_note(compared: Compared, least: int) -> tuple[str, ...]:
    small = [name for name, large in zip(compared.names, compared.large, strict=True) if not large]
    if not small:
        return ()
    shown = ", ".join(f"'{name}'" for name in small[:5]) + (f" and {len(small) - 5} more" if len(small) > 5 else "")
    return (f"Not compared, with fewer than {rate_sentences.enough(least)}: {shown}.",)


def _groups(study: Study, compared: Compared) -> Iterator[Estimate]:
    """The rate of each group, compared or too small."""
    metric, grouping, about = compared.outcome.metric, compared.grouping, compared.outcome.about
    rates = compared.rates
    for i, group in enumerate(compared.names):
        n, units = int(rates.n[i]), int(rates.units[i])
        made = _make(
            study, metric, _title(study, metric, about), float(compared.value[i]),
            {grouping.label: group} | ({"class": about} if about else {}), role="secondary", n=n, clusters=units,
            interval=wilson_rate(float(rates.p[i]), float(rates.effective[i]), units == n),
            minimum_detectable=compared.mde[group],
            status=Status.DESCRIBED if compared.large[i] else Status.TOO_SMALL,
        )  # fmt: skip
        sentence = say.group_sentence(made, grouping.label, group, about, study.params.min_group, study.basis)
        yield made.model_copy(update={"sentence": sentence})


def _further(study: Study, compared: Compared) -> Iterator[Estimate]:
    """What else is said of a gap: variance, ratio, and of accuracy the worst group."""
    gap, grouping, about = compared.gap, compared.grouping, compared.outcome.about
    assert gap is not None
    rate = study.spec.metric(compared.outcome.metric).title.lower() + (f" of '{about}'" if about else "")
    subgroup, sizes = _subgroup(grouping, about), _sizes(compared)

    def made(metric: str, value: float, more: dict[str, str] | None = None, **fields: Any) -> Estimate:
        title = _title(study, metric, about)
        return _make(study, metric, title, value, subgroup | (more or {}), role="secondary", **sizes, **fields)

    variance = made("between_group_variance", 1e4 * gap.between.value, {"rate": rate},
                    interval=_points(gap.between.interval, 1e4))  # fmt: skip
    yield variance.model_copy(update={"sentence": rate_sentences.variance_sentence(variance, grouping.label, rate)})
    if compared.outcome.metric in RATIOS:
        ratio = made(RATIOS[compared.outcome.metric], gap.observed["ratio"], null=gap.null("ratio"))
        yield ratio.model_copy(update={"sentence": say.ratio_sentence(ratio, grouping.label, rate)})
    if compared.outcome.metric == "accuracy":
        name, value = compared.extreme(highest=False)
        below = made("mean_minus_worst", 100 * gap.observed["shortfall"], interval=_points(gap.shortfall_bound),
                     null=gap.null("shortfall", 100))  # fmt: skip
        yield below.model_copy(update={"sentence": say.shortfall_sentence(below, grouping.label, name)})
        worst = made("worst_group_accuracy", value, interval=gap.worst)
        images = int(gap.rates.n[gap.rates.p.argmin()])
        yield worst.model_copy(update={"sentence": say.worst_sentence(worst, grouping.label, name, images)})


def _odds(study: Study, rates: dict[str, Compared], about: str, found: Found) -> None:
    """Equalised odds: the larger of the gaps in true and in false positive rates."""
    true, false = rates.get("true_positive_rate"), rates.get("false_positive_rate")
    if true is None or false is None or true.gap is None or false.gap is None:
        return
    gap: LargerGap = larger_gap(true.gap, false.gap, study.seed)
    null: Null = null_from_draws(100 * gap.draws, gap.method)
    grouping, metric = true.grouping, "equalised_odds_difference"
    made = _make(
        study, metric, _title(study, metric, about), 100 * gap.value, _subgroup(grouping, about),
        role="secondary", interval=_points(gap.bound), null=null, test=gap_test(gap.draws, gap.value, gap.method),
        minimum_detectable=mde_null(null.sd or 0.0) or None, n=_sizes(true)["n"] + _sizes(false)["n"],
    )  # fmt: skip
    found.tested.append((made, None, about))


def _spoken(study: Study, estimate: Estimate, compared: Compared | None, about: str) -> Estimate:
    grouping = estimate.subgroup["groups"]
    if compared is None:
        sentence = say.odds_sentence(estimate, grouping, about)
    else:
        ends = compared.extreme(highest=True), compared.extreme(highest=False)
        shares = _own_shares(study, compared, [name for name, _ in ends])
        sentence = say.gap_sentence(estimate, grouping, about, *ends, int((~compared.large).sum()), shares, study.basis)
    return estimate.model_copy(update={"sentence": sentence})


def _own_shares(study: Study, compared: Compared, groups: Sequence[str]) -> tuple[float, float] | None:
    """Of two groups the shares of images of the class, where its selection rate is compared."""
    if compared.outcome.metric != "selection_rate":
        return None
    codes, own = compared.grouping.codes, study.answers.targets == compared.outcome.about
    first, second = (float(own[codes == compared.grouping.values.index(group)].mean()) for group in groups)
    return first, second
